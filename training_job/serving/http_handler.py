"""The HTTP side of one connection: GET /ping and POST /invocations, everything else refused as JSON."""

from __future__ import annotations

import logging
import socket
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from serving.answer import Answer, answer, error_answer

if TYPE_CHECKING:
    from serving.server import InferenceServer

logger = logging.getLogger("serving")

MAX_BODY_BYTES = 6 * 1024 * 1024
"""Largest request body; SageMaker sends 6 MB at most to an instance, 4 MB to a serverless endpoint."""
ROUTES = {"/ping": "GET", "/invocations": "POST"}
LINGER_SECONDS = 2.0
"""How long a refused body is still read, so that the refusal is not lost to a connection reset."""


class InferenceHandler(BaseHTTPRequestHandler):
    """Handles the requests of one connection one after another."""

    server: InferenceServer  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"
    # For a malformed request line; the base class's HTTP/0.9 would mean an answer without a status.
    default_request_version = "HTTP/1.0"
    server_version = "text-classifier"
    sys_version = ""
    # Head and body leave in one segment: without these two, a kept connection waits 40 ms for a delayed ACK.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Give the connection its idle limit."""
        super().setup()
        self.connection.settimeout(self.server.settings.idle_seconds)

    def _handle(self) -> None:
        """Answer the request whose head has been read."""
        started = time.perf_counter()
        path = self._route()
        allowed = ROUTES.get(path)
        if allowed is None:
            self._refuse(error_answer(404, "not_found", f"no such path: there are {' and '.join(ROUTES)}"))
        elif self.command != allowed:
            message = f"{path} takes {allowed} only"
            self._refuse(error_answer(405, "method_not_allowed", message), {"Allow": allowed})
        elif path == "/ping":
            self._ping()
        else:
            self._invocations()
        quiet = path == "/ping" and self.status == 200
        facts = {
            "method": self.command,
            "path": path[:100],
            "status": self.status,
            "milliseconds": round((time.perf_counter() - started) * 1000, 2),
            **self.facts,
        }
        logger.log(logging.DEBUG if quiet else logging.INFO, "request", extra={"facts": facts})

    def _route(self) -> str:
        return self.path.partition("?")[0]

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def _ping(self) -> None:
        if self.headers.get("Content-Length", "0") != "0":
            self.close_connection = True
        if self.server.predictor is None:
            self._send(error_answer(503, "not_ready", "the model is still being loaded"))
        else:
            self._send(Answer(200, b'{"status":"ok"}'))

    def _invocations(self) -> None:
        refusal = self._check_length()
        if refusal is not None:
            self._refuse(refusal)
            return
        length = int(self.headers["Content-Length"])
        try:
            body = self.rfile.read(length)
        except OSError:  # silent for too long, or gone
            body = b""
        if len(body) < length:
            self.close_connection = True
            self._send(error_answer(400, "bad_request", f"the body ended before its {length} bytes had arrived"))
            return
        predictor = self.server.predictor
        if predictor is None:
            self._send(error_answer(503, "not_ready", "the model is still being loaded"))
            return
        with self.server.workers:
            result = answer(predictor, body, version=self.server.settings.model_version)
        self._send(result)

    def _check_length(self) -> Answer | None:
        """The refusal of a body whose length is unknown, malformed or above the limit; None if it may come."""
        text = self.headers.get("Content-Length")
        if text is None or "Transfer-Encoding" in self.headers:
            return error_answer(411, "length_required", "send the body with a Content-Length, not chunked")
        if not (text.isascii() and text.isdigit()):
            return error_answer(400, "bad_request", "Content-Length is not a whole number")
        if len(text) > 18 or int(text) > MAX_BODY_BYTES:
            return error_answer(413, "payload_too_large", f"the body may have {MAX_BODY_BYTES} bytes at most")
        return None

    def handle_expect_100(self) -> bool:
        """Ask for the body only if it will be read."""
        if ROUTES.get(self._route()) == self.command == "POST" and self._check_length() is None:
            super().handle_expect_100()
            self.wfile.flush()
            return True
        self.close_connection = True
        self._handle()
        return False

    def _refuse(self, result: Answer, headers: dict[str, str] | None = None) -> None:
        """Answer without having read the body, then close: what follows on the connection is not a request."""
        self.close_connection = True
        self._send(result, headers)
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self._linger()

    def _linger(self) -> None:
        """Let a client that writes before it reads get to the answer."""
        deadline = time.monotonic() + LINGER_SECONDS
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.connection.settimeout(left)
                if not self.connection.recv(64 * 1024):
                    return
        except OSError:
            return  # the client is gone, which is as good

    def _send(self, result: Answer, headers: dict[str, str] | None = None) -> None:
        self.status = result.status
        self.facts: dict[str, Any] = dict(result.facts)
        if self.server.stopping:
            self.close_connection = True
        self.send_response(result.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(result.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        try:
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(result.body)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
            self.facts["client_gone"] = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The base class's own refusals (a malformed request line, headers too large) in the product's form."""
        self.close_connection = True
        phrase = HTTPStatus(code).phrase
        self._send(error_answer(code, phrase.lower().replace(" ", "_"), phrase))
        logger.info("request", extra={"facts": {"status": code, **self.facts}})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Silence the base class: `_handle` writes the one line a request."""
