"""Find a text file's encoding and line ends, and decode it strictly: a row that does not decode is reported."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from .code_pages import find_code_page
from .source import MOST_BYTES, Source
from .table import AUTO, HowRead, TableError

_MARKS = {  # longest first: the mark of UTF-32 begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_CHUNK = 64 * 1024
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b\x01\x02"))
_MOST_CONTROLS = {True: 0.3, False: 0.005}
"""Share of control characters up to which a file is text, by whether it is valid UTF-8."""
_MIXED = 0.05
"""Share of valid lines among those with other characters than ASCII from which a file is UTF-8 with damage."""
_NOT_DATA = {
    b"%pdf": "a PDF",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<table": "a web page",
    b"<?xml": "XML",
    b"{\\rtf": "RTF",
    b"version https://git-lfs": "a Git LFS pointer",
}


@dataclass(frozen=True)
class Text:
    """A file as text."""

    source: Source
    encoding: str
    reason: str = ""
    newline: str = "\n"
    r"""What ends a line: `\n`, also after `\r`; or `\r` alone."""
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.source.path.name

    @property
    def undecoded(self) -> str:
        """The problem of a row that does not decode."""
        return f"not valid {self.encoding}"

    def how(self, form: str) -> HowRead:
        """Return what is known of how a file of this format is read."""
        return HowRead(form, self.source.compression, self.encoding, self.reason)

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends, without byte order marks; raise TableError."""
        with self._open() as file:
            yield file.readline().lstrip("\ufeff")
            yield from file

    def read(self) -> str:
        """Return the whole text without byte order marks."""
        with self._open() as file:
            return file.read().lstrip("\ufeff")

    @contextmanager
    def _open(self) -> Iterator[TextIO]:
        errors = "strict" if self.encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
        try:
            with (
                self.source.open() as file,
                io.TextIOWrapper(file, encoding=self.encoding, errors=errors, newline=self.newline) as text,
            ):
                yield text
        except UnicodeError as error:
            raise TableError(
                f"{self.name} is not valid {self.encoding}.", hint="Copy the file again, or give its right encoding."
            ) from error


def is_undecoded(line: str) -> bool:
    """Tell whether bytes of a line could not be decoded."""
    return not line.isascii() and re.search("[\udc80-\udcff]", line) is not None


def find_text(source: Source, encoding: str = AUTO) -> Text:
    """Find out the encoding of a file, unless it is given, and its line ends.

    Raises TableError: the file is empty, binary or in no encoding that can be told.
    """
    scan = _Scan(source)
    _refuse_other_content(source, scan)
    mark = next((mark for mark in _MARKS if scan.head.startswith(mark)), b"")
    if encoding != AUTO:
        return _text(source, scan, codecs.lookup(encoding).name, "it was set")
    if mark:
        return _text(source, scan, _MARKS[mark], "the file begins with its byte order mark")
    if wide := _wide(scan.head):
        return _text(source, scan, wide, "every other byte is zero")
    if scan.controls > _MOST_CONTROLS[scan.valid] * len(scan.head):
        raise TableError(
            f"{source.path.name} is a binary file; tables, JSON, Parquet and Excel are allowed.",
            hint="Check that this is the data file, and save it as CSV in UTF-8.",
        )
    if scan.valid and re.search(rb"\x1b\$[@B][!-~]+\x1b\([BJ]", scan.head):
        return _text(source, scan, "iso2022_jp", "it has the shift sequences of ISO-2022-JP")
    if scan.valid:
        return _text(source, scan, "utf-8", "")
    return _undeclared(source, scan)


def _text(source: Source, scan: _Scan, encoding: str, reason: str) -> Text:
    newline = scan.newline
    if encoding.startswith(("utf-16", "utf-32")):
        newline = "\n" if "\n" in scan.head.decode(encoding, "ignore") else "\r"
    return Text(source, encoding, reason, newline)


class _Scan:
    """One pass over all bytes of a file."""

    def __init__(self, source: Source) -> None:
        self.head = b""
        self.valid = True
        """Whether all of it is UTF-8."""
        size = breaks = returns = both = 0
        end = b""
        decoder = codecs.getincrementaldecoder("utf-8")()
        with source.open() as file:
            while chunk := file.read(_CHUNK):
                self.head = self.head or chunk
                size += len(chunk)
                source.check_size(size, MOST_BYTES)
                breaks += chunk.count(b"\n")
                returns += chunk.count(b"\r")
                both += chunk.count(b"\r\n")
                end = (end + chunk)[-2:]
                self.valid = self.valid and _decodes(decoder, chunk)
        self.valid = self.valid and _decodes(decoder, b"", final=True)
        self.controls = len(self.head) - len(self.head.translate(None, _CONTROLS))
        if end == b"\r\n" and both == 1:  # after lines that end in CR alone
            breaks, returns, both = breaks - 1, returns - 1, 0
        self.newline = "\r" if both == 0 and returns > 10 * breaks else "\n"  # a text may hold the other one


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_other_content(source: Source, scan: _Scan) -> None:
    start = scan.head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if not start:
        raise TableError(f"{source.path.name} is empty.", hint="Check that it is the right file.")
    kind = next((kind for mark, kind in _NOT_DATA.items() if start.startswith(mark)), None)
    if kind:
        raise TableError(
            f"{source.path.name} is {kind}; tables, JSON, Parquet and Excel are allowed.",
            hint="Download or export the data file itself.",
        )


def _wide(head: bytes) -> str:
    """Return UTF-16 or UTF-32 without a mark; empty if it is neither."""
    head = head[: len(head) // 4 * 4]
    least = max(len(head) / 50, 4)  # Chinese has zero bytes only in delimiters and line ends
    for name in _WIDE if head.count(0) > least else ():
        try:
            text = head.decode(name, "strict" if len(head) < _CHUNK else "ignore")
        except UnicodeDecodeError:
            continue
        ends = text.count("\n") + text.count("\r")
        if "\0" not in text and ends > 0 and ends >= (head.count(b"\n") + head.count(b"\r")) / 2:
            return name
    return ""


def _undeclared(source: Source, scan: _Scan) -> Text:
    """Find the encoding of a file that is not UTF-8 as a whole."""
    valid, invalid, sample, size = 0, 0, [], 0
    for line in _byte_lines(source, scan.newline):
        if line.isascii():
            continue
        if _decodes(codecs.getincrementaldecoder("utf-8")(), line, final=True):
            valid += 1
            continue
        invalid += 1
        size += len(line)
        if size < 4 * _CHUNK:
            sample.append(line)
        elif not sample:  # a document of one line; no encoding has a blank within a character
            sample.append(line[: 4 * _CHUNK].rpartition(b" ")[0])
    if valid > _MIXED * (valid + invalid):
        note = f"of the lines with special characters, {valid} are UTF-8 and {invalid} are not"
        return Text(source, "utf-8", note, scan.newline, (f"O{note[1:]}.",))
    page = find_code_page(sample)
    if page is None:
        raise TableError(
            f"{source.path.name} is not UTF-8 (lines: {invalid}), and its encoding cannot be told.",
            hint="Save it as UTF-8, or give its encoding, such as cp1252.",
        )
    encoding, reason = page
    return Text(source, encoding, f"it is not UTF-8 (lines: {invalid}), and {reason}", scan.newline)


def _byte_lines(source: Source, newline: str) -> Iterator[bytes]:
    rest = b""
    with source.open() as file:
        while chunk := file.read(_CHUNK):
            *lines, rest = (rest + chunk).split(newline.encode())
            yield from lines
    yield rest
