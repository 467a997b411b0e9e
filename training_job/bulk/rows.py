"""The files to score and their rows: the same ones, in the same order, each time they are read."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import RequestError
from serving.request import check_text
from tables import TableError, TableRow, open_table, text_column

ADDED = ("label", "confidence", "score", "truncated", "labels", "model_version")
"""Columns that an answer adds. `labels` is there for a model that gives several labels a text."""


@dataclass(frozen=True)
class Row:
    """A row that is not blank. `problem`: why it cannot be scored, without its text; empty where it can."""

    line: int
    values: Mapping[str, object]
    text: str = ""
    problem: str = ""


class InputFile:
    """One file to score. Raises TableError, also while its rows are read."""

    def __init__(self, path: Path, folder: Path, request: Mapping[str, Any]) -> None:
        """Find out how a file below `folder` is read."""
        self.path, self.name, wanted = path, path.relative_to(folder).as_posix(), request["column"]
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self.counts: dict[str, Any] = {"file": self.name, "sha256": sha256, "read": 0, "errors": 0}
        """What a plan says of the file, once its rows were read."""
        self.stream = open_table(path, wanted=[wanted] if wanted else [])
        self._column = text_column(self.stream.columns, wanted, hint='Give one of them as "column".')
        self._added = {f"{request['prefix']}{name}" for name in ADDED}

    def __iter__(self) -> Iterator[Row]:
        for read in self.stream.rows:
            if read.values is not None or read.problem:
                row = self._row(read)
                self.counts["read"] += 1
                self.counts["errors"] += bool(row.problem)
                yield row

    def _row(self, row: TableRow) -> Row:
        if row.values is None:
            return Row(row.line, {}, problem=f"malformed row: {row.problem}")
        if taken := sorted(self._added & row.values.keys()):
            raise TableError(
                f"{self.name} already has columns with the names of added ones: {', '.join(taken)}.",
                hint='Give a prefix for the added ones, such as "prefix": "predicted_".',
            )
        text = row.values.get(self._column)
        if not isinstance(text, str):
            return Row(row.line, row.values, problem=f"the text is {'missing' if text is None else 'no string'}")
        try:
            return Row(row.line, row.values, check_text(text, "the text"))
        except RequestError as error:
            return Row(row.line, row.values, problem=error.message)


def input_files(base: Path, request: Mapping[str, Any]) -> Iterator[InputFile]:
    """Yield the files to score by their names; empty and hidden ones, such as Spark's `_SUCCESS`, are none."""
    folder = base / "input" / "data"
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
        if path.is_file() and path.stat().st_size and not hidden:
            yield InputFile(path, folder, request)


def read_state(base: Path, name: str) -> Any:
    """Return the content of a JSON file of the run's state; None where it is not there."""
    path = base / "input" / "state" / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def answer_file(base: Path, shard: int) -> Path:
    """Return the place of a shard's answers; batch transform names them after their input."""
    return base / "input" / "state" / "answers" / f"{shard:06}.jsonl.out"
