"""Read JSON Lines and CSV row by row, with line numbers and the raw text of every row.

Bad rows are reported instead of raised: the caller decides how many are too many. This module refuses only files that
cannot be opened or are not text.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from classifier.errors import DataError

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
SUFFIXES = (*JSON_SUFFIXES, ".csv", ".tsv")

_SNIFFED_BYTES = 8192
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PACKED_MARKS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PAR1": "Parquet", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_UTF8_MARK = b"\xef\xbb\xbf"
_DELIMITERS = (",", "\t", ";", "|")
_INVALID = "not valid UTF-8"


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file.

    `line` is the row's first line, from 1 (a quoted CSV field may span several). `values` is None if the row is blank
    or malformed. `problem` says what is wrong with a malformed row.
    """

    line: int
    raw: str
    values: Mapping[str, object] | None = None
    problem: str = ""


def read_rows(path: Path, required: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yield the rows of `path`: JSON Lines or CSV, depending on its suffix.

    Args:
        path: its name ends in one of `SUFFIXES`.
        required: columns that the caller needs. The usual CSV delimiter that yields them is chosen.

    Raises:
        DataError: the file cannot be read, has another suffix, or is not text in UTF-8.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{path.name} has no known ending; data files end in {', '.join(SUFFIXES)}.",
            hint="Rename the file by its content: .jsonl for one JSON object a line, .csv for a table with a header.",
        )
    try:
        with path.open("rb") as file:
            _refuse_binary(file, path)
            if path.suffix.lower() in JSON_SUFFIXES:
                yield from _json_rows(file)
            else:
                yield from _csv_rows(file, path, required)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}.", hint="Give the path of a readable file."
        ) from error


def _refuse_binary(file: BinaryIO, path: Path) -> None:
    head = file.read(_SNIFFED_BYTES)
    file.seek(0)
    if head.startswith(_UTF16_MARKS):
        raise DataError(f"{path.name} is text in UTF-16; UTF-8 is allowed.", hint="Save it as UTF-8.")
    kind = next((kind for mark, kind in _PACKED_MARKS.items() if head.startswith(mark)), None)
    if kind or b"\0" in head:
        raise DataError(
            f"{path.name} is a {kind or 'binary'} file; plain JSON Lines or CSV in UTF-8 is allowed.",
            hint="Unpack or convert it first."
            if kind
            else "Check that this is the data file; if it is text in another encoding, save it as UTF-8.",
        )


def _decoded_lines(file: BinaryIO) -> Iterator[tuple[str, bool]]:
    """Yield each line with its line end, and whether it was valid UTF-8 (if not, the bad bytes are replaced)."""
    for number, line in enumerate(file):
        if number == 0:
            line = line.removeprefix(_UTF8_MARK)
        try:
            yield line.decode("utf-8"), True
        except UnicodeDecodeError:
            yield line.decode("utf-8", errors="replace"), False


def _json_rows(file: BinaryIO) -> Iterator[Row]:
    for number, (line, valid) in enumerate(_decoded_lines(file), start=1):
        raw = line.rstrip("\r\n")
        values, problem = None, ""
        if raw.strip():
            values, problem = _json_object(raw) if valid else (None, _INVALID)
        yield Row(number, raw, values, problem)


def _json_object(raw: str) -> tuple[dict[str, object] | None, str]:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return None, f"not JSON: {error}"
    if isinstance(values, dict):
        return values, ""
    return None, f"a JSON {type(values).__name__}, not an object"


def _csv_rows(file: BinaryIO, path: Path, required: tuple[str, ...]) -> Iterator[Row]:
    pending: list[tuple[str, bool]] = []  # the physical lines of the current row, and whether they are valid

    def physical_lines() -> Iterator[str]:
        for line, valid in _decoded_lines(file):
            pending.append((line, valid))
            yield line

    lines = physical_lines()
    header_line = next(lines, None)
    if header_line is None:
        return
    if not pending[0][1]:
        raise DataError(f"The header of {path.name} is not text in UTF-8.", hint="Save the file as UTF-8.")
    header, delimiter = _header(header_line, required)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    last = 1
    while True:
        pending.clear()
        fields: list[str] | str
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fields = f"not CSV: {error}"
        raw = "".join(line for line, _ in pending).rstrip("\r\n")
        yield Row(last + 1, raw, *_csv_values(header, fields, valid=all(valid for _, valid in pending)))
        last += len(pending)


def _csv_values(header: list[str], fields: list[str] | str, *, valid: bool) -> tuple[dict[str, object] | None, str]:
    """Return the values of a row, or None and its problem; `fields` may be a problem already."""
    if isinstance(fields, str):
        return None, fields
    if not any(field.strip() for field in fields):
        return None, ""
    if not valid:
        return None, _INVALID
    if len(fields) != len(header):
        return None, f"{len(fields)} fields, the header has {len(header)}"
    return dict(zip(header, fields, strict=True)), ""


def _header(line: str, required: tuple[str, ...]) -> tuple[list[str], str]:
    """Find column names and delimiter: the first one that yields the required columns, else the most frequent."""
    best = max(_DELIMITERS, key=line.count)
    for delimiter in (best, *_DELIMITERS):
        if set(required) <= set(_names(line, delimiter)):
            return _names(line, delimiter), delimiter
    return _names(line, best), best


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
