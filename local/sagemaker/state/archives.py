"""Tar archives: safe extraction and reproducible packing."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

# Available from Python 3.11.4 on; the filter also drops owners and unusual modes.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
_MOST_BYTES = 64 * 1024**3  # of an unpacked archive; in a larger one tarfile might look for the end for ever


class ArchiveError(Exception):
    """The archive is damaged or has members outside the folder."""


def extract(archive: Path, directory: Path) -> None:
    """Extract a `.tar.gz` into `directory`, which is created if missing. Raises ArchiveError.

    Absolute names, `..`, links and devices are refused; members before the refused one stay in `directory`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r|gz") as tar:  # in a stream no size leads back
            tar.extractall(directory, members=_checked(tar), **_FILTER)
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, TypeError, OverflowError) as error:
        raise ArchiveError(f"cannot unpack {archive.name}: {error}") from error


def _checked(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        path = PurePosixPath(member.name)
        unsafe = path.is_absolute() or ".." in path.parts or tar.offset > _MOST_BYTES
        if unsafe or not (member.isfile() or member.isdir()):
            raise ArchiveError(f"unsafe member in {Path(str(tar.name)).name}: {member.name}")
        yield member


def pack(directory: Path, archive: Path) -> None:
    """Write the files below `directory` as a `.tar.gz` whose bytes depend on names and contents only.

    The files are streamed. Links are followed. Compression is light, because weights hardly compress.
    """
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                info = tarfile.TarInfo(path.relative_to(directory).as_posix())
                status = path.stat()
                info.size = status.st_size
                info.mode = 0o755 if status.st_mode & 0o100 else 0o644
                with path.open("rb") as content:
                    tar.addfile(info, content)


def holds_files(directory: Path) -> bool:
    """Return whether there is any file below `directory`."""
    return any(path.is_file() for path in directory.rglob("*"))
