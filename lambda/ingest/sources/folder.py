"""Data files in a folder of this machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import DataUnavailableError, SourceInvalidError
from ingest.sources.base import ALLOWED, CHUNK_BYTES, Stream, data_files


class FolderSource:
    """Files in a folder of this machine, or a single file."""

    def __init__(self, place: Path, name: str = "") -> None:
        self.folder = place.parent if place.is_file() else place
        self._only = place.name if place.is_file() else None
        self.name = name or str(place)

    def find_files(self) -> tuple[str, ...]:
        """Return the names of the data files."""
        if self._only:
            return data_files([self._only], self.name)
        if not self.folder.is_dir():
            raise SourceInvalidError(
                f"{self.folder} is neither a folder nor a file; allowed is {ALLOWED}.",
                hint="Check the path; it is relative to the folder in which the command runs.",
            )
        return data_files((entry.name for entry in self.folder.iterdir() if entry.is_file()), self.name)

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
