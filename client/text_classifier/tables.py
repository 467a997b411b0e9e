"""Rows with a text in them: read from CSV, JSON Lines or plain text, written with what the API said of each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO, TypeAlias

from text_classifier.errors import FileError, UsageError
from text_classifier.results import Outcome, Refusal

Form: TypeAlias = Literal["csv", "jsonl", "text"]
FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".txt": "text"}
"""File endings and what they stand for."""

LIKELY_COLUMNS = ("text", "sentence", "review", "comment", "content", "body", "message")
"""Where the text is looked for, in this order, when a file has several columns and none was named."""
ADDED_COLUMNS = ("label", "confidence", "score", "truncated", "model_version", "error")
LONGEST_FIELD = 16 * 1024 * 1024
"""Characters of one CSV field; a quote that is never closed would otherwise swallow the file into memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the input, as it was read."""

    fields: dict[str, Any]
    text: Any
    """What is to be scored; whatever stands there, which may be no text at all."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How rows are read and written."""

    form: Form
    column: str | None = None
    """Column, or key, with the text; None looks for it."""
    delimiter: str = ","
    """Between the fields of CSV, read and written; one character."""
    prefix: str = ""
    """Put before the names of the columns that are added, where the input has such names already."""
    as_json: bool = False
    """Write JSON Lines, whatever was read."""

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise UsageError(f"The delimiter {self.delimiter!r} cannot be used.", hint="Give one character, like ';'.")


def form_of(path: Path) -> Form:
    """The form that a file's ending stands for. Raises UsageError."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(
            f"{path.name} does not say what is in it.",
            hint=f"Give --format csv, jsonl or text, or use one of the endings {', '.join(FORMS)}.",
        )
    return FORMS[path.suffix.lower()]


def read_rows(lines: TextIO, layout: Layout) -> Iterator[Row]:
    """The rows, one after the other; blank lines are none.

    Args:
        lines: opened with `newline=""`.
        layout: its form, column and delimiter.

    Raises:
        FileError: the content is not of that form, has no such column, or a column of a name that will be added.
    """
    rows = {"csv": _csv_rows, "jsonl": _json_rows, "text": _text_rows}[layout.form](lines, layout)
    column: str | None = None
    added = {layout.prefix + name for name in ADDED_COLUMNS}
    try:
        for fields in rows:
            if taken := sorted(added & fields.keys()):
                raise FileError(
                    f"The input has columns of the names that are added: {', '.join(taken)}.",
                    hint="Give --prefix predicted_ to name the added ones otherwise.",
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
    """Writes rows with their outcomes: CSV for CSV and plain text, else JSON Lines."""

    def __init__(self, file: TextIO, layout: Layout) -> None:
        self._file = file
        self._layout = layout
        self._csv: csv.DictWriter[str] | None = None

    def write(self, row: Row, outcome: Outcome) -> None:
        """One row."""
        fields = row.fields | {self._layout.prefix + name: value for name, value in _added(outcome).items()}
        if self._layout.as_json or self._layout.form == "jsonl":
            self._file.write(json.dumps(fields, ensure_ascii=False) + "\n")
            return
        if self._csv is None:
            self._csv = csv.DictWriter(self._file, list(fields), delimiter=self._layout.delimiter)
            self._csv.writeheader()
        self._csv.writerow({name: _cell(value) for name, value in fields.items()})


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
        raise FileError(
            f"After line {reader.line_num} it is no CSV: {error}.", hint="Mend it, or give --format."
        ) from error


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
    """Where the text stands, from the first row."""
    names = list(fields)
    if layout.column is not None:
        if layout.column not in fields:
            raise FileError(
                f"There is no column {layout.column!r}; there are {_listed(names)}.",
                hint="Give one of them as --column.",
            )
        return layout.column
    if len(names) == 1:
        return names[0]
    likely = [name for wanted in LIKELY_COLUMNS for name in names if name.strip().lower() == wanted]
    if not likely:
        raise FileError(f"Which column holds the text? There are {_listed(names)}.", hint="Give one as --column.")
    return likely[0]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names)) or "none"


def _added(outcome: Outcome) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(ADDED_COLUMNS)
    return values | ({"error": str(outcome)} if isinstance(outcome, Refusal) else outcome.as_dict())


def _cell(value: Any) -> Any:
    """A value as CSV holds it."""
    return {None: "", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else value
