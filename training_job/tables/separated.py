"""Read tables of separated fields, and plain text: CSV, TSV and their relatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, takewhile

from .dialect import find_dialect, usual_size
from .encoding import Text, is_undecoded
from .errors import TableError
from .header import has_header
from .names import clean_name, column_names, numbered_name
from .records import Dialect, Record, records
from .table import AUTO, HowRead, ReadSettings, TableRow, TableStream

SAMPLE = 16 * 1024 * 1024
"""Characters from which the dialect is found; a file of up to this size is looked at whole."""
_HEADER_ROWS = 1000


def open_text(text: Text, settings: ReadSettings) -> TableStream:
    """Read one text a line; the column is called text."""
    how = HowRead("text", header=False, **text.how())
    rows = (
        TableRow(number, *_values(line.rstrip("\r\n"), text), raw=line.rstrip("\r\n"))
        for number, line in enumerate(text.lines(), start=1)
    )
    return TableStream(("text",), rows, how)


def _values(line: str, text: Text) -> tuple[dict[str, object] | None, str]:
    if not line.strip():
        return None, ""
    return (None, text.undecoded) if is_undecoded(line) else ({"text": line}, "")


def open_separated(text: Text, settings: ReadSettings, wanted: Sequence[str]) -> TableStream:
    """Find out how the fields stand in the file, and read its rows.

    Raises:
        TableError: the file is empty, a name occurs twice in its header, or it has two headers that differ in order.
    """
    sample = list(_sample(text.lines()))
    skipped, settings = _leading(sample, settings)
    del sample[:skipped]
    if not sample:
        raise TableError(f"{text.name} has no rows.", hint="Check that it is the right file.")
    dialect, notes = find_dialect(sample, settings, wanted)
    commented = _comments(sample, dialect)
    del sample[:commented]
    skipped += commented

    rows = [row for row in records(sample, dialect) if row.problem or any(map(str.strip, row.fields))]
    size = usual_size(rows)
    fields = [row.fields for row in rows if not row.problem]
    header = settings.header == "yes"
    if settings.header == AUTO:
        header = bool(fields) and has_header([row for row in fields if len(row) == size][:_HEADER_ROWS], wanted)
    if header:
        if rows[0].problem or is_undecoded(rows[0].raw):
            raise TableError(f"The header of {text.name} cannot be read.", hint=f"It is {rows[0].problem or text.undecoded}.")
        layout = _Layout(rows[0].fields, fields[1:], size, text.name)
    else:
        layout = _Layout([], fields, size, text.name)
        if settings.header == AUTO:
            notes.append(f"The first line is data, not a header; the columns are called {', '.join(layout.columns)}.")
    how = HowRead(
        "csv",
        **text.how(),
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        escape="backslash" if dialect.backslash else "",
        header=header,
    )
    lines = islice(text.lines(), skipped, None)
    return TableStream(layout.columns, _rows(records(lines, dialect, skipped + 1), layout, text, header), how, notes)


class _Layout:
    """Which field of a row belongs to which column."""

    def __init__(self, header: list[str], below: list[list[str]], size: int, file: str) -> None:
        width = len(header) or size
        usual = [row for row in below if len(row) == size]
        if header and size == width + 1 and usual and all(not row[-1].strip() for row in usual):
            header = [*header, ""]  # every row ends in a delimiter, the header does not
        elif header and size == width + 1 and usual and _are_numbers([row[0] for row in usual]):
            header = ["row", *header]  # R writes row names and no name above them
        names = column_names(header, file) if header else [numbered_name(position) for position in range(width)]
        self.header = [clean_name(name) for name in header]
        self.width = len(names)
        # Spreadsheets save empty columns beside the table.
        self._empty = {
            position
            for position, name in enumerate(self.header)
            if not name and not any(row[position].strip() for row in below if len(row) == self.width)
        }
        self.columns = tuple(name for position, name in enumerate(names) if position not in self._empty)

    def values(self, fields: list[str]) -> tuple[dict[str, object] | None, str]:
        """Return the row's values by name, or None and what is wrong."""
        if len(fields) != self.width:
            return None, f"{len(fields)} fields, the header has {self.width}" if self.header else _odd(fields, self.width)
        if self._empty:
            if any(fields[position].strip() for position in self._empty):
                return None, "a field stands below a column without a name"
            fields = [field for position, field in enumerate(fields) if position not in self._empty]
        return dict(zip(self.columns, fields, strict=True)), ""

    def is_header(self, fields: list[str]) -> bool:
        """Tell whether a row is the header again, as in files that were joined."""
        if not self.header or len(fields) != self.width or clean_name(fields[0]) not in self.header:
            return False
        return sorted(map(clean_name, fields)) == sorted(self.header)


def _odd(fields: list[str], width: int) -> str:
    return f"{len(fields)} fields, most rows have {width}"


def _are_numbers(fields: list[str]) -> bool:
    return fields[:100] == [str(number) for number in range(1, min(len(fields), 100) + 1)]


def _rows(found: Iterator[Record], layout: _Layout, text: Text, header: bool) -> Iterator[TableRow]:
    for row in found:
        if header and not row.problem and any(map(str.strip, row.fields)):
            header = False
            continue
        yield TableRow(row.line, *_row(row, layout, text), raw=row.raw)


def _row(row: Record, layout: _Layout, text: Text) -> tuple[dict[str, object] | None, str]:
    if row.problem:
        return None, row.problem
    if not any(map(str.strip, row.fields)):
        return None, ""
    if is_undecoded(row.raw):
        return None, text.undecoded
    if layout.is_header(row.fields):
        if list(map(clean_name, row.fields)) != layout.header:
            raise TableError(
                f"Line {row.line} of {text.name} is a second header with its columns in another order.",
                hint="Two files were joined: read them one by one, or bring their columns into one order.",
            )
        return None, "the header again"
    return layout.values(row.fields)


def _sample(lines: Iterator[str]) -> Iterator[str]:
    size = 0
    for line in lines:
        yield line
        size += len(line)
        if size > SAMPLE:
            return


def _leading(sample: list[str], settings: ReadSettings) -> tuple[int, ReadSettings]:
    """Return how many lines stand before the table, and the settings with what they say (`sep=;`)."""
    blank = sum(1 for _ in takewhile(lambda line: not line.strip(), sample))
    first = sample[blank].rstrip("\r\n") if blank < len(sample) else ""
    if first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        delimiter = first[-1] if settings.delimiter == AUTO else settings.delimiter
        return blank + 1, replace(settings, delimiter=delimiter)
    return blank, settings


def _comments(sample: list[str], dialect: Dialect) -> int:
    """Return the number of leading comment lines: they begin with # and have not as many fields as the others."""
    leading = list(takewhile(lambda line: line.startswith("#") or not line.strip(), sample))
    rest = sample[len(leading) :]
    if not leading or not dialect.delimiter or not rest:
        return 0
    size = usual_size(records(rest[:_HEADER_ROWS], dialect))
    count = 0
    for number, row in enumerate(records(chain(leading), dialect), start=1):
        if row.fields and row.fields[0].startswith("#") and len(row.fields) != size:
            count = number
    return count
