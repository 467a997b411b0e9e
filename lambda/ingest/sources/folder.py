"""Data files in a folder of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import DataUnavailableError, SourceInvalidError
from ingest.sources.base import ALLOWED, CHUNK_BYTES, Stream, split_files


class FolderSource:
    """Files in a folder of this machine."""

    def __init__(self, folder: Path, name: str = "") -> None:
        self.folder = folder
        self.name = name or str(folder)

    def find_files(self) -> tuple[str, ...]:
        """Return the names of the train and the test file in the folder."""
        if not self.folder.is_dir():
            raise SourceInvalidError(
                f"{self.folder} is not a folder; allowed is {ALLOWED}.",
                hint="Check the path; it is relative to the folder in which the command runs.",
            )
        return split_files((entry.name for entry in self.folder.iterdir()), self.name)

    @contextmanager
    def open(self, file: str) -> Iterator[Stream]:
        """Open one file."""
        path = self.folder / file
        with self._translated(path):
            handle = path.open("rb")
        with handle:
            yield Stream(path.stat().st_size, self._chunks(path, lambda: handle.read(CHUNK_BYTES)))

    def _chunks(self, path: Path, read: Callable[[], bytes]) -> Iterator[bytes]:
        with self._translated(path):
            yield from iter(read, b"")

    @contextmanager
    def _translated(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataUnavailableError(
                f"{path} cannot be read: {error.strerror or error}.", hint="Check that the file exists and is readable."
            ) from error
