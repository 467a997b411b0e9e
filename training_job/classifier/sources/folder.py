"""Data files in a folder of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from classifier.errors import SourceInvalid, SourceRefused
from classifier.sources.base import ALLOWED, CHUNK_BYTES, Stream, split_files


class FolderSource:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path, name: str = "") -> None:
        self.folder = folder
        self.name = name or str(folder)

    def find_files(self) -> tuple[str, ...]:
        """The train and the test file in the folder."""
        if not self.folder.is_dir():
            raise SourceInvalid(
                f"{self.folder} is not a folder; allowed is {ALLOWED}.",
                source=self.name,
                hint="Check the path; it is taken relative to the folder the command runs in.",
            )
        return split_files((entry.name for entry in self.folder.iterdir()), self.name)

    @contextmanager
    def open(self, file: str) -> Iterator[Stream]:
        """The bytes of one file."""
        path = self.folder / file
        try:
            handle = path.open("rb")
        except OSError as error:
            raise SourceRefused(
                f"{path} cannot be read: {error.strerror or error}.",
                source=self.name,
                hint="Check that the file is there and readable.",
            ) from error
        with handle:
            yield Stream(path.stat().st_size, self._chunks(handle, path))

    def _chunks(self, handle: BinaryIO, path: Path) -> Iterator[bytes]:
        try:
            yield from iter(lambda: handle.read(CHUNK_BYTES), b"")
        except OSError as error:
            raise SourceRefused(f"{path} cannot be read: {error.strerror}.", source=self.name) from error
