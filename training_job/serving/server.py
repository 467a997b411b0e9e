"""The server process: bounded threads, kept connections, a graceful end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from types import FrameType

from serving import logs
from serving.answer import error_answer
from serving.errors import ServingError
from serving.http_handler import InferenceHandler
from serving.predictor import Predictor, load_predictor
from serving.settings import ServerSettings

logger = logging.getLogger("serving")

_BUSY = error_answer(503, "busy", "every connection of this server is taken: try again").body
BUSY_RESPONSE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_BUSY), _BUSY)
)


class InferenceServer(ThreadingHTTPServer):
    """One thread a connection up to a limit, and a smaller number of forward passes at a time."""

    request_queue_size = 128
    daemon_threads = True

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.predictor: Predictor | None = None
        """None until the model has answered once; `/ping` says 503 until then."""
        self.workers = threading.BoundedSemaphore(settings.workers)
        self.stopping = False
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((settings.host, settings.port), InferenceHandler)

    def server_bind(self) -> None:
        """Bind without the base class's reverse DNS lookup, which can take seconds without a network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.settings.host, self.server_address[1]

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Give the connection a thread, or refuse it at once when all are taken."""
        with self._changed:
            accepted = len(self._connections) < self.settings.max_connections
            if accepted:
                self._connections.add(request)
        if accepted:
            super().process_request(request, client_address)
            return
        logger.warning("connection refused", extra={"facts": {"connections": self.settings.max_connections}})
        try:
            request.settimeout(1)
            request.sendall(BUSY_RESPONSE)
        except OSError:
            logger.debug("the refused client was gone already")
        self.shutdown_request(request)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log what escaped a handler as JSON instead of printing it."""
        if isinstance(sys.exception(), ConnectionError):
            logger.debug("a client closed its connection early")
        else:
            logger.exception("a connection failed")

    def stop(self) -> bool:
        """Stop accepting, let running requests finish; False when some did not within the drain time."""
        self.stopping = True
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._connections:
                # Readers of an idle connection see its end at once; a request being answered can still write.
                try:
                    connection.shutdown(socket.SHUT_RD)
                except OSError:
                    continue
            deadline = time.monotonic() + self.settings.drain_seconds
            while self._connections and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._connections


def run(environ: Mapping[str, str] = os.environ) -> int:
    """Serve until SIGTERM or SIGINT; the process's exit status. The reason of a failed start is the last log line."""
    logs.configure()
    try:
        settings = ServerSettings.from_env(environ)
    except ServingError as error:
        logger.error("cannot start", extra={"facts": {"reason": str(error)}})
        return 1
    logs.configure(settings.log_level)
    stop = threading.Event()

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)
    try:
        # The port first: a taken one is found before any time is spent on the model.
        server = InferenceServer(settings)
    except OSError as error:
        reason = f"cannot listen on {settings.host}:{settings.port} ({error.strerror})"
        logger.error("cannot start", extra={"facts": {"reason": reason}})
        return 1
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="accept", daemon=True).start()
    return _serve(server, stop)


def _serve(server: InferenceServer, stop: threading.Event) -> int:
    settings = server.settings
    started = time.perf_counter()
    try:
        server.predictor = load_predictor(settings.model_dir, threads=settings.threads)
    except ServingError as error:
        logger.error("cannot start", extra={"facts": {"reason": str(error)}})
        server.stop()
        return 1
    facts = {
        "host": settings.host,
        "port": server.server_port,
        "backend": server.predictor.backend.name,
        "model_version": settings.model_version,
        "load_seconds": round(time.perf_counter() - started, 3),
    }
    logger.info("ready", extra={"facts": facts})
    stop.wait()
    drained = server.stop()
    logger.info("stopped", extra={"facts": {"drained": drained}})
    return 0
