"""What a client sends to the slim server: answers are well-formed, nothing stays counted, no refusal holds a text."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from fuzzing.run import Target
from serving.answer import Answer, refused
from serving.errors import RequestError
from serving.predictor import Prediction
from serving.server.app import InferenceApp
from serving.server.connection import Connection, Connections, Request
from serving.server.settings import ServerSettings

TEXT = "Zq9 a customer's words"
ONE = Prediction("good", 0.5, None, False, scores=(("good", 0.5),))
SETTINGS = ServerSettings(max_body_bytes=100_000, workers=1)


def request(body: bytes, *heads: str, path: str = "/invocations") -> bytes:
    """A POST with a body."""
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *heads, "\r\n"]
    return "\r\n".join(lines).encode() + body


BODY = json.dumps({"inputs": [TEXT, "b"], "parameters": {"top_k": 1, "truncation": False}}).encode()
LINES = b"".join(json.dumps({"inputs": TEXT, "parameters": {"top_k": n}}).encode() + b"\n" for n in (1, 2))
SEEDS = [
    request(BODY, "Content-Type: application/json"),
    request(LINES, "Content-Type: application/jsonlines", "Accept: application/jsonlines"),
    request(f'"{TEXT}"\nb\n'.encode(), "Content-Type: text/csv", "Accept: text/csv;q=0.5, */*;q=0.1"),
    request(BODY, "Expect: 100-continue", "Connection: close"),
    b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n" + request(BODY) + b"HEAD /ping HTTP/1.1\r\n\r\n",
    b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
    request(BODY, "Connection: Upgrade", "Upgrade: h2c") + request(BODY, path="/other"),
]


class _App(InferenceApp):
    """The real one, with a model that answers at once."""

    def __init__(self) -> None:
        super().__init__(SimpleNamespace(config=SimpleNamespace(labels=("bad", "good"))), SETTINGS)  # type: ignore[arg-type]

    def answer(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """Read and write in this thread, one turn of the loop later."""
        asyncio.get_running_loop().call_soon(lambda: reply(self._answered(request)))

    def _answered(self, request: Request) -> Answer:
        if request.path == "/ping":
            return Answer(200, b'{"status":"ok"}')
        try:
            inputs = self._inputs(request)
        except RequestError as error:
            return refused(error)
        return self._written(request, inputs, [ONE] * len(inputs.texts))


class _Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed, "written after the end"
        self.written += bytes(data)

    def write_eof(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class Fuzzed(Target):
    """Sends the bytes whole and in pieces."""

    def __init__(self) -> None:
        super().__init__(SEEDS)
        self.app = _App()
        logging.getLogger("serving").setLevel("CRITICAL")

    def check(self, data: bytes) -> None:
        third = len(data) // 3 + 1
        pieces = [data[start : start + third] for start in range(0, len(data), third)]
        whole, parts = (asyncio.run(self.talk(chunks)) for chunks in ([data], pieces))
        # What is no request and comes together with one ends the connection after the answer, without its own.
        assert all(one == other for one, other in zip(statuses(whole), statuses(parts), strict=False))
        for answers in (whole, parts):
            inspect(answers)

    async def talk(self, chunks: list[bytes]) -> bytes:
        """Return what a connection writes."""
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        shared, transport = Connections(self.app, SETTINGS), _Transport()
        connection = Connection(shared)
        connection.connection_made(transport)
        for chunk in chunks:
            connection.data_received(chunk)
            await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        connection.connection_lost(None)
        assert (shared.open, shared.held_bytes, failures) == (set(), 0, [])
        return transport.written


def statuses(written: bytes) -> list[bytes]:
    """The statuses of all answers but 100; that, and which fault of a head is refused, depends on what comes first."""
    found = re.findall(rb"HTTP/1\.1 (\d+) ", written)
    return [b"400" if status == b"431" else status for status in found if status != b"100"]


def inspect(rest: bytes) -> None:
    """Each answer has its length; refusals are JSON without a text."""
    while rest := rest.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"):
        head, found, body = rest.partition(b"\r\n\r\n")
        assert found and head.startswith(b"HTTP/1.1 "), head[:100]
        length = int(re.findall(rb"\r\ncontent-length: (\d+)", head)[0])
        if not head.startswith(b"HTTP/1.1 200"):
            assert b"Zq9" not in head
            length = 0 if not body else length  # HEAD
        if length and not head.startswith(b"HTTP/1.1 200"):
            assert b"Zq9" not in body[:length]
            assert body.startswith((b'{"error"', b"HTTP/1.1")), body[:100]
        rest = body[length:] if not body.startswith(b"HTTP/1.1") else body
