"""Open a file, unpacked by its content: its ending says nothing."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from .table import TableError

MOST_BYTES = 4 * 1024**3
"""Bytes of one unpacked file. More is more likely a mistake, or a packed bomb, than a file of texts."""
MOST_WHOLE = 1024**3
"""Bytes of a Parquet or Excel file, and of what is packed in it: these are read as a whole."""

_MARKS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstandard",
}
_OPENERS: dict[str, Callable[..., Any]] = {"": Path.open, "gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
_EXCEL_PARTS = ("xl/workbook.xml", "xl/workbook.bin")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Source:
    """A file, or the one data file within a packed one."""

    path: Path
    compression: str = ""
    member: str = ""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the unpacked bytes; raise TableError where they cannot be read."""
        try:
            with _opened(self) as file:
                yield file
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise _damaged(self) from error
        except RuntimeError as error:  # zipfile's error for a password
            raise TableError(
                f"{self.path.name} cannot be unpacked: {error}.", hint="Pack it without a password, or unpack it."
            ) from error
        except OSError as error:
            if self.compression and error.errno is None:
                raise _damaged(self) from error
            raise TableError(
                f"{self.path} cannot be read: {error.strerror or error}.", hint="Give the path of a readable file."
            ) from error

    def head(self, size: int) -> bytes:
        """Return the first `size` unpacked bytes."""
        with self.open() as file:
            return file.read(size)

    def whole(self) -> io.BytesIO:
        """Return all unpacked bytes; raise TableError for more than MOST_WHOLE."""
        with self.open() as file:
            content = file.read(MOST_WHOLE + 1)
        self.check_size(len(content), MOST_WHOLE)
        return io.BytesIO(content)

    def check_size(self, size: int, most: int) -> None:
        """Raise TableError for more than `most` bytes."""
        if size > most:
            raise TableError(f"{self.path.name} has more than {most} bytes.", hint="Split it, or take a part of it.")

    def kind(self) -> str:
        """Return `parquet`, `excel`, or `text` for anything else."""
        head = self.head(8)
        if head.startswith(b"PAR1"):
            return "parquet"
        if head == _OLD_EXCEL:
            return "excel"
        if not head.startswith(b"PK\x03\x04"):
            return "text"
        try:
            return "excel" if _is_excel(self.whole()) else "text"
        except zipfile.BadZipFile as error:
            raise _damaged(self) from error


@dataclass(frozen=True)
class Pipe(Source):
    """A stream that can be read once."""

    stream: BinaryIO = field(kw_only=True)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Give the stream itself."""
        yield self.stream


def find_source(path: Path) -> Source:
    """Find out whether and how a file is packed; raise TableError."""
    plain = Source(path)
    head = plain.head(8)
    packed = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "")
    if packed != "zip":
        return Source(path, packed)
    with plain.open() as file:
        if _is_excel(file):
            return plain
        return Source(path, "zip", _only_member(file, path))


def _is_excel(file: BinaryIO) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return any(part in archive.namelist() for part in _EXCEL_PARTS)
    except UnicodeError as error:  # a name that is no text
        raise zipfile.BadZipFile from error


def _only_member(file: BinaryIO, path: Path) -> str:
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not _is_litter(name)]
    if len(names) != 1:
        raise TableError(
            f"{path.name} holds {len(names)} files; one data file is allowed.",
            hint="Unpack it, and give the file, or the folder with the splits.",
        )
    return names[0]


def _is_litter(name: str) -> bool:
    """Tell what operating systems, and people for people, add to an archive."""
    file = name.rpartition("/")[2]
    note = re.fullmatch(r"(readme|licen[cs]e)\b[^.]*(\.(txt|md|rst|html?|pdf))?", file, re.IGNORECASE)
    return bool(note) or name.startswith("__MACOSX/") or file.startswith((".", "Thumbs.db", "desktop.ini"))


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if source.compression == "zip":
        with zipfile.ZipFile(source.path) as archive, archive.open(source.member) as member:
            yield cast(BinaryIO, member)
    elif source.compression == "zstandard":
        with source.path.open("rb") as packed, _zstandard(packed, source.path) as file:
            yield file
    else:
        with cast(BinaryIO, _OPENERS[source.compression](source.path, "rb")) as file:
            yield file


@contextmanager
def _zstandard(packed: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    try:
        import zstandard
    except ImportError as error:
        raise TableError(
            f"{path.name} is packed with zstandard, which cannot be unpacked here.",
            hint="Pack it with gzip, or pip install zstandard.",
        ) from error
    try:
        yield zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
    except zstandard.ZstdError as error:
        raise EOFError from error


def _damaged(source: Source) -> TableError:
    return TableError(
        f"{source.path.name} is damaged or incomplete: its {source.compression or 'zip'} content cannot be unpacked.",
        hint="Copy or pack the file again.",
    )
