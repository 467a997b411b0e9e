"""Reads JSON Lines and CSV row by row, keeping line numbers and the raw text of every row.

Bad rows are reported, not raised: whoever reads decides how many are too many. Only a file that is no text at all, or
cannot be opened, is refused here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from classifier.errors import BinaryData, UnreadableData

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
CSV_SUFFIXES = (".csv", ".tsv")
SUFFIXES = JSON_SUFFIXES + CSV_SUFFIXES

_SNIFFED_BYTES = 8192
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PACKED_MARKS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PAR1": "Parquet", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_UTF8_MARK = b"\xef\xbb\xbf"
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file.

    ``line`` counts from 1 and is the first line of the row (a quoted CSV field may span several). ``values`` is None if
    the row is blank or malformed; then ``problem`` says why, and is empty for a blank row.
    """

    line: int
    raw: str
    values: Mapping[str, object] | None = None
    problem: str = ""

    @property
    def blank(self) -> bool:
        """True if there is nothing on the line."""
        return self.values is None and not self.problem


def read_rows(path: Path, required: tuple[str, ...] = ()) -> Iterator[Row]:
    """Yields the rows of ``path``: JSON Lines or CSV, told apart by the file's name.

    Args:
        path: a file whose name ends in one of ``SUFFIXES``.
        required: columns the caller needs; among the usual CSV delimiters the one that yields them is taken.

    Raises:
        UnreadableData: no such file, no permission, or another kind of file by its name.
        BinaryData: not text in UTF-8.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UnreadableData(
            f"{path.name} has no known ending; data files end in {', '.join(SUFFIXES)}.",
            path=path,
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
        raise UnreadableData(
            f"{path} cannot be read: {error.strerror or error}.", path=path, hint="Give the path of a readable file."
        ) from error


def _refuse_binary(file: BinaryIO, path: Path) -> None:
    head = file.read(_SNIFFED_BYTES)
    file.seek(0)
    if head.startswith(_UTF16_MARKS):
        raise BinaryData(f"{path.name} is text in UTF-16; UTF-8 is allowed.", path=path, hint="Save it as UTF-8.")
    for mark, kind in _PACKED_MARKS.items():
        if head.startswith(mark):
            raise BinaryData(
                f"{path.name} is a {kind} file; plain JSON Lines or CSV in UTF-8 is allowed.",
                path=path,
                hint="Unpack or convert it first.",
            )
    if b"\0" in head:
        raise BinaryData(
            f"{path.name} is a binary file; plain JSON Lines or CSV in UTF-8 is allowed.",
            path=path,
            hint="Check that this is the data file; if it is text in another encoding, save it as UTF-8.",
        )


def _decoded_lines(file: BinaryIO) -> Iterator[tuple[str, bool]]:
    """Each line with its line end, and whether it was valid UTF-8 (if not, the bad bytes are replaced)."""
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
        if not raw.strip():
            yield Row(number, raw)
            continue
        if not valid:
            yield Row(number, raw, problem="not valid UTF-8")
            continue
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield Row(number, raw, problem=f"not JSON: {error}")
            continue
        if isinstance(values, dict):
            yield Row(number, raw, values)
        else:
            yield Row(number, raw, problem=f"a JSON {type(values).__name__}, not an object")


def _csv_rows(file: BinaryIO, path: Path, required: tuple[str, ...]) -> Iterator[Row]:
    pending: list[str] = []  # the physical lines of the row that is being read
    invalid = False
    last = 0

    def physical_lines() -> Iterator[str]:
        nonlocal invalid, last
        for line, valid in _decoded_lines(file):
            last += 1
            invalid = invalid or not valid
            pending.append(line)
            yield line

    lines = physical_lines()
    header_line = next(lines, None)
    if header_line is None:
        return
    if invalid:
        raise BinaryData(f"the header of {path.name} is not text in UTF-8.", path=path, hint="Save the file as UTF-8.")
    header, delimiter = _header(header_line, required)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        pending.clear()
        invalid = False
        first = last + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(first, _joined(pending), problem=f"not CSV: {error}")
            continue
        raw = _joined(pending)
        if not any(field.strip() for field in fields):
            yield Row(first, raw)
        elif invalid:
            yield Row(first, raw, problem="not valid UTF-8")
        elif len(fields) != len(header):
            yield Row(first, raw, problem=f"{len(fields)} fields, the header has {len(header)}")
        else:
            yield Row(first, raw, dict(zip(header, fields, strict=True)))


def _joined(lines: list[str]) -> str:
    return "".join(lines).rstrip("\r\n")


def _header(line: str, required: tuple[str, ...]) -> tuple[list[str], str]:
    """The column names and the delimiter: the first one that yields the required columns, else the most frequent."""
    best = max(_DELIMITERS, key=line.count)
    for delimiter in (best, *_DELIMITERS):
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
        if set(required) <= set(names):
            return names, delimiter
    return [name.strip() for name in next(csv.reader([line], delimiter=best), [])], best
