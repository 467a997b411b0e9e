"""Scores a file into another one, in as many runs as it takes."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

from text_classifier.client import Client, TopK
from text_classifier.errors import FileError
from text_classifier.journal import Journal
from text_classifier.reading import ReadSettings
from text_classifier.tables import Layout, Row, Rows, Writer, class_columns, open_rows


@dataclass(frozen=True)
class Summary:
    """The result of a finished run."""

    rows: int
    refused: int
    """Rows without a prediction; their column `error` says why."""
    model_versions: list[str]
    marked: int = 0
    """Cells with a ' before them, so that no spreadsheet computes them."""


def score_file(
    client: Client,
    source: Path,
    out: Path,
    layout: Layout,
    *,
    in_flight: int,
    top_k: TopK = None,
    tell: Callable[[int, int], None] = lambda done, rows: None,
    say: Callable[[str], None] = lambda line: None,
) -> Summary:
    """Score every row of `source` and write all of them, in order, to `out`.

    Each answer is stored in a journal, `<out>.journal`, before the next request is sent. After an interruption of any
    kind, a call with the same arguments resumes the run. Every row gets exactly one outcome. A row is sent again only
    if its answer was not yet in the journal: at most the rows of `in_flight` requests. `out` is written atomically;
    then the journal is deleted.

    `source` is read several times, so it has to be a file and no pipe; it must not change during the run. `in_flight`
    and `top_k` are as for `Client.score_all`. `tell` is called with the finished rows and all rows, at the start and
    after every request, `say` with lines about how the input was read.

    Raises FileError: the input has another form, holds no rows, or changed; `out` exists; the journal belongs to
    another run or is in use. Raises ApiError: the API answered with an error that is not about the texts, or could not
    be reached. Raises OSError: the disk is full, or a file cannot be read or written.
    """
    if not source.is_file():
        raise FileError(f"{source} is no file.", hint="Score a pipe without --out, into standard output.")
    journal_path = _beside(out, ".journal")
    if not journal_path.exists():
        _refuse_to_overwrite(out)
    digest = _sha256(source)
    rows = open_rows(source, layout)
    count = sum(1 for _ in rows)
    if count == 0:
        raise FileError(f"{source} holds no rows.", hint="Check that it is the right file, and its --format.")
    run = {
        "input": digest,
        "url": client.url,
        "column": layout.column,
        "top_k": top_k,
        **{each.name: getattr(layout, each.name) for each in fields(ReadSettings)},
    }
    with Journal(journal_path, run) as journal:
        for line in rows.read_as:
            say(line)
        marked = 0
        if not (journal.published and out.is_file() and _sha256(out) == journal.published):
            _refuse_to_overwrite(out)
            done = journal.done
            tell(done, count)
            pending = _select(rows, journal.pending(count))
            for answered in client.score_as_they_come(pending, in_flight=in_flight, top_k=top_k):
                journal.add(answered)
                done += len(answered)
                tell(done, count)
            marked = _publish(source, digest, out, journal, layout, rows)
        refused, versions = journal.summary()
        journal.delete()
    return Summary(count, refused, versions, marked)


def _select(rows: Iterable[Row], wanted: list[range]) -> Iterator[tuple[int, Any]]:
    """Yield the number and text of the rows in these ranges."""
    numbered, at = ((number, row.text) for number, row in enumerate(rows)), 0
    for numbers in wanted:
        yield from islice(numbered, numbers.start - at, numbers.stop - at)
        at = numbers.stop


def _publish(source: Path, digest: str, out: Path, journal: Journal, layout: Layout, rows: Rows) -> int:
    """Write the output to a temporary file, and rename it when it is on the disk; return how many cells were marked."""
    partial = _beside(out, ".partial")
    partial.unlink(missing_ok=True)
    # JSON can hold half of a surrogate pair and UTF-8 cannot: it is written as the escape that it was read from.
    with partial.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
        columns = class_columns((outcome for _, outcome in journal.outcomes()), layout)
        writer = Writer(file, layout, rows, columns=columns)
        for row, (_, outcome) in zip(rows, journal.outcomes(), strict=False):
            writer.write(row, outcome)
        writer.flush()
        file.flush()
        os.fsync(file.fileno())
    if _sha256(source) != digest:
        raise FileError(
            f"{source} changed while it was scored.",
            hint=f"Restore it, or delete the journal {_beside(out, '.journal')} to start again.",
        )
    journal.published = _sha256(partial)
    _refuse_to_overwrite(out)
    partial.replace(out)
    if os.name == "posix":  # where only this puts the new name on the disk
        folder = os.open(out.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return writer.marked


def _refuse_to_overwrite(out: Path) -> None:
    if os.path.lexists(out):
        raise FileError(f"{out} exists.", hint="Delete it, or give another --out.")


def _beside(out: Path, ending: str) -> Path:
    return out.with_name(out.name + ending)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
