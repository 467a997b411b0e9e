"""Reads rows with texts from a file, as training reads it, and writes them with their outcomes."""

import csv
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from text_classifier.errors import FileError, UsageError
from text_classifier.reading import (
    ReadSettings,
    TableError,
    TableRow,
    TableStream,
    open_pipe,
    open_table,
    safe_cell,
    text_column,
)
from text_classifier.results import Outcome, Prediction, Refusal

PIPED = "Standard input"

ADDED_COLUMNS = ("label", "confidence", "score", "truncated", "model_version", "error")
LABEL_SEPARATOR = "|"
"""Between the labels of a text in CSV."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the input."""

    fields: dict[str, Any]
    text: Any
    """The value to score, which may be no text; for a malformed row, the refusal."""


@dataclass(frozen=True, kw_only=True)
class Layout(ReadSettings):
    """How the input is read, and the form of the output; a `delimiter` is read and written."""

    column: str | None = None
    """Column, or key, with the text; None searches for it."""
    prefix: str = ""
    """Prefix of the added columns' names, for an input that has columns of these names."""
    as_json: bool = False
    """Write JSON Lines, whatever was read."""
    every_class: bool = False
    """In CSV, scores have a column for each class, not for each rank."""
    safe: bool = True
    """In CSV, a cell that a spreadsheet would compute gets ' before it."""

    def __post_init__(self) -> None:
        try:
            super().__post_init__()
        except TableError as error:
            raise UsageError(error.message, hint=error.hint) from error


def form_of(path: Path) -> str:
    """Return `text` for a .txt file: one text a line. What other files are is found in their content."""
    return "text" if path.suffix.lower() == ".txt" else "auto"


class Rows:
    """The rows of a file, read anew by each iteration; blank ones are skipped.

    Raises FileError: the file cannot be read, lacks the column, or has a column with the name of an
    added one; the latter also while its rows are read.
    """

    def __init__(self, stream: TableStream, layout: Layout) -> None:
        self._stream = stream
        self._layout = layout
        self.as_json = layout.as_json or stream.how.format in ("jsonl", "json")
        """Whether the output is JSON Lines."""
        self.delimiter = stream.how.delimiter or ","
        """Character between the fields of an output in CSV."""
        self._column = _column(stream.columns, layout) if stream.columns else None

    @property
    def read_as(self) -> list[str]:
        """How the file was read, and what a person should know about it."""
        return [f"Read as {self._stream.how.sentence()}.", *self._stream.notes]

    def __iter__(self) -> Iterator[Row]:
        with _file_errors():
            for row in self._stream.rows:
                if row.values is not None:
                    yield self._row(row.values)
                elif row.problem:
                    yield self._malformed(row)

    def _row(self, values: Any) -> Row:
        if taken := sorted({self._layout.prefix + name for name in ADDED_COLUMNS} & values.keys()):
            raise FileError(
                f"The input already has columns with the names of added ones: {', '.join(taken)}.",
                hint="Give --prefix predicted_ to rename the added ones.",
            )
        if self._column is None:  # of a stream
            self._column = _column(tuple(values), self._layout)
        return Row(dict(values), values.get(self._column))

    def _malformed(self, row: TableRow) -> Row:
        fields = {} if self.as_json else dict.fromkeys(self._stream.columns, "")
        return Row(fields | dict(row.partial), Refusal("malformed", f"Line {row.line}: {row.problem}."))


def open_rows(path: Path, layout: Layout) -> Rows:
    """Find out how a file is to be read; raise FileError."""
    wanted = (layout.column,) if layout.column else ()
    with _file_errors():
        return Rows(open_table(path, layout, wanted=wanted), layout)


