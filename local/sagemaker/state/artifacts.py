"""Extracted model artifacts, kept by the hash of their archive."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from pathlib import Path

from local.sagemaker.common.hooks import HookError, Hooks
from local.sagemaker.state import archives


class ArtifactError(Exception):
    """The artifact could not be had; the message becomes the FailureReason."""


class ArtifactCache:
    """Folders ``<root>/<sha256>``, each one extracted model.tar.gz, shared by the servers that use it."""

    def __init__(self, root: Path, hooks: Hooks) -> None:
        self._root = root
        self._hooks = hooks
        self._lock = threading.Lock()

    def fetch(self, uri: str, role_arn: str) -> Path:
        """Download with the role's rights (every time: the right may be gone) and extract unless it is there already.

        Raises ArtifactError.
        """
        try:
            content = self._hooks.s3_get(uri, role_arn=role_arn)
        except HookError as error:
            raise ArtifactError(
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
        """Remove everything; only while no server runs."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _extract(self, content: bytes, folder: Path, uri: str) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        # Extracted beside its place and moved there, so that a folder that exists is whole.
        with tempfile.TemporaryDirectory(dir=self._root) as scratch:
            archive = Path(scratch) / "model.tar.gz"
            archive.write_bytes(content)
            try:
                archives.extract(archive, Path(scratch) / "model")
            except archives.ArchiveError as error:
                raise ArtifactError(f"The model artifact {uri} is not a usable model.tar.gz: {error}") from error
            (Path(scratch) / "model").replace(folder)
