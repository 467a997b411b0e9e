"""A small HTTP server that keeps the API's contract (README, "The API"), and fails on request."""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from running_server import RunningServer

MAX_TEXTS, MAX_CHARACTERS, MAX_BYTES = 100, 20_000, 4 * 1024 * 1024
VERSION = "7"


@dataclass(frozen=True)
class Fault:
    """What happens to one request instead of its answer."""

    status: int | None = None
    """Answered with this status; None: the connection is reset."""
    retry_after: str | None = None
    code: str = "made_up"
    body: str | None = None
    """Sent instead of a problem."""
    headers: tuple[tuple[str, str], ...] = ()


RESET = Fault()


def prediction(text: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the server says about a text: always the same, and different for most texts."""
    score = zlib.crc32(text.encode()) % 2001 / 1000
    confidence = 0.5 + abs(score - 1) / 2
    label, other = ("helpful", "not_helpful") if score >= 1 else ("not_helpful", "helpful")
    told = {"label": label, "confidence": confidence, "score": score, "truncated": len(text) > 1000}
    if not parameters:
        return told
    scores = [{"label": label, "confidence": confidence}, {"label": other, "confidence": 1 - confidence}]
    return {**told, "scores": scores[: parameters["top_k"]]}


class ContractApi(RunningServer):
    """Runs while its `with` block does.

    Args:
        fault: from the number of a POST (from 0) and its texts to what goes wrong; None answers it.
        api_key: asked for where it is given.
        seconds: how long each answer takes.
        max_texts: refuses requests of more texts, as an API with a smaller limit would.
        upstream: base of a real API that gives the answers instead.
    """

    def __init__(
        self,
        fault: Callable[[int, list[str]], Fault | None] = lambda number, texts: None,
        *,
        api_key: str | None = None,
        seconds: float = 0,
        max_texts: int = MAX_TEXTS,
        upstream: str | None = None,
    ) -> None:
        self.fault, self.api_key, self.seconds = fault, api_key, seconds
        self.max_texts, self.upstream = max_texts, upstream
        self.asked: list[list[str]] = []
        """Texts of every POST, as they arrived; bodies that break the contract are not among them."""
        self.answered: Counter[str] = Counter()
        """How often each text was answered with a prediction."""
        self.refused: list[str] = []
        """Why bodies were refused."""
        self.headers: list[dict[str, str]] = []
        """Headers of every request."""
        self.connections = 0
        self.now, self.most_at_once = 0, 0
        self.lock = threading.Lock()
        super().__init__(_Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self})), path="/live")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that were killed are no news."""


class _Handler(BaseHTTPRequestHandler):
    api: ContractApi
    """The server that this handles requests of; each has a subclass."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        with self.api.lock:
            self.api.connections += 1
        super().setup()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self.api.headers.append(dict(self.headers))
        pages: dict[str, Any] = {
            "/live/v1/health": {"status": "ok"},
            "/live/v1/model": {"version": VERSION},
            "/live/v1/health?deep=true": {"status": "ok", "model": "ok"},
        }
        if self.path in pages:
            self._send(200, json.dumps(pages[self.path]))
        else:
            self._problem(404, "not_found", "There is no such path.")

    def do_POST(self) -> None:
        self.api.headers.append(dict(self.headers))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if problem := self._broken_rule(body):
            self.api.refused.append(problem[2])
            self._problem(*problem)
            return
        texts = json.loads(body)["inputs"]
        with self.api.lock:
            number = len(self.api.asked)
            self.api.asked.append(texts)
            self.api.now += 1
            self.api.most_at_once = max(self.api.most_at_once, self.api.now)
        try:
            self._answer(number, texts, body)
        finally:
            with self.api.lock:
                self.api.now -= 1

    def _broken_rule(self, body: bytes) -> tuple[int, str, str] | None:
        if self.path != "/live/v1/predictions":
            return 404, "not_found", "There is no such path."
        if self.api.api_key and self.headers.get("x-api-key") != self.api.api_key:
            return 403, "forbidden", "The API key is missing or unknown."
        if len(body) > MAX_BYTES:
            return 413, "payload_too_large", f"The body has {len(body)} bytes."
        inputs = json.loads(body)["inputs"]
        if not 1 <= len(inputs) <= self.api.max_texts:
            return 400, "bad_request", f"inputs has {len(inputs)} texts. Allowed are 1 to {self.api.max_texts}."
        if wrong := [len(text) for text in inputs if not 1 <= len(text) <= MAX_CHARACTERS]:
            return 400, "bad_request", f"A text has {wrong[0]} characters. Allowed are 1 to {MAX_CHARACTERS}."
        if any("REFUSED" in text for text in inputs):
            return 400, "bad_request", "A text is refused for the sake of a test."
        return None

    def _answer(self, number: int, texts: list[str], body: bytes) -> None:
        time.sleep(self.api.seconds)
        fault = self.api.fault(number, texts)
        if fault is None:
            parameters = json.loads(body).get("parameters")
            predictions = [prediction(text, parameters) for text in texts]
            status, answer = 200, json.dumps({"predictions": predictions, "model": {"version": VERSION}})
            if self.api.upstream:
                real = requests.post(
                    f"{self.api.upstream}/v1/predictions",
                    data=body,
                    timeout=60,
                    headers={"Content-Type": "application/json"},
                )
                status, answer = real.status_code, real.text
            if status == 200:
                with self.api.lock:
                    self.api.answered.update(texts)
            self._send(status, answer)
        elif fault.status is None:
            self.close_connection = True
            self.connection.close()
        elif fault.body is not None:
            self._send(fault.status, fault.body, fault.headers)
        else:
            wait = (("Retry-After", fault.retry_after),) if fault.retry_after else ()
            self._problem(fault.status, fault.code, "It was asked to fail.", *wait, *fault.headers)

    def _problem(self, status: int, code: str, detail: str, *headers: tuple[str, str]) -> None:
        problem = {"title": "Problem", "status": status, "code": code, "detail": detail, "request_id": "r-1"}
        self._send(status, json.dumps(problem), (("Content-Type", "application/problem+json"), *headers))

    def _send(self, status: int, body: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())
