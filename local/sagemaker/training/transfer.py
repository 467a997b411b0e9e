"""What goes in and out of a training job: code, channels, checkpoints, artifacts. All with the role's credentials."""

from __future__ import annotations

import threading
from pathlib import Path

from local.sagemaker.common.hooks import HookError, Hooks
from local.sagemaker.state import archives
from local.sagemaker.state.store import Record
from local.sagemaker.training.container import ContractError, JobFolder

_CHECKPOINT_SECONDS = 10.0


class TransferError(Exception):
    """A transfer failed; the message becomes the FailureReason."""


def download_code(hooks: Hooks, job: Record, folder: JobFolder, source: str) -> None:
    """Fetch the source tarball and unpack it into the code folder."""
    archive = folder.scratch("sourcedir.tar.gz")
    try:
        archive.write_bytes(hooks.s3_get(source, role_arn=job["RoleArn"]))
    except HookError as error:
        raise TransferError(f"ClientError: Code download failed: {error} ({source})") from error
    try:
        archives.extract(archive, folder.code)
    except archives.ArchiveError as error:
        raise TransferError(f"AlgorithmError: {error} ({source})") from error
    archive.unlink()


def download_channel(hooks: Hooks, job: Record, folder: JobFolder, name: str, uri: str) -> None:
    """Fetch one input channel."""
    target = folder.channel(name)
    target.mkdir(parents=True, exist_ok=True)
    try:
        files = hooks.s3_download(uri, target, role_arn=job["RoleArn"])
    except HookError as error:
        raise TransferError(f"ClientError: Data download failed: {error} (channel {name}, {uri})") from error
    if files == 0:
        raise TransferError(
            f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data source '
            f"of channel {name}. Please ensure that the bucket exists, that objects exist under that S3 prefix, and "
            f'that the role "{job["RoleArn"]}" has "s3:ListBucket" permissions on the bucket.'
        )


def upload_archive(hooks: Hooks, job: Record, folder: JobFolder, content: Path, name: str) -> str:
    """Pack a folder and store it as ``<S3OutputPath>/<job>/output/<name>``; returns that URI."""
    uri = f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job['TrainingJobName']}/output/{name}"
    archive = folder.scratch(name)
    archives.pack(content, archive)
    try:
        hooks.s3_upload(archive, uri, role_arn=job["RoleArn"])
    except HookError as error:
        raise TransferError(f"ClientError: Artifact upload failed: {error} ({uri})") from error
    finally:
        archive.unlink(missing_ok=True)
    return uri


class CheckpointSync:
    """Keeps the checkpoint folder of a job and its place in S3 alike: down before training, up during and after it."""

    def __init__(self, hooks: Hooks, job: Record, folder: JobFolder) -> None:
        """Raises ContractError for a LocalPath that cannot be had."""
        config = job.get("CheckpointConfig")
        self._hooks = hooks
        self._role = job["RoleArn"]
        self._uri = f"{config['S3Uri'].rstrip('/')}/" if config else ""
        self._folder = folder.checkpoints(config.get("LocalPath")) if config else None
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def download(self) -> None:
        """Fetch what an earlier job left there."""
        if self._folder is None:
            return
        if self._folder.exists() and any(self._folder.iterdir()):
            raise ContractError(
                f"ClientError: CheckpointConfig.LocalPath {self._folder.name} is used by the job itself."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._hooks.s3_download(self._uri, self._folder, role_arn=self._role)
        except HookError as error:
            raise TransferError(f"ClientError: Checkpoint download failed: {error} ({self._uri})") from error
        self._uploaded = {path: _stamp(path) for path in self._files()}

    def start(self) -> None:
        """Upload new and changed files every few seconds, until `finish`."""
        if self._folder is not None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Stop the background upload and upload the rest. Raises TransferError."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._upload()

    def _run(self) -> None:
        while not self._done.wait(_CHECKPOINT_SECONDS):
            try:
                self._upload()
            except (TransferError, OSError):
                continue  # a file that vanished meanwhile, or no right to write: `finish` reports what stays wrong

    def _upload(self) -> None:
        for path in self._files():
            stamp = _stamp(path)
            if self._uploaded.get(path) == stamp:
                continue
            assert self._folder is not None
            uri = self._uri + path.relative_to(self._folder).as_posix()
            try:
                self._hooks.s3_upload(path, uri, role_arn=self._role)
            except HookError as error:
                raise TransferError(f"ClientError: Checkpoint upload failed: {error} ({uri})") from error
            self._uploaded[path] = stamp

    def _files(self) -> list[Path]:
        assert self._folder is not None
        return [path for path in sorted(self._folder.rglob("*")) if path.is_file()]


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
