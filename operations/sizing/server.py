"""A serving image's server as a process of this machine: started, asked, and its memory watched."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from local.sagemaker.common.settings import ImageRule
from local.sagemaker.processes import ports
from operations.errors import OperationError
from operations.sizing.http_load import HINT, load

START_SECONDS = 180
"""As long as SageMaker waits for /ping."""

_SAMPLE_SECONDS, _START_SAMPLE_SECONDS = 0.02, 0.001


class Server:
    """A server in a process group of its own, as a context: it is started at once, and ended with its processes.

    It works in `folder`, which is removed at the end, and `process` is the leader of its group.
    """

    stop_seconds = 40.0
    """How long it may take to end by itself."""

    def __init__(self, port: int) -> None:
        # A short path: the name of the stock server's socket below it may have 108 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="serve-"))
        self.log = self.folder / "log"
        self.port = port

    def _start(self, command: Sequence[str], environment: Mapping[str, str], core: int | None) -> None:
        """Start it on one core, or on all where `core` is None."""
        common = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "SAGEMAKER_BIND_TO_PORT": str(self.port)}
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                # The artifact stays as it is.
                env={**common, "PYTHONDONTWRITEBYTECODE": "1", **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        keep_to(core, self.process.pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it and its workers, which may outlive a SIGTERM of their server, and remove its folder."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + self.stop_seconds
            with suppress(ProcessLookupError, PermissionError):  # nobody is left in the group
                os.killpg(self.process.pid, number)
                while time.monotonic() < deadline:
                    self.process.poll()
                    os.killpg(self.process.pid, 0)
                    time.sleep(_SAMPLE_SECONDS)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def await_answer(self, text: str) -> float:
        """Wait until it answers to `text`, and return the seconds since its start."""
        while time.monotonic() - self.started < START_SECONDS:
            if (code := self.process.poll()) is not None:
                raise OperationError(
                    f"The server ended with exit code {code} while it started:\n{self._log_tail()}",
                    hint="fix what it names; another folder or archive: make size-endpoint ARTIFACT=…",
                )
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=5):
                load(self.port, [json.dumps({"inputs": text}).encode()], connections=1, requests=1, seconds=0)
                return time.monotonic() - self.started
            time.sleep(_START_SAMPLE_SECONDS)
        raise OperationError(f"The server did not answer within {START_SECONDS} s:\n{self._log_tail()}", hint=HINT)

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])


class ImageServer(Server):
    """The server of one of our images on an unpacked artifact."""

    def __init__(
        self,
        image: ImageRule,
        model_dir: Path,
        *,
        variables: Mapping[str, str] | None = None,
        core: int | None = None,
    ) -> None:
        """Start it, with further environment variables, on one core or on all."""
        super().__init__(ports.claim())
        addresses = {"SM_MODEL_DIR": str(model_dir.resolve()), "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
        command = [image.python, *image.command]
        self._start(command, {**addresses, **image.environment, **(variables or {})}, core)


def keep_to(core: int | None, pid: int) -> None:
    """Let a process that was just started, and its children, use one core only, where the system can do that."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


def last_core() -> int | None:
    """Return the number of the last core that this process may use; None where the system doesn't say."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


class PeakMemory:
    """Watches the memory of a process and its children from another thread.

    `megabytes` is the highest so far, shared pages counted once (PSS; where the system doesn't tell it, RSS).
    """

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.is_set():
            with suppress(psutil.Error):  # one of them has just ended
                own = psutil.Process(self._pid)
                self.megabytes = max(self.megabytes, sum(map(_megabytes, (own, *own.children(recursive=True)))))
            self._done.wait(_SAMPLE_SECONDS)


def _megabytes(process: psutil.Process) -> float:
    info = process.memory_full_info()
    return float(getattr(info, "pss", info.rss)) / 1024**2
