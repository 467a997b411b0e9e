"""A serving container's server as a process of this machine: started on one core, asked, and its memory watched."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil
import requests

from operations.errors import OperationError

START_SECONDS = 180
"""As long as SageMaker waits for /ping."""

_SAMPLE_SECONDS = 0.02


class ServerProcess:
    """The server of an artifact, as a context: it runs inside the ``with`` block.

    Attributes:
        start_seconds: from its start to its first answer.
        peak_mb: highest memory so far, shared pages counted once (PSS; where the system doesn't tell it, RSS).
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], model_dir: Path, first_text: str
    ) -> None:
        """`command` starts it, with its image's `environment`; `first_text` is the question that shows its life."""
        self.start_seconds = self.peak_mb = 0.0
        self._command, self._environment = list(command), dict(environment)
        self._model_dir, self._first_text = model_dir, first_text
        self._done = threading.Event()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])

    def __enter__(self) -> ServerProcess:
        """Start it and wait for its first answer.

        Raises:
            OperationError: it ended or stayed silent; with the end of its log.
        """
        self._log = tempfile.TemporaryFile()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": tempfile.gettempdir(),
            "SM_MODEL_DIR": str(self._model_dir),
            "PYTHONDONTWRITEBYTECODE": "1",  # the artifact stays as it is
            "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": str(self._port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "HF_TASK": "text-classification",
            "HF_HUB_OFFLINE": "1",
            **self._environment,
        }
        started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._model_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=_stay_on_one_core,
        )
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        try:
            self._await_answer(started)
        except BaseException:
            self._stop()
            raise
        self.start_seconds = time.monotonic() - started
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._stop()

    def ask(self, session: requests.Session, texts: Sequence[str]) -> float:
        """Seconds that one request takes. Raises OperationError for any status but 200."""
        body = {"inputs": texts[0] if len(texts) == 1 else list(texts)}
        started = time.perf_counter()
        answer = session.post(f"http://127.0.0.1:{self._port}/invocations", json=body, timeout=60)
        if answer.status_code != 200:
            raise OperationError(
                f"The server answered {answer.status_code} to {len(texts)} texts: {answer.text[:300]}",
                hint="try the artifact with `make predict` first",
            )
        return time.perf_counter() - started

    def _await_answer(self, started: float) -> None:
        while time.monotonic() - started < START_SECONDS:
            if self._process.poll() is not None:
                raise OperationError(
                    f"The server ended with exit code {self._process.returncode} while it started:\n{self._words()}",
                    hint="mend what it names; another folder or archive: make size-endpoint ARTIFACT=…",
                )
            try:
                if requests.get(f"http://127.0.0.1:{self._port}/ping", timeout=5).status_code == 200:
                    with requests.Session() as session:
                        self.ask(session, [self._first_text])
                    return
            except requests.RequestException:
                pass  # not listening yet
            time.sleep(_SAMPLE_SECONDS)
        raise OperationError(
            f"The server did not answer within {START_SECONDS} s:\n{self._words()}",
            hint="try the artifact with `make predict` first",
        )

    def _watch(self) -> None:
        while not self._done.is_set():
            try:
                own = psutil.Process(self._process.pid)
                self.peak_mb = max(self.peak_mb, sum(_megabytes(p) for p in (own, *own.children(recursive=True))))
            except psutil.Error:
                pass  # one of them has just ended
            self._done.wait(_SAMPLE_SECONDS)

    def _words(self) -> str:
        self._log.seek(0)
        return "\n".join(self._log.read().decode(errors="replace").splitlines()[-8:])

    def _stop(self) -> None:
        self._done.set()
        self._watcher.join()
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def _megabytes(process: psutil.Process) -> float:
    info = process.memory_full_info()
    return float(getattr(info, "pss", info.rss)) / 1024**2


def _stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
