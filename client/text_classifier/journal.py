"""The outcomes of a run so far, on disk, from which an interrupted run resumes.

It is an SQLite database: a finished commit is on the disk, and an interrupted one leaves the state before it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from text_classifier.errors import FileError
from text_classifier.results import Outcome, Prediction, Refusal, Score

APPLICATION_ID = 0x74786A33
"""Identifies a journal of this program in this layout ("txj3")."""

SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE outcomes (row INTEGER PRIMARY KEY, outcome TEXT NOT NULL);
"""
DONE_RANGES = """
SELECT min(row), max(row) FROM (SELECT row, row - row_number() OVER (ORDER BY row) AS island FROM outcomes)
GROUP BY island ORDER BY 1
"""


class Journal:
    """The journal of one run, open for this process alone; the file is created if it is missing.

    `run` identifies the run (input and settings) in strings and numbers. Raises FileError: the file is no journal,
    belongs to another run, or is in use. Raises OSError: it cannot be written.
    """

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self._path = path
        with self._errors():
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            with self._errors():
                self._open(run)
        except BaseException:
            self._database.close()
            raise

    def _open(self, run: dict[str, Any]) -> None:
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("BEGIN EXCLUSIVE")
            made_by = self._database.execute("PRAGMA application_id").fetchone()[0]
            tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise FileError(
                    f"{self._path} is in use: another process scores this file.", hint="Wait for it, or end it."
                ) from error
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                raise self._foreign() from error
            raise
        if made_by == 0 and tables == 0:  # new, or interrupted before the first commit
            for statement in SCHEMA.split(";"):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._set("run", run)
        elif made_by != APPLICATION_ID:
            raise self._foreign()
        self._database.execute("COMMIT")
        before = self._get("run")
        if changed := sorted(name for name in before | run if before.get(name) != run.get(name)):
            raise FileError(
                f"{self._path} belongs to a run with another {' and '.join(changed)}.",
                hint=f"Delete {self._path} to start again, or repeat the earlier command.",
            )

    def _foreign(self) -> FileError:
        return FileError(
            f"{self._path} exists and is no journal of this program.", hint="Move it away, or give another --out."
        )

    @property
    def done(self) -> int:
        """Number of rows with an outcome."""
        with self._errors():
            return int(self._database.execute("SELECT count(*) FROM outcomes").fetchone()[0])

    def pending(self, rows: int) -> list[range]:
        """Return which of the first `rows` rows have no outcome, counted from 0, as ranges in order."""
        with self._errors():
            done = self._database.execute(DONE_RANGES).fetchall()
            begins = [0, *(last + 1 for _, last in done)]
        ends = [*(first for first, _ in done), rows]
        return [range(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end]

    def add(self, outcomes: Iterable[tuple[int, Outcome]]) -> None:
        """Store the outcomes of some rows in one commit."""
        with self._errors(), self._database:
            self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO outcomes VALUES (?, ?)",
                ((row, json.dumps(asdict(outcome))) for row, outcome in outcomes),
            )

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """Yield the rows, counted from 0, and their outcomes, in order."""
        with self._errors():
            for row, outcome in self._database.execute("SELECT * FROM outcomes ORDER BY row"):
                yield row, _outcome(json.loads(outcome))

    def summary(self) -> tuple[int, list[str]]:
        """Return the number of refused rows and the model versions that answered."""
        refused, versions = 0, set()
        for _, outcome in self.outcomes():
            if isinstance(outcome, Refusal):
                refused += 1
            elif outcome.model_version is not None:
                versions.add(outcome.model_version)
        return refused, sorted(versions)

    @property
    def published(self) -> str | None:
        """SHA-256 of the complete output, set just before its renaming; None until then."""
        digest: str | None = self._get("published")
        return digest

    @published.setter
    def published(self, digest: str) -> None:
        self._set("published", digest)

    def delete(self) -> None:
        """Close and delete it at the end of the run."""
        self.close()
        # SQLite's own journal remains if an earlier process was killed and this one had nothing to write.
        self._path.with_name(self._path.name + "-journal").unlink(missing_ok=True)
        self._path.unlink()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise SQLite's errors, such as a full disk or a read-only folder, as OSError, and damage as FileError."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, RecursionError) as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise OSError(f"{self._path}: {error}") from error
            raise FileError(f"{self._path} is damaged.", hint="Delete it to score the file from its start.") from error

    def _get(self, name: str) -> Any:
        with self._errors():
            found = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return None if found is None else json.loads(found[0])

    def _set(self, name: str, value: Any) -> None:
        with self._errors():
            self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))


def _outcome(fields: dict[str, Any]) -> Outcome:
    if "code" in fields:
        return Refusal(**fields)
    if fields["labels"] is not None:
        fields["labels"] = tuple(fields["labels"])
    if fields["scores"] is not None:
        fields["scores"] = tuple(Score(**one) for one in fields["scores"])
    return Prediction(**fields)
