"""The data files that the function brings along."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.sources.base import CHUNK_BYTES, Stream, data_files


class FolderSource:
    """Files in a folder of this machine, under a name for logs and manifests."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name

    def find_files(self) -> tuple[str, ...]:
        """Return the names of the data files."""
        return data_files((entry.name for entry in self.folder.iterdir() if entry.is_file()), self.name)

    @contextmanager
    def open(self, file: str) -> Iterator[Stream]:
        """Open one file."""
        path = self.folder / file
        with path.open("rb") as content:
            yield Stream(path.stat().st_size, iter(lambda: content.read(CHUNK_BYTES), b""))
