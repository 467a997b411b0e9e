"""HTTP/1.1 connections, with a limit on everything that a client controls.

The parser is llhttp (httptools), which Node and uvicorn use too; asyncio reads and writes. This module adds what a
server without a proxy needs: time limits for heads, bodies, idle connections and slow readers; limits on heads, bodies,
connections and pipelined requests, within which clients that keep the server waiting give way to others; answers in
order; refusals as JSON. Why no existing server is used is in docs/decisions/0006.
"""

import asyncio
import functools
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import httptools

from serving.answer import Answer, error_answer
from serving.server.request_log import RequestLog
from serving.server.settings import ServerSettings

logger = logging.getLogger("serving")

MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED = 16
"""Requests of one connection that may wait for an earlier one; further ones are not read."""
HELD_BODIES = 4
"""Limit on the memory for the bodies of all connections, in bodies of the largest size."""
MAX_REFUSED = 64
"""Connections beyond the limit that get a refusal at one time; further ones are reset."""
GRACE_SECONDS = 1.0
"""For so long a client may keep the server waiting before its connection gives way to a new one."""
LINGER_SECONDS = 2.0
"""How long to read and discard data after a refusal, so that a reset does not destroy the refusal."""


class Request:
    """A request whose head is complete."""

    __slots__ = ("body", "complete", "headers", "keep_alive", "length", "method", "path", "refusal", "started")

    def __init__(self, method: str, path: str, headers: dict[str, str], *, keep_alive: bool) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        """By lower-case name; the last one counts if repeated. The parser checks those that decide about lengths."""
        self.keep_alive = keep_alive
        self.length = int(headers.get("content-length", "0"))
        self.body = bytearray()
        self.complete = self.length == 0 and "transfer-encoding" not in headers
        self.refusal: Answer | None = None
        """The answer, if it is known before the body is complete."""
        self.started = time.monotonic()