@contextmanager
def open_standard_input(stream: BinaryIO, layout: Layout) -> Iterator[Rows]:
    """Read JSON Lines, or one text a line, as it comes; anything else is stored first, because it is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        if layout.format in ("text", "jsonl"):
            yield Rows(open_pipe(stream, PIPED, layout), layout)
            return
        path = Path(folder) / PIPED
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        yield open_rows(path, layout)


@contextmanager
def _file_errors() -> Iterator[None]:
    try:
        yield
    except TableError as error:
        raise FileError(error.message, hint=error.hint) from error


class Writer:
    """Writes rows with their outcomes: JSON Lines for JSON, otherwise CSV.

    `rows`: where they come from; None for rows that were read from no file. `columns`: the `class_columns` of CSV; None
    takes those of the first prediction.
    """

    def __init__(
        self, file: TextIO, layout: Layout, rows: Rows | None = None, *, columns: list[str] | None = None
    ) -> None:
        self._file = file
        self._as_json = rows.as_json if rows else layout.as_json
        self._delimiter = rows.delimiter if rows else ","
        self._layout = layout
        self._columns = columns
        self._waiting: list[tuple[Row, Outcome]] = []
        self._csv: csv.DictWriter[str] | None = None
        self.marked = 0
        """Cells that were written with ' before them."""

    def write(self, row: Row, outcome: Outcome) -> None:
        """Write one row; in CSV, rows before the first prediction wait for the columns that it brings."""
        if self._as_json:
            self._file.write(json.dumps(self._fields(row, _added(outcome)), ensure_ascii=False) + "\n")
            return
        self._waiting.append((row, outcome))
        if self._columns is None and isinstance(outcome, Prediction):
            self._columns = class_columns([outcome], self._layout)
        if self._columns is not None:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        for row, outcome in self._waiting:
            fields = self._fields(row, _columns(outcome) | _classes(outcome, self._layout))
            if self._csv is None:
                more = [self._layout.prefix + name for name in self._columns or ()]
                names = [*self._fields(row, _columns(outcome)), *more]
                _check_names(names)
                self._csv = csv.DictWriter(self._file, names, delimiter=self._delimiter)
                self._csv.writerow({name: self._cell(name) for name in names})
            if fields.keys() - set(self._csv.fieldnames):
                raise FileError(
                    "The model has other classes than at the start: another one was released.",
                    hint="Repeat the command; with --out or --json the classes may change.",
                )
            self._csv.writerow({name: self._cell(value) for name, value in fields.items()})
        self._waiting.clear()

    def _cell(self, value: Any) -> Any:
        if isinstance(value, bool):
            return str(value).lower()
        cell = safe_cell(value) if self._layout.safe else value
        self.marked += cell is not value
        return cell

    def _fields(self, row: Row, added: dict[str, Any]) -> dict[str, Any]:
        return row.fields | {self._layout.prefix + name: value for name, value in added.items()}


def class_columns(outcomes: Iterable[Outcome], layout: Layout) -> list[str]:
    """Return the names, without prefix, of the columns that labels and scores of some outcomes take in CSV."""
    found = dict.fromkeys(name for outcome in outcomes for name in _classes(outcome, layout))
    # With a column for each class, the first outcome's order is by its own probabilities.
    return sorted(found, key=lambda name: (name != "labels", name)) if layout.every_class else list(found)


def _column(names: tuple[str, ...], layout: Layout) -> str:
    """Find the column of the text."""
    with _file_errors():
        return text_column(names, layout.column or "", hint="Give one of them as --column.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _added(outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(ADDED_COLUMNS)
    return values | ({"error": str(outcome)} if isinstance(outcome, Refusal) else outcome.as_dict())


def _columns(outcome: Outcome) -> dict[str, Any]:
    """Return the cells that every CSV has."""
    return {name: value for name, value in _added(outcome).items() if name in ADDED_COLUMNS}


def _classes(outcome: Outcome, layout: Layout) -> dict[str, Any]:
    """Return the cells of labels and scores: a column for each class, or a pair of columns for each rank."""
    if isinstance(outcome, Refusal):
        return {}
    cells: dict[str, Any] = {} if outcome.labels is None else {"labels": LABEL_SEPARATOR.join(outcome.labels)}
    for rank, one in enumerate(outcome.scores or (), start=1):
        if layout.every_class:
            cells[f"confidence_{one.label}"] = one.confidence
        else:
            cells |= {f"label_{rank}": one.label, f"confidence_{rank}": one.confidence}
    return cells


def _check_names(names: list[str]) -> None:
    if taken := sorted({name for name in names if names.count(name) > 1}):
        raise FileError(
            f"The input already has columns with the names of added ones: {_listed(taken)}.",
            hint="Give --prefix predicted_ to rename the added ones, or --json.",
        )
