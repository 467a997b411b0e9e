"""One model server process: it is started, watched, restarted after a crash, and asked for predictions."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

import urllib3

from local.sagemaker.processes import ports
from local.sagemaker.processes.child_process import ChildProcess, Command
from local.sagemaker.processes.log_stream import LogStream

_PING_EVERY_SECONDS = 0.05
_PING_TIMEOUT_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_FIRST_BACKOFF_SECONDS = 0.2
_LAST_BACKOFF_SECONDS = 30.0
_POOL_SIZE = 200  # the highest MaxConcurrency


class StartError(Exception):
    """The server did not come up."""


class ServerDownError(Exception):
    """The process is not running, or it ended while it was answering."""


class ServerTimeoutError(Exception):
    """The model did not answer in time."""


class ModelServer:
    """A process that answers GET /ping and POST /invocations on a loopback port."""

    def __init__(self, command: Command, log: LogStream, *, start_seconds: float, abandon: threading.Event) -> None:
        """Prepare a server; `start` adds the port to the environment of its command.

        `start_seconds` is the timeout for the first good /ping. `start` gives up as soon as `abandon` is set. `stop`
        closes the log.
        """
        self._command = command
        self._log = log
        self._start_seconds = start_seconds
        self._lock = threading.Lock()
        self._abandon = abandon
        self._stopping = threading.Event()
        self._exited = threading.Event()
        self._child: ChildProcess | None = None
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._keeper: threading.Thread | None = None
        self.start_took = 0.0
        """Seconds from the first start of the process to its first good /ping."""

    def start(self) -> None:
        """Start the process and wait until /ping answers 200. Raises StartError."""
        began = time.monotonic()
        try:
            self._launch()
        except StartError:
            self._end_child(0)
            raise
        self.start_took = time.monotonic() - began
        self._keeper = threading.Thread(target=self._keep_alive, name="model-server", daemon=True)
        self._keeper.start()

    def stop(self, grace: float) -> None:
        """End the process for good, within `grace` seconds and a little more."""
        self._stopping.set()
        self._exited.set()
        self._end_child(grace)
        if self._keeper is not None and self._keeper is not threading.current_thread():
            self._keeper.join(timeout=grace + 5)
        self._log.close()

    def memory_mb(self) -> float | None:
        """Return the memory of the process in megabytes, or None where it is unknown."""
        child = self._child
        return child.memory_mb() if child is not None else None

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout: float) -> urllib3.BaseHTTPResponse:
        """Send POST /invocations and return the answer. Raises ServerDownError, ServerTimeoutError."""
        pool = self._pool
        if pool is None:
            raise ServerDownError("the model server is being restarted")
        limits = urllib3.Timeout(connect=_CONNECT_SECONDS, read=timeout)
        try:
            return pool.urlopen(
                "POST", "/invocations", body=body, headers=dict(headers), timeout=limits, retries=False, redirect=False
            )
        except urllib3.exceptions.ReadTimeoutError as error:
            raise ServerTimeoutError(f"no answer within {timeout:g} s") from error
        except urllib3.exceptions.HTTPError as error:
            raise ServerDownError(f"the connection to the model server broke: {error}") from error

    def _launch(self) -> None:
        port = ports.claim()
        with self._lock:
            if self._stopping.is_set():
                raise StartError("the server was stopped while it started")
            self._exited.clear()
            address = {"SAGEMAKER_BIND_TO_HOST": ports.HOST, "SAGEMAKER_BIND_TO_PORT": str(port)}
            command = replace(self._command, environment={**self._command.environment, **address})
            self._child = ChildProcess(command, self._log.line, self._exited.set)
        pool = urllib3.HTTPConnectionPool(ports.HOST, port, maxsize=_POOL_SIZE, retries=False)
        self._await_ping(self._child, pool)
        self._pool = pool

    def _await_ping(self, child: ChildProcess, pool: urllib3.HTTPConnectionPool) -> None:
        deadline = time.monotonic() + self._start_seconds
        while time.monotonic() < deadline:
            if not child.running:
                raise StartError(f"the process ended with exit code {child.wait(0)}")
            if self._stopping.is_set() or self._abandon.is_set():
                raise StartError("the server was stopped while it started")
            left = max(0.01, min(_PING_TIMEOUT_SECONDS, deadline - time.monotonic()))
            try:
                if pool.urlopen("GET", "/ping", timeout=left, retries=False).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass  # not listening yet
            self._exited.wait(_PING_EVERY_SECONDS)
        raise StartError(f"/ping did not answer 200 within {self._start_seconds:g} s")

    def _keep_alive(self) -> None:
        """Restart the process whenever it ends by itself. The delay doubles with each failed start."""
        backoff = _FIRST_BACKOFF_SECONDS
        while True:
            self._exited.wait()
            if self._stopping.is_set():
                return
            child = self._child
            code = child.wait(0) if child is not None else None
            self._end_child(0)
            self._log.note(f"The model server ended with exit code {code}; it is started again.")
            if self._stopping.wait(backoff):
                return
            try:
                self._launch()
                backoff = _FIRST_BACKOFF_SECONDS
            except (StartError, OSError) as error:
                backoff = min(backoff * 2, _LAST_BACKOFF_SECONDS)
                self._log.note(f"The model server did not come up again: {error}")
                self._exited.set()

    def _end_child(self, grace: float) -> None:
        with self._lock:
            child, self._child = self._child, None
            pool, self._pool = self._pool, None
        if child is not None:
            child.stop(grace)
        if pool is not None:
            pool.close()
