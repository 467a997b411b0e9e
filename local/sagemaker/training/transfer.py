"""What goes in and out of a training job with its role's rights: code, channels, checkpoints, artifacts."""

import random
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.surroundings import Surroundings
from local.sagemaker.jobs.job import explained
from local.sagemaker.state import archives
from local.sagemaker.state.store import Record
from local.sagemaker.training.container import JobFolder

_CHECKPOINT_SECONDS = 10.0


class Transfer:
    """Moves code, channels and archives between S3 and the folder of a job. Its methods raise FailedError."""

    def __init__(self, surroundings: Surroundings, job: Record, folder: JobFolder) -> None:
        self._surroundings = surroundings
        self._role = job["RoleArn"]
        self._output = f"{job['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job['TrainingJobName']}/output"
        self._folder = folder

    def download_code(self, source: str) -> None:
        """Fetch the source tarball and extract it into the code folder."""
        archive = self._folder.scratch("sourcedir.tar.gz")
        with explained("Code download", source):
            archive.write_bytes(self._surroundings.s3_get(source, role_arn=self._role))
        try:
            archives.extract(archive, self._folder.code)
        except archives.ArchiveError as error:
            raise FailedError(f"AlgorithmError: {error} ({source})") from error
        archive.unlink()

    def download_channel(self, channel: Mapping[str, Any]) -> None:
        """Fetch one input channel."""
        name, uri = channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"]
        target = self._folder.channel(name)
        target.mkdir(parents=True, exist_ok=True)
        with explained("Data download", f"channel {name}, {uri}"):
            files = self._surroundings.s3_download(uri, target, role_arn=self._role)
        if files == 0:
            raise FailedError(
                f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data '
                f"source of channel {name}. Please ensure that the bucket exists, that objects exist under that S3 "
                f'prefix, and that the role "{self._role}" has "s3:ListBucket" permissions on the bucket.'
            )

    def upload_archive(self, content: Path, name: str) -> str:
        """Pack a folder, store it as `<S3OutputPath>/<job>/output/<name>`, and return that URI."""
        uri, archive = f"{self._output}/{name}", self._folder.scratch(name)
        archives.pack(content, archive)
        try:
            with explained("Artifact upload", uri):
                self._surroundings.s3_upload(archive, uri, role_arn=self._role)
        finally:
            archive.unlink(missing_ok=True)
        return uri


class CheckpointSync:
    """Copies checkpoints: from S3 before training, to S3 during and after it. Does nothing without CheckpointConfig."""

    def __init__(self, surroundings: Surroundings, job: Record, folder: JobFolder) -> None:
        config = job.get("CheckpointConfig")
        self._surroundings = surroundings
        self._role = job["RoleArn"]
        self._uri = f"{config['S3Uri'].rstrip('/')}/" if config else ""
        self._folder = folder.checkpoints
        self._uploaded: dict[Path, tuple[int, int]] = {}
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def download(self) -> None:
        """Fetch the checkpoints of an earlier job. Raises FailedError."""
        if not self._uri:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with explained("Checkpoint download", self._uri):
            self._surroundings.s3_download(self._uri, self._folder, role_arn=self._role)
        self._uploaded = dict(_stamps(self._folder))

    def start(self) -> None:
        """Upload new and changed files every few seconds, until `finish`."""
        if self._uri:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Stop the background upload and upload the rest. Raises FailedError."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._upload()

    def _run(self) -> None:
        while not self._done.wait(_CHECKPOINT_SECONDS):
            try:
                self._upload()
            except (FailedError, OSError):
                continue  # a file was just deleted, or the right to write is missing: `finish` reports what remains

    def _upload(self) -> None:
        stamps = list(_stamps(self._folder))
        for path, stamp in random.sample(stamps, len(stamps)):  # AWS promises no order
            if self._uploaded.get(path) != stamp:
                uri = self._uri + path.relative_to(self._folder).as_posix()
                with explained("Checkpoint upload", uri):
                    self._surroundings.s3_upload(path, uri, role_arn=self._role)
                self._uploaded[path] = stamp


def _stamps(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    """Yield each file with its time of change and its size."""
    for path in folder.rglob("*"):
        if path.is_file():
            status = path.stat()
            yield path, (status.st_mtime_ns, status.st_size)