class Application(Protocol):
    """Answers requests."""

    def refusal(self, request: Request) -> Answer | None:
        """Return the answer to a request whose head is unacceptable; None if its body shall be read."""
        ...

    def answer(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """Call `reply` once, now or later, in the event loop."""
        ...


class Connections:
    """The shared state of a server's connections."""

    def __init__(self, application: Application, settings: ServerSettings) -> None:
        self.application = application
        self.settings = settings
        self.open: set[Connection] = set()
        self.refused: set[Connection] = set()
        """Connections beyond the limit; each ends after its refusal."""
        self.log = RequestLog()
        self.held_bytes = 0
        """Memory of the bodies whose requests are not answered yet."""

    def slowest(self, *, with_body: bool = False) -> "Connection | None":
        """Return the connection whose client has kept us waiting longest, of all or of those that hold a body."""
        some = (connection for connection in self.open if not with_body or connection.holds_body())
        return min(some, key=Connection.waiting_since, default=None)


class Connection(asyncio.Protocol):
    """Reads the requests of one connection and writes the answers, one after the other."""

    def __init__(self, shared: Connections) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        # Otherwise llhttp refuses data after a request with "Connection: close" before that request is answered.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._requests: deque[Request] = deque()  # not answered yet
        self._answering = False  # whether the first of them is being answered
        self._reading = True  # whether received data is parsed, or discarded
        self._client_done = False  # whether the client closed its side
        self._in_head = False
        self._head_bytes = 0  # parsed bytes of the current head
        self._unparsed_bytes = 0  # received bytes of it: the parser holds an unfinished line back
        self._url = b""
        self._headers: dict[str, str] = {}
        self._deadline = 0.0
        self._late: Callable[[], None] | None = None
        self._idle_since = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    # Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, or refuse it if there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._shared.open) >= self._settings.max_connections and not self._take_place():
            self._refuse(error_answer(503, "busy", "every connection of this server is taken: try again"))
            self._shared.refused.add(self)
            if len(self._shared.refused) > MAX_REFUSED:
                transport.abort()
            return
        self._shared.open.add(self)
        self._limit(self._settings.read_seconds, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._shared.open.discard(self)
        self._shared.refused.discard(self)
        self._reading = False
        for timer in (self._timer, self._stalled):
            if timer is not None:
                timer.cancel()
        self._late = None
        while len(self._requests) > int(self._answering):
            self._forget(self._requests.pop(), Answer(499, b"", {"client_gone": True}))

    def data_received(self, data: bytes) -> None:
        """Parse the data, then answer the first request if it is complete."""
        if not self._reading:
            return
        if self._in_head:
            self._unparsed_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end_reading()
        except httptools.HttpParserError:
            self._cannot_go_on()
        if self._in_head and self._unparsed_bytes > MAX_HEAD_BYTES:
            self._cannot_go_on()
        self._advance()

    def eof_received(self) -> bool:
        """Handle a client that closed its side: return True to keep the connection for a pending answer."""
        self._client_done = True
        if not self._requests:
            return False
        last = self._requests[-1]
        self._end_reading()
        if not last.complete and last.refusal is None:
            message = f"the body ended after {len(last.body)} of its {last.length} bytes"
            last.refusal = error_answer(400, "bad_request", message)
        self._advance()
        return True

    def pause_writing(self) -> None:
        """Start the time limit for a client that reads more slowly than we write."""
        self._stalled = self._loop.call_later(self._settings.idle_seconds, self._transport.abort)
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """End that time limit: the client has caught up."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        self._transport.resume_reading()
        self._advance()

    # Called by the parser

    def on_message_begin(self) -> None:
        """Begin a request."""
        if not self._reading:
            raise ValueError("what follows is not read")  # ends the parser's work
        self._in_head, self._head_bytes, self._unparsed_bytes = True, 0, 0
        self._url, self._headers = b"", {}
        self._limit(self._settings.read_seconds, self._head_is_late)

    def on_url(self, url: bytes) -> None:
        """Add a part of the URL."""
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header."""
        self._count(len(name) + len(value) + 4)
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Queue the request, or refuse it by its head."""
        if len(self._requests) > MAX_PIPELINED:
            raise ValueError("too many requests sent ahead")
        self._in_head = False
        request = Request(
            self._parser.get_method().decode("latin-1"),
            (httptools.parse_url(self._url).path or b"").decode("latin-1"),
            self._headers,
            keep_alive=self._parser.should_keep_alive() and self._parser.get_http_version() != "1.0",
        )
        request.refusal = self._shared.application.refusal(request)
        self._requests.append(request)
        if request.complete:
            self._no_limit()
        elif request.refusal is None:
            self._limit(self._settings.read_seconds, self._body_is_late)
        else:
            self._end_reading()  # the rest of the body follows, not a request

    def on_body(self, body: bytes) -> None:
        """Add a part of the last request's body."""
        if not self._reading:
            return
        self._requests[-1].body += body
        self._shared.held_bytes += len(body)
        while self._reading and self._shared.held_bytes > HELD_BODIES * self._settings.max_body_bytes:
            slowest = self._shared.slowest(with_body=True)
            (self if slowest is None or slowest.waiting_since() == math.inf else slowest).give_up()

    def on_message_complete(self) -> None:
        """Complete the last request."""
        if self._reading:
            self._requests[-1].complete = True
            self._no_limit()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise ValueError("the head is too long")  # makes the parser fail

    # Answers

    def stop(self) -> None:
        """End the connection after answering the requests that have arrived."""
        if self._requests:
            self._requests[-1].keep_alive = False
        else:
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._shared.open.discard(self)  # `connection_lost` comes later
        self._transport.abort()

    def holds_body(self) -> bool:
        """Return whether a body, or a part of one, waits here."""
        return any(request.body for request in self._requests)

    def waiting_since(self) -> float:
        """Return the moment from which this connection waits for its client; infinity while the client waits."""
        if self._stalled is not None:
            return self._stalled.when() - self._settings.idle_seconds
        if not self._requests:
            return self._idle_since
        last = self._requests[-1]
        return math.inf if self._answering or last.complete or last.refusal is not None else last.started

    def give_up(self) -> None:
        """Free the memory of the bodies for which this connection waits, or which wait for its client to read."""
        for request in self._requests if self._stalled is not None else [self._requests[-1]]:
            self._shared.held_bytes -= len(request.body)
            request.body, request.refusal = bytearray(), busy()
        self._end_reading()
        if self._stalled is not None:
            self.abort()
        self._advance()

    def _take_place(self) -> bool:
        """End the connection whose client has been slowest; False if each is given more time."""
        slowest = self._shared.slowest()
        if slowest is None or slowest.waiting_since() > self._loop.time() - GRACE_SECONDS:
            return False
        slowest.abort()
        return True

    def _advance(self) -> None:
        """Answer the first request, if it is complete or refused and no other is being answered."""
        if self._answering or self._stalled is not None or not self._requests:
            return
        request = self._requests[0]
        if request.refusal is not None:
            self._answering = True
            self._reply(request, request.refusal)
        elif request.complete:
            self._answering = True
            self._shared.application.answer(request, functools.partial(self._reply, request))
        elif request.headers.get("expect", "").lower() == "100-continue" and not request.body:
            del request.headers["expect"]
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _reply(self, request: Request, answer: Answer) -> None:
        """Write the answer to the first request, and continue with the next one."""
        self._requests.popleft()
        self._answering = False
        last = not request.keep_alive or (not self._reading and not self._requests)
        if not self._transport.is_closing():
            self._transport.write(_serialised(answer, close=last, head_only=request.method == "HEAD"))
            if last:
                self._close()
            elif self._requests:
                self._loop.call_soon(self._advance)  # other connections get a turn in between
            elif not self._in_head:
                # Also ends a connection whose client never reads its answer.
                self._limit(self._settings.idle_seconds, self._transport.abort)
        self._idle_since = self._loop.time()
        self._forget(request, answer)

    def _forget(self, request: Request, answer: Answer) -> None:
        self._shared.held_bytes -= len(request.body)
        facts = {
            "method": request.method,
            "path": request.path[:100],
            "status": answer.status,
            "milliseconds": round((time.monotonic() - request.started) * 1000, 2),
            **answer.facts,
        }
        if request.path != "/ping" or answer.status != 200 or logger.isEnabledFor(logging.DEBUG):
            self._shared.log.add(facts)

    def _cannot_go_on(self) -> None:
        """Refuse data that is not HTTP, or too long a head, after answering the requests before it."""
        if not self._reading:
            return
        if self._requests:
            self._end_reading()
        elif max(self._head_bytes, self._unparsed_bytes) > MAX_HEAD_BYTES:
            self._refuse(error_answer(431, "head_too_large", f"a head may have {MAX_HEAD_BYTES} bytes at most"))
        else:
            self._refuse(error_answer(400, "bad_request", "this is not an HTTP/1.1 request"))

    def _refuse(self, answer: Answer) -> None:
        """Write an answer without a request, and end the connection."""
        self._shared.log.add({"status": answer.status, **answer.facts})
        self._transport.write(_serialised(answer, close=True))
        self._end_reading()
        self._close()

    def _end_reading(self) -> None:
        """Discard further data: the last parsed request is the last of the connection."""
        self._reading = self._in_head = False
        self._no_limit()

    def _close(self) -> None:
        """End the connection after the written data."""
        if self._reading or self._client_done:
            self._limit(self._settings.idle_seconds, self._transport.abort)  # for what the client does not read
            self._transport.close()
            return
        # Closing with unread data would reset the connection, and the answer would be lost.
        self._transport.write_eof()
        self._limit(LINGER_SECONDS, self._transport.abort)

    # Time limits

    def _limit(self, seconds: float, late: Callable[[], None]) -> None:
        """Call `late` after `seconds`, unless another limit is set, or `_no_limit` called, before that."""
        self._deadline, self._late = self._loop.time() + seconds, late
        # An earlier timer rearms itself when due, so a connection needs one timer and not one for each request.
        if self._timer is None or self._timer.when() > self._deadline:
            self._start_timer()

    def _no_limit(self) -> None:
        self._late = None

    def _start_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._late is None:
            return
        if self._loop.time() < self._deadline:
            self._start_timer()
            return
        late, self._late = self._late, None
        late()

    def _head_is_late(self) -> None:
        if self._in_head and not self._requests:
            self._refuse(error_answer(408, "timeout", f"the head took over {self._settings.read_seconds:g} s"))
        elif self._requests:
            self._end_reading()
        else:
            self._transport.close()

    def _body_is_late(self) -> None:
        request = self._requests[-1]
        self._end_reading()
        read, seconds = len(request.body), self._settings.read_seconds
        message = f"only {read} of the body's {request.length} bytes came within {seconds:g} s"
        request.refusal = error_answer(408, "timeout", message)
        self._advance()


def busy() -> Answer:
    """Make the answer for a server without free capacity."""
    message = "the server has more requests than it can queue: try again"
    return error_answer(429, "busy", message, {"retry-after": "1"})


def _serialised(answer: Answer, *, close: bool, head_only: bool = False) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
        f"date: {_date(int(time.time()))}",
        f"content-type: {answer.content_type}",
        f"content-length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
        *(["connection: close"] if close else []),
        "\r\n",
    ]
    return "\r\n".join(lines).encode("latin-1") + (b"" if head_only else answer.body)


@functools.cache
def _phrase(status: int) -> str:
    if status == 200:
        return "OK"
    from http import HTTPStatus  # imported with the first refusal, because it would delay the start

    return HTTPStatus(status).phrase


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    """Format an HTTP date. It is in English, because nothing here sets a locale."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
