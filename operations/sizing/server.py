"""A serving image's server as a process of this machine: started, asked, and its memory watched."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from local.sagemaker.processes import ports
from operations import paths
from operations.errors import OperationError
from operations.local_cloud.images import ServingImage
from operations.sizing.http_load import HINT, load

START_SECONDS = 180
"""As long as SageMaker waits for /ping."""

_STOP_SECONDS = 40
_SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Server:
    """A server that was started.

    Attributes:
        process: its first process, the leader of its process group.
        port: of 127.0.0.1.
        log: what it prints.
        started: when it was started (`time.monotonic`).
    """

    process: subprocess.Popen[bytes]
    port: int
    log: IO[bytes]
    started: float

    def await_answer(self, text: str) -> float:
        """Wait until it answers to `text`, and return the seconds since its start."""
        while time.monotonic() - self.started < START_SECONDS:
            if self.process.poll() is not None:
                raise OperationError(
                    f"The server ended with exit code {self.process.returncode} while it started:\n{self._log_tail()}",
                    hint="mend what it names; another folder or archive: make size-endpoint ARTIFACT=…",
                )
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=5):
                load(self.port, [json.dumps({"inputs": text}).encode()], connections=1, requests=1, seconds=0)
                return time.monotonic() - self.started
            time.sleep(_SAMPLE_SECONDS)
        raise OperationError(f"The server did not answer within {START_SECONDS} s:\n{self._log_tail()}", hint=HINT)

    def _log_tail(self) -> str:
        self.log.seek(0)
        return "\n".join(self.log.read().decode(errors="replace").splitlines()[-8:])


@contextmanager
def running(
    image: ServingImage, model_dir: Path, *, variables: Mapping[str, str] | None = None, core: int | None = None
) -> Iterator[Server]:
    """Start the server of `image` on an unpacked artifact, and end it on the way out.

    Args:
        image: its stand-in on this machine.
        model_dir: the unpacked artifact.
        variables: further environment variables.
        core: the only core that it may use; None for all.
    """
    port = ports.claim()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "PYTHONDONTWRITEBYTECODE": "1",  # the artifact stays as it is
        "SM_MODEL_DIR": str(model_dir.resolve()),
        "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        **image.environment,
        **(variables or {}),
    }
    with tempfile.TemporaryFile() as log:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(paths.PYTHON), *image.arguments],
            cwd=model_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            keep_to(core, process.pid)
            yield Server(process, port, log, started)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            ports.release(port)


def keep_to(core: int | None, pid: int) -> None:
    """Let a process that was just started, and its children, use one core only, where the system can do that."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


def last_core() -> int | None:
    """Return the number of the last core that this process may use; None where the system doesn't say."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


class PeakMemory:
    """Watches the memory of a process and its children from another thread.

    Attributes:
        megabytes: the highest so far, shared pages counted once (PSS; where the system doesn't tell it, RSS).
    """

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
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
