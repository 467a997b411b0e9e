"""One job: its record with the statuses, and the thread that runs it."""

import logging
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from local.sagemaker.common.errors import FailedError, shortened
from local.sagemaker.common.names import Key
from local.sagemaker.common.surroundings import SurroundingsError
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

logger = logging.getLogger(__name__)


class _JobStoppedError(Exception):
    """The job was stopped, or the service is stopping."""


@contextmanager
def explained(what: str, where: str) -> Iterator[None]:
    """Let a job fail with the reason when a transfer from or to S3 fails. Raises FailedError."""
    try:
        yield
    except SurroundingsError as error:
        raise FailedError(f"ClientError: {what} failed: {error} ({where})") from error


class JobRecord:
    """Reads and changes the stored record of one job. `noun`: its kind, such as `TrainingJob`."""

    def __init__(self, context: Context, key: Key, noun: str) -> None:
        self._context = context
        self.key, self.noun = key, noun

    def read(self) -> Record:
        """Return the record, or an empty one if there is no job."""
        return self._context.store.get(self.key) or {}

    def change(self, **changes: Any) -> None:
        """Change members, but not the status."""
        self._context.store.update(self.key, LastModifiedTime=time.time(), **changes)

    def enter(self, phase: str, **changes: Any) -> None:
        """Begin a phase of the job, and change further members with it."""
        with self._context.store.lock:
            self.change(**self._phase_members(phase), **changes)

    def finish(self, phase: str, reason: str = "", **changes: Any) -> None:
        """End the job with its last phase; `reason` explains a failure."""
        if reason:
            changes["FailureReason"] = shortened(reason)
        self.enter(phase, **{f"{self.noun.removesuffix('Job')}EndTime": time.time()}, **changes)

    def _phase_members(self, phase: str) -> dict[str, Any]:
        """Return the members that tell the phase."""
        return {f"{self.noun}Status": phase}


class JobRun(ABC):
    """Runs one job. Other threads call only `start`, `stop`, `join` and `ended`."""

    folders: ClassVar[str]
    """Folder below the state folder that holds the jobs' folders."""

    def __init__(self, context: Context, record: JobRecord, stream: str) -> None:
        """Open the log; `stream` is the name of its CloudWatch stream. Raises OSError."""
        self._context = context
        self._record = record
        self._key = record.key
        self._job = record.read()
        self._base = self.folder(context, record.key)
        self._stop_requested = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{record.key.kind}-{record.key.name}", daemon=True)
        self._log = LogStream(
            context.outbox,
            record.key.scope,
            f"/aws/sagemaker/{record.noun}s",
            stream,
            context.settings.log_dir / f"{record.key.kind}s" / f"{record.key.name}.log",
        )

    @classmethod
    def folder(cls, context: Context, key: Key) -> Path:
        """Return the folder of a job. It is removed when the job has ended."""
        return key.below(context.settings.state_dir / cls.folders)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Make the job end soon. If the service is stopping, the record stays as it is. Returns at once."""
        self._stop_requested.set()
        self._interrupt()

    def join(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for the end of the job."""
        self._thread.join(timeout)

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return not self._thread.is_alive()

    @abstractmethod
    def _execute(self) -> str:
        """Do the work and return the last phase. Raises FailedError."""

    @abstractmethod
    def _interrupt(self) -> None:
        """Wake or end what `_execute` waits for."""

    def _salvage(self) -> None:  # noqa: B027 - optional
        """Keep what a failed job has produced."""

    def _release(self) -> None:  # noqa: B027 - optional
        """End the processes of the job."""

    def _run(self) -> None:
        try:
            try:
                phase, reason = self._execute(), ""
            except Exception as error:
                phase, reason = self._ending(error)
                if self._context.stopping.is_set():
                    return  # the next start of the service finds the job unfinished and says so
                if reason:
                    self._log.note(f"The job failed: {reason}")
                    self._salvage()
        finally:
            self._release()
            self._log.close()
            shutil.rmtree(self._base, ignore_errors=True)
        self._context.outbox.flush()  # the final status appears after the last log line
        self._record.finish(phase, reason)

    def _ending(self, error: Exception) -> tuple[str, str]:
        """Return the last phase and the reason of a job that did not complete."""
        if isinstance(error, _JobStoppedError):
            return "Stopped", ""
        if isinstance(error, FailedError):
            return "Failed", str(error)
        logger.error("%s %s", self._key.kind, self._key.name, exc_info=error)
        return "Failed", f"InternalServerError: {type(error).__name__}: {error}"

    def _leave_if_stopped(self) -> None:
        """Raise _JobStoppedError if the job was stopped, or the whole service."""
        if self._stop_requested.is_set():
            raise _JobStoppedError
        self._leave_if_stopping()

    def _leave_if_stopping(self) -> None:
        """Raise _JobStoppedError if the whole service is stopping."""
        if self._context.stopping.is_set():
            raise _JobStoppedError
