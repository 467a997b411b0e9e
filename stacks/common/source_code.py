"""Packs source folders so that equal content gives equal bytes, on any machine at any time."""

import gzip
import hashlib
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from stacks.errors import MissingAssetError

_LEFT_OUT = {"__pycache__", "tests", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".ipynb_checkpoints"}


def source_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that belong to the source: path relative to `folder`, with `/`, and path; sorted.

    Raises MissingAssetError: there is no such folder, or nothing in it.
    """
    files = sorted(
        (path.relative_to(folder).as_posix(), path)
        for path in folder.rglob("*")
        if path.is_file() and not _LEFT_OUT & set(path.relative_to(folder).parts) and path.suffix != ".pyc"
    )
    if not files:
        raise MissingAssetError(str(folder), "it should hold source files")
    yield from files


def write_tarball(folder: Path, destination: Path) -> str:
    """Pack a folder's content, at the root of the archive, as `.tar.gz`.

    Names, order, modes, owners and times are fixed, so equal content gives an equal archive. Returns the SHA-256 (hex)
    of the archive before compression, which depends on the content alone and not on the zlib at hand.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    plain = destination.with_suffix("")
    with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in source_files(folder):
            entry = tarfile.TarInfo(name)
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
    data = plain.read_bytes()
    plain.unlink()
    with destination.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
        packed.write(data)
    return hashlib.sha256(data).hexdigest()


def stage_folder(destination: Path, sources: Mapping[str, Path]) -> Path:
    """Copy files and folders from several places into one fresh folder, and return it.

    `destination`: the folder to fill; its former content is removed. `sources`: relative path in the folder → file or
    folder to copy there. Raises MissingAssetError: a source does not exist.
    """
    shutil.rmtree(destination, ignore_errors=True)
    for name, source in sources.items():
        if not source.exists():
            raise MissingAssetError(str(source), f"it belongs in the asset '{destination.name}'")
        parts = [("", source)] if source.is_file() else source_files(source)
        for relative, path in parts:
            target = destination / name / relative if relative else destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    # Whatever the deploying person's umask: a Lambda and a container read these files as another user.
    for path in destination.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return destination
