"""Extracted model artifacts, stored by the hash of their archive."""

import hashlib
import tempfile
import threading
from pathlib import Path

from local.discarding import discard
from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.surroundings import Surroundings, SurroundingsError
from local.sagemaker.state import archives


class ArtifactCache:
    """Folders `<root>/<sha256>`, one for each extracted model.tar.gz. The servers of the same artifact share it."""

    def __init__(self, root: Path, surroundings: Surroundings) -> None:
        self._root = root
        self._surroundings = surroundings
        self._lock = threading.Lock()

    def fetch(self, uri: str, role_arn: str) -> Path:
        """Return the folder of an artifact; extract it if it is new. Raises FailedError.

        The role may have lost its right to read the artifact, so it is downloaded every time.
        """
        try:
            content = self._surroundings.s3_get(uri, role_arn=role_arn)
        except SurroundingsError as error:
            raise FailedError(
                f'Failed to download model data for container "container_1" from URL: "{uri}". Please ensure that '
                "there is an object located at the URL and that the role passed to CreateModel has permissions to "
                f"download the model. ({error})"
            ) from error
        folder = self._root / hashlib.sha256(content).hexdigest()
        with self._lock:
            if not folder.is_dir():
                self._extract(content, folder, uri)
        return folder

    def clear(self) -> None:
        """Remove all artifacts; only allowed while no server runs."""
        discard(self._root)

    def _extract(self, content: bytes, folder: Path, uri: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        # Extracted beside its place and then moved, so that an existing folder is always complete.
        with tempfile.TemporaryDirectory(dir=self._root) as scratch:
            archive = Path(scratch) / "model.tar.gz"
            archive.write_bytes(content)
            try:
                archives.extract(archive, Path(scratch) / "model")
            except archives.ArchiveError as error:
                raise FailedError(f"The model artifact {uri} is not a usable model.tar.gz: {error}") from error
            (Path(scratch) / "model").replace(folder)
