"""Stands for the official Hugging Face inference image. A script of its own: `python huggingface.py serve`.

It serves the artifact in `SM_MODEL_DIR` through the hooks in its `code/inference.py`: `GET /ping` and
`POST /invocations` on `SAGEMAKER_BIND_TO_HOST`:`SAGEMAKER_BIND_TO_PORT`. An exception of a hook becomes a 400 with the
toolkit's JSON, unless the hook has set another status through its context.

`/ping` answers 200 once `model_fn` has returned. If `model_fn` raises, the process ends with exit code 1, and its last
log line gives the reason.

With `LOCAL_CONTAINER_PING=stock` it behaves like the image itself: `/ping` answers 200 at once, the first request loads
the model, each request after a failed load tries again and gets a 400, and the context names the image's server.
"""

import json
import os
import queue
import signal
import socketserver
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from huggingface_hooks import HookedModel, UnusableArtifactError

_PING = "LOCAL_CONTAINER_PING"
# The name of the image's server; artifacts may use it.
_STOCK_SERVER = {"server_name": "MMS", "server_version": "1.1.11"}
_DRAIN_SECONDS = 60.0


def say(message: str, **facts: object) -> None:
    """Write one JSON line to the container's log. It must not contain text of a request."""
    sys.stdout.write(json.dumps({"message": message, **facts}) + "\n")
    sys.stdout.flush()


class Container(ThreadingHTTPServer):
    """The listening side. Each connection has a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], model: HookedModel, *, stock: bool) -> None:
        self.model = model
        self.stock = stock
        self.stopping = False
        self._running = 0
        self._changed = threading.Condition()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without the base class's reverse DNS lookup, which can take seconds without a network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """Count a request, so that `stop` waits for it."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what a handler did not catch, such as a broken connection."""
        say("a connection failed", error=type(sys.exception()).__name__)

    def stop(self) -> None:
        """Accept no more requests, and wait until the current ones are answered."""
        self.stopping = True
        self.shutdown()
        self.server_close()
        with self._changed:
            self._changed.wait_for(lambda: self._running == 0, _DRAIN_SECONDS)


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection."""

    server: Container
    protocol_version = "HTTP/1.1"
    # With these two, head and body leave in one segment. Otherwise a delayed ACK adds 40 ms on kept connections.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer /ping."""
        if self.path != "/ping":
            self._send(*_error(404, "ResourceNotFoundException", "There are GET /ping and POST /invocations."))
        elif self.server.stock or self.server.model.loaded:
            self._send(200, b'{"status":"Healthy"}', "application/json")
        else:
            self._send(*_error(503, "ServiceUnavailableException", "The model is being loaded."))

    def do_POST(self) -> None:
        """Answer /invocations."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/invocations" or not length.isdigit():
            self.close_connection = True
            self._send(*_error(404, "ResourceNotFoundException", "There is POST /invocations, with a Content-Length."))
            return
        with self.server.request_under_way():
            started = time.perf_counter()
            body = self.rfile.read(int(length))
            facts: dict[str, object] = {}
            try:
                status, answer, content_type = self.server.model.answer(body, self.headers)
            except Exception as error:  # the toolkit turns every exception of a hook into a 400
                status, answer, content_type = _error(400, "InternalServerException", str(error))
                facts = {"error": type(error).__name__, "at": _place(error)}
            self._send(status, answer, content_type)
            self.wfile.flush()
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        say("request", status=status, bytes=len(body), milliseconds=milliseconds, **facts)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.server.stopping:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence the base class."""


def _error(status: int, kind: str, message: str) -> tuple[int, bytes, str]:
    document = {"code": status, "type": kind, "message": message}
    return status, json.dumps(document, indent=2).encode(), "application/json"


def _place(error: Exception) -> str:
    """Return file and line of the exception. Its message is not logged, because it may contain text of a request."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM. Return the exit code: 0 stopped, 1 cannot start, 2 wrong arguments."""
    if arguments != ["serve"]:
        say("usage: python huggingface.py serve")
        return 2
    ping = environ.get(_PING) or "honest"
    address = (environ.get("SAGEMAKER_BIND_TO_HOST", "127.0.0.1"), int(environ.get("SAGEMAKER_BIND_TO_PORT", "8080")))
    try:
        if ping not in ("honest", "stock"):
            raise UnusableArtifactError(f"{_PING}={ping} is not allowed: expected honest or stock")
        stock = ping == "stock"
        model = HookedModel(Path(environ.get("SM_MODEL_DIR", "/opt/ml/model")), _STOCK_SERVER if stock else {})
        container = Container(address, model, stock=stock)
    except (UnusableArtifactError, OSError) as error:
        say("cannot start", reason=str(error))
        return 1
    return _serve(container)


def _serve(container: Container) -> int:
    ending: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()  # unlike an Event, safe in a signal handler

    def load() -> None:
        try:
            container.model.load()
            say("ready", port=container.server_port)
        except Exception as error:
            ending.put(error)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.put(None))
    threading.Thread(target=container.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    if container.stock:
        say("listening", port=container.server_port)
    else:
        threading.Thread(target=load, daemon=True).start()
    failure = ending.get()
    container.stop()
    if failure is None:
        say("stopped")
        return 0
    text = "".join(traceback.format_exception(failure))
    # Without the lines of ^^^^: a FailureReason has room for a few of the last lines only.
    sys.stdout.writelines(f"{line}\n" for line in text.splitlines() if line.strip(" ^~"))
    say("cannot start", reason=f"{type(failure).__name__}: {failure}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
