"""The server's requests: GET /ping and POST /invocations, everything else refused as JSON."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from serving import formats
from serving.answer import Answer, error_answer, model_failure
from serving.errors import RequestError
from serving.predictor import Predictor
from serving.request import Limits
from serving.server.connection import CUT, LINGER_SECONDS
from serving.server.settings import ServerSettings

logger = logging.getLogger("serving")

ROUTES = {"/ping": "GET", "/invocations": "POST"}
SLICE = 128
"""Most texts that a worker takes at once: the list of a JSON request as a whole, a bulk body in slices, between which
the requests of other callers get their turn."""
PARSED_INLINE_BYTES = 16 * 1024
"""Larger bodies are parsed by a worker, so that connections and /ping do not wait for it."""
HELD_BODIES = 4
"""Bodies of the largest size that may be in memory at once, counted in bytes."""


class InferenceApp:
    """An ASGI application around one predictor. Runs in one event loop; the forward passes run in worker threads.

    Requests of different callers never share a forward pass: the int8 network scales its activations by their range
    within a batch, so a caller's answer would depend on strangers (docs/decisions/0006).
    """

    def __init__(self, predictor: Predictor, settings: ServerSettings) -> None:
        self._predictor = predictor
        self._settings = settings
        self._limits = Limits()
        self._workers = ThreadPoolExecutor(settings.workers, thread_name_prefix="worker")
        self._running = 0
        self._held_bytes = 0

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request and write its line into the log."""
        started = time.perf_counter()
        request = _Request(scope, receive)
        answer = await self._route(request)
        if answer is None:
            answer = Answer(499, b"", {"client_gone": True})  # nobody is there to read it
        else:
            await self._send(answer, request, send)
        facts = {
            "method": request.method,
            "path": request.path[:100],
            "status": answer.status,
            "milliseconds": round((time.perf_counter() - started) * 1000, 2),
            **answer.facts,
        }
        quiet = request.path == "/ping" and answer.status == 200
        logger.log(logging.DEBUG if quiet else logging.INFO, "request", extra={"facts": facts})

    async def _route(self, request: _Request) -> Answer | None:
        allowed = ROUTES.get(request.path)
        if allowed is None:
            return error_answer(404, "not_found", f"no such path: there are {' and '.join(ROUTES)}")
        if request.method != allowed:
            message = f"{request.path} takes {allowed} only"
            return error_answer(405, "method_not_allowed", message, {"allow": allowed})
        if request.path == "/ping":
            return Answer(200, b'{"status":"ok"}')
        try:
            return await self._invocations(request)
        except RequestError as error:
            headers = {"retry-after": "1"} if error.status == 429 else {}
            return error_answer(error.status, error.kind, error.message, headers)
        except ClientGoneError:
            return None

    async def _invocations(self, request: _Request) -> Answer:
        content_type = formats.request_type(request.headers.get("content-type"))
        accept = formats.answer_type(request.headers.get("accept"), content_type)
        held = 0
        try:
            body = bytearray()
            async for chunk in request.chunks(self._settings):
                held += len(chunk)
                self._held_bytes += len(chunk)
                if self._held_bytes > HELD_BODIES * self._settings.max_body_bytes:
                    raise _busy()
                body += chunk
            if self._running >= self._settings.workers + self._settings.queue:
                raise _busy()
            self._running += 1
            try:
                return await self._answer(bytes(body), content_type, accept)
            finally:
                self._running -= 1
        finally:
            self._held_bytes -= held

    async def _answer(self, body: bytes, content_type: str, accept: str) -> Answer:
        run = asyncio.get_running_loop().run_in_executor
        if len(body) > PARSED_INLINE_BYTES:
            texts = await run(self._workers, formats.read_texts, content_type, body, self._limits)
        else:
            texts = formats.read_texts(content_type, body, self._limits)
        parts, truncated = [], 0
        for start in range(0, len(texts), SLICE):
            done = await run(self._workers, self._predict, texts[start : start + SLICE], accept)
            if isinstance(done, Answer):
                return done
            parts.append(done[0])
            truncated += done[1]
        facts = {"texts": len(texts), "characters": sum(map(len, texts)), "truncated": truncated}
        return Answer(200, formats.wrap(accept, parts, self._settings.model_version), facts, content_type=accept)

    def _predict(self, texts: Sequence[str], accept: str) -> tuple[bytes, int] | Answer:
        """In a worker: the predictions as they are sent and how many texts were cut, or the model's failure."""
        try:
            predictions = self._predictor.predict(texts)
        except Exception:  # whatever the network's library raises; the caller learns only that the model failed
            return model_failure()
        written = formats.write_records(accept, predictions, self._settings.model_version)
        return written, sum(prediction.truncated for prediction in predictions)

    async def _send(self, answer: Answer, request: _Request, send: ASGISendCallable) -> None:
        unread = not request.complete
        headers = {
            "content-type": answer.content_type,
            "content-length": str(len(answer.body)),
            **answer.headers,
            # What follows on the connection would be the rest of the body and not a request.
            **({"connection": "close"} if unread else {}),
        }
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs, "trailers": False})
        await send({"type": "http.response.body", "body": answer.body, "more_body": unread})
        if unread:
            await request.linger()
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _busy() -> RequestError:
    return RequestError("the server has more requests than it can queue: try again", status=429, kind="busy")


