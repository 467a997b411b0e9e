"""Read tables of separated fields, and plain text: CSV, TSV and their relatives."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, takewhile

from .dialect import FIRST_LINES, find_dialect, usual_size
from .encoding import Text, is_undecoded
from .header import has_header, has_usual_name, names_labels, titles
from .names import clean_name, column_names, numbered_name
from .records import Dialect, Record, records
from .table import AUTO, Again, ReadSettings, TableError, TableRow, TableStream


def open_text(text: Text) -> TableStream:
    """Read one text a line; the column is called text."""
    rows = Again(
        lambda: (_line(number, line.rstrip("\r\n"), text) for number, line in enumerate(text.lines(), start=1))
    )
    return TableStream(("text",), rows, replace(text.how("text"), header=False))


def _line(number: int, line: str, text: Text) -> TableRow:
    if is_undecoded(line):
        return TableRow(number, None, text.undecoded, line)
    return TableRow(number, {"text": line} if line.strip() else None, raw=line)


def open_fasttext(text: Text) -> TableStream | None:
    """Read what fastText learns from: labels before each text, as in `__label__good A fine lamp.`; None if it is not.

    A comma or a tab may stand after the labels.
    """
    first = [line for line in islice(text.lines(), FIRST_LINES) if line.strip()]
    if not all(line.startswith("__label__") for line in first) or not first:
        return None

    def row(number: int, line: str) -> TableRow:
        found = re.match(r"((?:__label__[^\s,]+[\s,]*)*)(.*)", line)
        labels = re.findall(r"__label__([^\s,]+)", found.group(1)) if found else []
        read = _line(number, line, text)
        return replace(read, values={"label": labels, "text": found.group(2)}) if found and read.values else read

    rows = Again(lambda: (row(number, line.rstrip("\r\n")) for number, line in enumerate(text.lines(), start=1)))
    return TableStream(("label", "text"), rows, replace(text.how("fastText"), header=False))


def open_separated(text: Text, settings: ReadSettings, wanted: Sequence[str]) -> TableStream:
    """Find out how the fields stand in the file, and read its rows.

    Raises TableError: the file has no rows, or a name occurs twice in its header; while the rows are read: it has two
    headers that differ in order.
    """
    skipped, settings = _leading(text, settings)
    dialect, notes = find_dialect(lambda: _from(text, skipped), settings, wanted)
    sample = list(islice(_from(text, skipped), FIRST_LINES))
    before = _preamble(sample, dialect, wanted) or (_titles(sample, dialect, wanted) if settings.header != "no" else 0)
    if before:
        notes.append(f"Lines before the header were skipped: {before}.")
    skipped += before
    first = [
        row for row in _records(text, dialect, skipped, FIRST_LINES) if row.problem or any(map(str.strip, row.fields))
    ]
    if not first:
        raise TableError(f"{text.name} has no rows.", hint="Check that it is the right file.")

    size = usual_size(first)
    fields = [row.fields for row in first if not row.problem]
    header = settings.header == "yes"
    if settings.header == AUTO:
        header = bool(fields) and has_header(fields, wanted)
    if header and (problem := first[0].problem or (is_undecoded(first[0].raw) and text.undecoded)):
        raise TableError(f"The header of {text.name} cannot be read: {problem}.", hint="Correct the first line.")
    layout = _Layout(first[0].fields if header else [], fields[header:], size, dialect.delimiter, text.name)
    layout.drop_empty(row.fields for row in _records(text, dialect, skipped))
    if not header and settings.header == AUTO:
        notes.append(f"The first line is data, not a header; the columns are called {', '.join(layout.columns)}.")
    how = replace(
        text.how("csv"),
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        escape="backslash" if dialect.backslash else "",
        header=header,
    )
    rows = Again(lambda: _rows(_records(text, dialect, skipped), layout, text, header))
    return TableStream(layout.columns, rows, how, notes)


def _from(text: Text, skipped: int) -> Iterator[str]:
    return islice(text.lines(), skipped, None)


def _records(text: Text, dialect: Dialect, skipped: int, most: int | None = None) -> Iterator[Record]:
    return islice(records(_from(text, skipped), dialect, skipped + 1), most)


class _Layout:
    """Which field of a row belongs to which column."""

    def __init__(self, header: list[str], below: list[list[str]], size: int, delimiter: str, file: str) -> None:
        width = len(header) or size
        usual = [row for row in below if len(row) == size]
        if header and size == width + 1 and usual and all(not row[-1].strip() for row in usual):
            header = [*header, ""]  # every row ends in a delimiter, the header does not
        elif header and size == width + 1 and usual and _are_numbers([row[0] for row in usual]):
            header = ["row", *header]  # R writes row names and no name above them
        names = column_names(header, file) if header else [numbered_name(position) for position in range(width)]
        self.header = [clean_name(name) for name in header]
        self.width = len(names)
        self._names = names
        self._delimiter = delimiter
        self._empty: set[int] = set()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that hold something, or have a name."""
        return tuple(name for position, name in enumerate(self._names) if position not in self._empty)

    def drop_empty(self, rows: Iterable[list[str]]) -> None:
        """Leave out columns without a name and without a value, which spreadsheets save beside the table."""
        self._empty = {position for position, name in enumerate(self.header) if not name}
        for row in rows if self._empty else ():
            if len(row) == self.width:
                self._empty = {position for position in self._empty if not row[position].strip()}

    def row(self, row: Record) -> TableRow:
        """Return a row's values by name, or what is wrong with it."""
        found: list[str] = [field for position, field in enumerate(row.fields) if position not in self._empty]
        if len(row.fields) == self.width:
            return TableRow(row.line, dict(zip(self.columns, found, strict=True)), raw=row.raw)
        last = len(self.columns) - 1
        rest = [self._delimiter.join(found[last:])] if len(found) > last else []
        partial = dict(zip(self.columns, [*found[:last], *rest], strict=False))
        expected = f"{'the header has' if self.header else 'most rows have'} {self.width}"
        problem = f"{len(row.fields)} field{'s' * (len(row.fields) > 1)}, {expected}"
        return TableRow(row.line, None, problem, row.raw, partial)

    def is_header(self, fields: list[str]) -> bool:
        """Tell whether a row is the header again, as in files that were joined."""
        if not self.header or len(fields) != self.width or clean_name(fields[0]) not in self.header:
            return False
        return sorted(map(clean_name, fields)) == sorted(self.header)


