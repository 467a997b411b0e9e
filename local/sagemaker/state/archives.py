"""Tar archives: safe to unpack, and the same bytes for the same content."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

# Python 3.11 has it from 3.11.4 on; it also drops owners and strange modes.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


class ArchiveError(Exception):
    """The archive is damaged, or has members that would land outside the folder."""


def extract(archive: Path, directory: Path) -> None:
    """Unpack a ``.tar.gz`` into `directory` (made if missing).

    Plain files and folders only: absolute names, ``..``, links and devices are refused, so that nothing can land
    outside. Raises ArchiveError; what came before the offending member stays, so unpack into a folder that can be
    thrown away.
    """
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(directory, members=_checked(tar), **_FILTER)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ArchiveError(f"cannot unpack {archive.name}: {error}") from error


def _checked(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        path = PurePosixPath(member.name)
        if not (member.isfile() or member.isdir()) or path.is_absolute() or ".." in path.parts:
            raise ArchiveError(f"unsafe member in {Path(str(tar.name)).name}: {member.name}")
        yield member


def pack(directory: Path, archive: Path) -> None:
    """Write the files below `directory` as a ``.tar.gz`` whose bytes depend on names and contents only.

    Read and written in blocks, never held in memory. Links are followed; compression is light, because weights hardly
    compress.
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
    """Whether there is any file below `directory`."""
    return any(path.is_file() for path in directory.rglob("*"))