class ClientGoneError(Exception):
    """The connection ended before its request was complete."""


class _Request:
    """The head of a request, and its body as it comes."""

    def __init__(self, scope: HTTPScope, receive: ASGIReceiveCallable) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        # Of a repeated header the last one counts; what decides about lengths was checked by the parser.
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.complete = self.headers.get("content-length", "0") == "0" and "transfer-encoding" not in self.headers
        """Whether nothing of the body is left to be read."""
        self._given_up = False
        self._state: dict[str, Any] = scope["state"]
        self._receive = receive

    async def chunks(self, settings: ServerSettings) -> AsyncIterator[bytes]:
        """Yield the body in pieces.

        Raises RequestError: no length, too long, too slow or cut; ClientGoneError: nobody waits for an answer.
        """
        if "transfer-encoding" in self.headers or "content-length" not in self.headers:
            message = "send the body with a Content-Length, not chunked"
            raise RequestError(message, status=411, kind="length_required")
        if "upgrade" in self.headers:  # the parser stops there, without the body
            raise RequestError("this server speaks HTTP/1.1 only: send the request without Upgrade")
        announced, read = int(self.headers["content-length"]), 0
        if announced > settings.max_body_bytes:
            message = f"the body may have {settings.max_body_bytes} bytes at most"
            raise RequestError(message, status=413, kind="payload_too_large")
        deadline = asyncio.get_running_loop().time() + settings.read_seconds
        while not self.complete:
            try:
                async with asyncio.timeout_at(deadline):
                    message_ = await self._receive()
            except TimeoutError as error:
                self._given_up = True
                message = f"only {read} of the body's {announced} bytes came within {settings.read_seconds:g} s"
                raise RequestError(message, status=408, kind="timeout") from error
            if message_["type"] != "http.request":
                raise ClientGoneError
            read += len(message_["body"])
            self.complete = not message_["more_body"]
            yield message_["body"]
        if self._state.get(CUT):
            raise RequestError(f"the body ended after {read} of its {announced} bytes")

    async def linger(self) -> None:
        """Read and forget what still comes of a refused body, so that a client who writes first gets the answer."""
        if self._given_up or "expect" in self.headers or "transfer-encoding" in self.headers:
            return  # he is too slow, has not begun to send, or his body has no end that could be waited for
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while True:
                    message = await self._receive()
                    if message["type"] != "http.request" or not message["more_body"]:
                        return
        except TimeoutError:
            return