def _are_numbers(fields: list[str]) -> bool:
    return fields[:100] == [str(number) for number in range(1, min(len(fields), 100) + 1)]


def _rows(found: Iterable[Record], layout: _Layout, text: Text, header: bool) -> Iterator[TableRow]:
    for row in found:
        if header and not row.problem and any(map(str.strip, row.fields)):
            header = False
        else:
            yield _row(row, layout, text)


def _row(row: Record, layout: _Layout, text: Text) -> TableRow:
    if row.problem or not any(map(str.strip, row.fields)):
        return TableRow(row.line, None, row.problem, row.raw)
    if is_undecoded(row.raw):
        return TableRow(row.line, None, text.undecoded, row.raw)
    if not layout.is_header(row.fields):
        return layout.row(row)
    if list(map(clean_name, row.fields)) != layout.header:
        raise TableError(
            f"Line {row.line} of {text.name} is a second header with its columns in another order.",
            hint="Two files were joined: read them one by one, or bring their columns into one order.",
        )
    return TableRow(row.line, None, "the header again", row.raw)


def _leading(text: Text, settings: ReadSettings) -> tuple[int, ReadSettings]:
    """Return how many lines stand before the table, and the settings with what they say (`sep=;`)."""
    blank, first = next(((number, line) for number, line in enumerate(text.lines()) if line.strip()), (0, ""))
    first = first.rstrip("\r\n")
    if first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        delimiter = first[-1] if settings.delimiter == AUTO else settings.delimiter
        return blank + 1, replace(settings, delimiter=delimiter)
    return blank, settings


def _preamble(sample: list[str], dialect: Dialect, wanted: Sequence[str]) -> int:
    """Return the number of lines before the table: comments with #, or a title above a usual header."""
    rows = [row for row in records(sample, dialect) if any(map(str.strip, row.fields))]
    size = usual_size(rows)
    before = list(takewhile(lambda row: row.raw.startswith("#") or len(row.fields) != size, rows))
    if not before or len(before) == len(rows) or any(has_usual_name(row.fields, wanted) for row in before):
        before = []
    header = rows[len(before)] if before else None
    if header and (has_usual_name(header.fields, wanted) or names_labels([row.fields for row in rows[len(before) :]])):
        return header.line - 1
    comments = takewhile(lambda row: row.raw.startswith("#") and len(row.fields) != size, before)
    return max((row.line for row in comments), default=0)


def _titles(sample: list[str], dialect: Dialect, wanted: Sequence[str]) -> int:
    """Return the number of lines before the header where a spreadsheet saved titles, with delimiters after them."""
    rows = list(records(sample, dialect))
    above = titles([row.fields for row in rows], wanted)
    return rows[above].line - 1 if above else 0
