"""Split the lines of a table into fields; a broken line costs itself, never the lines after it."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from .table import QUOTES

LONGEST_ROW = 16 * 1024 * 1024
"""Characters of one row. Without a limit, a missing closing quote would read the whole file for each such row."""

_HIDDEN_RETURN = "\ud800"  # half of a surrogate pair, which no decoded line has

csv.field_size_limit(LONGEST_ROW)  # the module's own limit, of 131,072 characters a field, is shorter than a long text


@dataclass(frozen=True)
class Dialect:
    """How fields are separated and quoted."""

    delimiter: str
    """Empty where a line is one field."""
    quote: str = "none"
    backslash: bool = False
    """A quote within quotes is written with a backslash instead of twice."""
    blanks: bool = False
    """Blanks after a delimiter are not part of the field."""

    @property
    def has_to_quote(self) -> bool:
        """Whether programs that separate like this never write quotes around a text as they are.

        Texts have commas, so what writes commas has to quote. What writes tabs often writes every character as it is.
        """
        return self.delimiter != "\t" and self.quote == "double"


@dataclass(frozen=True)
class Record:
    """The fields of one row, or what is wrong with it."""

    line: int
    lines: list[str]
    """The row's physical lines, with their ends."""
    fields: list[str]
    problem: str = ""

    @property
    def raw(self) -> str:
        """The row as it stands in the file."""
        return "".join(self.lines).rstrip("\r\n")


def records(lines: Iterable[str], dialect: Dialect, first: int = 1) -> Iterator[Record]:
    """Yield the rows of these lines, which have their ends; `first` is the number of the first one."""
    return _unquoted(lines, dialect, first) if dialect.quote == "none" else _quoted(lines, dialect, first)


def _unquoted(lines: Iterable[str], dialect: Dialect, first: int) -> Iterator[Record]:
    for number, line in enumerate(lines, start=first):
        text = line.rstrip("\r\n")
        fields = text.split(dialect.delimiter) if dialect.delimiter else [text]
        yield Record(number, [line], [field.lstrip(" ") for field in fields] if dialect.blanks else fields)


class _Feed:
    """Gives csv.reader line after line, and those of a broken row again."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._size = 0
        self.row: list[str] = []
        self.hidden = False
        """Whether a line of the row has a CR within, which csv.reader would take for a line end."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._size += len(line)
        self.row.append(line)
        if self._size > LONGEST_ROW:
            raise csv.Error(f"a row of more than {LONGEST_ROW} characters")
        body = line.rstrip("\r\n")
        if "\r" not in body:
            return line
        self.hidden = True
        return body.replace("\r", _HIDDEN_RETURN) + line[len(body) :]

    def next_row(self) -> None:
        """Forget the lines of the last row."""
        self.row, self._size, self.hidden = [], 0, False

    def give_back(self) -> None:
        """Keep the first line of the row; the others come again."""
        self._again.extendleft(reversed(self.row[1:]))
        del self.row[1:]


def _quoted(lines: Iterable[str], dialect: Dialect, first: int) -> Iterator[Record]:
    feed = _Feed(lines)
    reader = csv.reader(
        feed,
        delimiter=dialect.delimiter,
        quotechar=QUOTES[dialect.quote],
        doublequote=not dialect.backslash,
        escapechar="\\" if dialect.backslash else None,
        skipinitialspace=dialect.blanks,
        strict=True,
    )
    while True:
        feed.next_row()
        fields, problem = [], ""
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problem = "a quote is opened and not closed, or text follows a closing quote"
            feed.give_back()
        if feed.hidden:
            fields = [field.replace(_HIDDEN_RETURN, "\r") for field in fields]
        yield Record(first, feed.row, fields, problem)
        first += len(feed.row)
