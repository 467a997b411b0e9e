"""Reads rows with texts from CSV, JSON Lines or plain text, and writes them with their outcomes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO, TypeAlias

from text_classifier.errors import FileError, UsageError
from text_classifier.results import Outcome, Prediction, Refusal

Form: TypeAlias = Literal["csv", "jsonl", "text"]
FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".txt": "text"}
"""The form for each file suffix."""

LIKELY_COLUMNS = ("text", "sentence", "review", "comment", "content", "body", "message")
"""Columns searched for the text, in this order, when a file has several columns and none was named."""
ADDED_COLUMNS = ("label", "confidence", "score", "truncated", "model_version", "error")
LABEL_SEPARATOR = "|"
"""Between the labels of a text in CSV."""
LONGEST_FIELD = 16 * 1024 * 1024
"""Characters of one CSV field. Without a limit, a missing closing quote would read the whole file into memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the input."""

    fields: dict[str, Any]
    text: Any
    """The value to score, which may be no text."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The form of the input and the output."""

    form: Form
    column: str | None = None
    """Column, or key, with the text; None searches for it."""
    delimiter: str = ","
    """Character between the fields of CSV, read and written."""
    prefix: str = ""
    """Prefix of the added columns' names, for an input that has columns of these names."""
    as_json: bool = False
    """Write JSON Lines, whatever was read."""
    every_class: bool = False
    """In CSV, scores have a column for each class, not for each rank."""

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise UsageError(f"The delimiter {self.delimiter!r} cannot be used.", hint="Give one character, like ';'.")


def form_of(path: Path) -> Form:
    """Return the form for a file's suffix; raise UsageError."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(
            f"The suffix of {path.name} is not known.",
            hint=f"Give --format csv, jsonl or text, or use one of the suffixes {', '.join(FORMS)}.",
        )
    return FORMS[path.suffix.lower()]


def read_rows(lines: TextIO, layout: Layout) -> Iterator[Row]:
    """Yield the rows of a file that was opened with `newline=""`; skip blank lines.

    Raises:
        FileError: The content has another form, lacks the column, or has a column with the name of an added one.
    """
    rows = {"csv": _csv_rows, "jsonl": _json_rows, "text": _text_rows}[layout.form](lines, layout)
    column: str | None = None
    added = {layout.prefix + name for name in ADDED_COLUMNS}
    try:
        for fields in rows:
            if taken := sorted(added & fields.keys()):
                raise FileError(
                    f"The input already has columns with the names of added ones: {', '.join(taken)}.",
                    hint="Give --prefix predicted_ to rename the added ones.",
                )
            if column is None:
                column = _column(fields, layout)
            yield Row(fields, fields.get(column))
    except UnicodeDecodeError as error:
        raise FileError(
            f"The input is not UTF-8: {error.reason} (byte {error.object[error.start]:#04x}).",
            hint="Convert it, for example with iconv -f ISO-8859-1 -t UTF-8.",
        ) from error


class Writer:
    """Writes rows with their outcomes: CSV for CSV and plain text, otherwise JSON Lines."""

    def __init__(self, file: TextIO, layout: Layout, columns: list[str] | None = None) -> None:
        """`columns` are the `class_columns` of CSV; None takes those of the first prediction."""
        self._file = file
        self._layout = layout
        self._columns = columns
        self._waiting: list[tuple[Row, Outcome]] = []
        self._csv: csv.DictWriter[str] | None = None

    def write(self, row: Row, outcome: Outcome) -> None:
        """Write one row; in CSV, rows before the first prediction wait for the columns that it brings."""
        if self._layout.as_json or self._layout.form == "jsonl":
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
                self._csv = csv.DictWriter(self._file, names, delimiter=self._layout.delimiter)
                self._csv.writeheader()
            if fields.keys() - set(self._csv.fieldnames):
                raise FileError(
                    "The model has other classes than at the start: another one was released.",
                    hint="Repeat the command; with --out or --json the classes may change.",
                )
            self._csv.writerow({name: _cell(value) for name, value in fields.items()})
        self._waiting.clear()

    def _fields(self, row: Row, added: dict[str, Any]) -> dict[str, Any]:
        return row.fields | {self._layout.prefix + name: value for name, value in added.items()}


def class_columns(outcomes: Iterable[Outcome], layout: Layout) -> list[str]:
    """Return the names, without prefix, of the columns that labels and scores of some outcomes take in CSV."""
    found = dict.fromkeys(name for outcome in outcomes for name in _classes(outcome, layout))
    # With a column for each class, the first outcome's order is by its own probabilities.
    return sorted(found, key=lambda name: (name != "labels", name)) if layout.every_class else list(found)


def _csv_rows(lines: TextIO, layout: Layout) -> Iterator[dict[str, Any]]:
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.DictReader(lines, delimiter=layout.delimiter, restval="", strict=True)
    try:
        names = reader.fieldnames or []
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise FileError(f"The header names {', '.join(twice)} more than once.", hint="Rename one of the columns.")
        for fields in reader:
            if None in fields:
                raise FileError(
                    f"Line {reader.line_num} has more fields than the header.",
                    hint="Put quotes around texts that hold the delimiter, or give --delimiter.",
                )
            yield fields
    except csv.Error as error:
        problem = f"The content after line {reader.line_num} is no CSV: {error}."
        raise FileError(problem, hint="Correct it, or give --format.") from error


def _json_rows(lines: TextIO, layout: Layout) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FileError(f"Line {number} is not JSON.", hint="Each line has to be one JSON object.") from error
        if not isinstance(fields, dict):
            raise FileError(f"Line {number} is no JSON object.", hint='Write each line as {"text": "…"}.')
        yield fields


def _text_rows(lines: TextIO, layout: Layout) -> Iterator[dict[str, Any]]:
    return ({"text": line.rstrip("\r\n")} for line in lines if line.strip())


def _column(fields: dict[str, Any], layout: Layout) -> str:
    """Find the column of the text in the first row."""
    names = list(fields)
    if layout.column is not None:
        if layout.column not in fields:
            problem = f"There is no column {layout.column!r}; the columns are {_listed(names)}."
            raise FileError(problem, hint="Give one of them as --column.")
        return layout.column
    if len(names) == 1:
        return names[0]
    likely = [name for wanted in LIKELY_COLUMNS for name in names if name.strip().lower() == wanted]
    if not likely:
        raise FileError(f"Which column holds the text? The columns are {_listed(names)}.", hint="Give one as --column.")
    return likely[0]


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


def _cell(value: Any) -> Any:
    """Return a value in the form for CSV."""
    return {None: "", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else value
