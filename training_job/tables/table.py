"""What the reader takes and gives: settings, rows, and how a file was read."""

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

AUTO = "auto"
FORMATS = (AUTO, "csv", "tsv", "text", "jsonl", "json", "parquet", "excel")
QUOTES = {"none": "", "double": '"', "single": "'"}
HEADERS = (AUTO, "yes", "no")
DELIMITERS = {"comma": ",", "semicolon": ";", "pipe": "|", "tab": "\t"}
"""The delimiters that are searched for, by the words that people write for them."""


class TableError(Exception):
    """A file cannot be read as it is, or as the settings say.

    `message` says what is wrong and what is allowed, never the text of a row; `hint` is the reader's next step.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


@dataclass(frozen=True)
class ReadSettings:
    """How to read a file; what is `auto` is found in its content."""

    format: str = AUTO
    """One of `FORMATS`. `tsv` is `csv` with tabs; `text` is one text a line."""
    encoding: str = AUTO
    """A name that Python knows, like utf-8, cp1252 or gb18030."""
    delimiter: str = AUTO
    """One character, or comma, tab, semicolon or pipe."""
    quote: str = AUTO
    """What encloses a field: none, double or single."""
    header: str = AUTO
    """Whether the first line names the columns: yes or no."""
    sheet: str = ""
    """Name of an Excel sheet; empty: the first one with rows."""

    def __post_init__(self) -> None:
        for name, allowed in (("format", FORMATS), ("quote", (AUTO, *QUOTES)), ("header", HEADERS)):
            _refuse_unless(getattr(self, name) in allowed, name, getattr(self, name), ", ".join(allowed))
        _refuse_unless(
            self.delimiter == AUTO or (len(self.separator) == 1 and self.separator not in "\"'\r\n"),
            *("delimiter", self.delimiter, f"auto, {', '.join(DELIMITERS)}, or one character"),
        )
        _refuse_unless(_is_text_encoding(self.encoding), "encoding", self.encoding, "auto, utf-8, utf-16, cp1252, …")

    @property
    def separator(self) -> str:
        r"""The delimiter as a character; `\t` is a tab, too."""
        return DELIMITERS.get(self.delimiter, "\t" if self.delimiter == "\\t" else self.delimiter)


@dataclass(frozen=True)
class TableRow:
    """One row as it stands in the file.

    `line` is the row's first line, from 1; in Parquet, Excel and JSON by columns, it is the row's number. `values` is
    None if the row is blank or malformed. `problem` says what is wrong with a malformed row, without its text.
    """

    line: int
    values: Mapping[str, object] | None
    problem: str = ""
    raw: str = ""
    partial: Mapping[str, object] = field(default_factory=dict)
    """A row with too many or too few fields, its surplus in the last column. To show, not to use."""


@dataclass(frozen=True)
class HowRead:
    """How a file was read: what was set, or found in its content."""

    format: str
    """csv, text, fastText, jsonl, json, parquet or excel."""
    compression: str = ""
    """gzip, bzip2, xz, zip or zstandard; empty for none."""
    encoding: str = ""
    """Python's name of the encoding; empty for Parquet and Excel."""
    encoding_reason: str = ""
    delimiter: str = ""
    """The character; empty where there is one column."""
    quote: str = ""
    """none, double or single; empty where there are no quotes in the format."""
    escape: str = ""
    """`backslash` where a quote within quotes is written so; empty where it is doubled."""
    header: bool = True
    """Whether the names of the columns stand in the file."""
    sheet: str = ""

    def sentence(self) -> str:
        """Return one line for people."""
        word = next((word for word, character in DELIMITERS.items() if character == self.delimiter), self.delimiter)
        named = {
            "csv": "a table",
            "text": "one text a line",
            "jsonl": "JSON Lines",
            "json": "JSON",
            "fastText": "fastText",
        }
        parts = [
            named.get(self.format, self.format.capitalize()) + (f" in {self.compression}" if self.compression else ""),
            self.sheet and f"sheet {self.sheet!r}",
            self.delimiter and f"delimiter {word}",
            self.quote and f"quotes {self.quote}" + (" with backslashes" if self.escape else ""),
            "" if self.header else "no header",
            self.encoding and f"encoding {self.encoding}",
        ]
        because = f" because {self.encoding_reason}" if self.encoding_reason else ""
        return ", ".join(filter(None, parts)) + because


@dataclass(frozen=True)
class Again:
    """Rows that are read from the file each time they are asked for."""

    read: Callable[[], Iterator[TableRow]]

    def __iter__(self) -> Iterator[TableRow]:
        return self.read()


@dataclass(frozen=True)
class TableStream:
    """A file that is read while `rows` is consumed, each time anew."""

    columns: tuple[str, ...]
    """Names; of JSON Lines, those in the file's first part."""
    rows: Iterable[TableRow]
    how: HowRead
    notes: list[str] = field(default_factory=list)
    """What a person should know about the reading, one sentence each."""


@dataclass(frozen=True)
class Table(TableStream):
    """A file's rows, all of them."""

    rows: list[TableRow]


def _refuse_unless(right: bool, name: str, value: str, allowed: str) -> None:
    if not right:
        raise TableError(f"The {name} {value!r} cannot be used.", hint=f"Give one of: {allowed}.")


def _is_text_encoding(name: str) -> bool:
    if name == AUTO:
        return True
    try:
        "a".encode(codecs.lookup(name).name)
    except (LookupError, ValueError, TypeError):
        return False
    return True
