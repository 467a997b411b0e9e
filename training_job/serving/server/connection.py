"""One connection: uvicorn's protocol with the limits that it leaves to a proxy in front of it.

uvicorn has no time limit for a request's head, none for a caller who does not read his answer, no bound on a head's
size, on connections or on requests sent ahead of their turn; it drops a half-closed connection without an answer, and
its refusals are plain text.
This class adds these and changes nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.answer import Answer, error_answer
from serving.server.settings import ServerSettings

logger = logging.getLogger("serving")

MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED = 16
"""Requests of one connection that may wait for the one before them; what comes after them is not read."""
LINGER_SECONDS = 2.0
"""How long what still comes after a refusal is read and forgotten, so that the refusal is not lost to a reset."""
CUT = "cut"
"""Key in a request's state that says: the caller closed his side before the body was complete."""


class Connection(HttpToolsProtocol):
    """Reads the requests of one connection and writes their answers."""

    def __init__(self, settings: ServerSettings, **uvicorn_arguments: Any) -> None:
        super().__init__(**uvicorn_arguments)
        self._settings = settings
        self._reading_head = True
        self._head_bytes = 0
        self._head_too_long = False
        self._refused = False
        """Nothing more is read from this connection."""
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it when there are too many."""
        if len(self.connections) >= self._settings.max_connections:
            self.transport = transport
            self._refuse(error_answer(503, "busy", "every connection of this server is taken: try again"))
            transport.close()
            return
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its timers."""
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless it makes the head of a request too long."""
        if self._refused:
            return
        if self._reading_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._reading_head and self._head_bytes > MAX_HEAD_BYTES:
            self._head_too_long = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._reading_head = True
        self._head_bytes = 0
        self._start_head_timer()

    def on_headers_complete(self) -> None:
        """The head is complete: its time limit ends."""
        self._reading_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("uvicorn turns whatever a callback raises into send_400_response")
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD_BYTES:
            self._head_too_long = True
            raise ValueError("uvicorn turns whatever a callback raises into send_400_response")
        super().on_headers_complete()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The caller closed his side: True where an answer is still owed to him, else the connection ends."""
        cycle = self.cycle
        if cycle is None or (cycle.response_complete and not self.pipeline):
            return False
        cycle.keep_alive = False
        if cycle.more_body:
            cycle.scope["state"][CUT] = True
            cycle.more_body = False
            cycle.message_event.set()
        return True

    def pause_writing(self) -> None:
        """The caller reads more slowly than we write: from now on he has limited time."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._settings.idle_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """He has caught up."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came since the last answer: end at once, even if he never read that answer."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or too much of it; a request that is being answered gets its answer first."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # the last one that was understood
            self._refused = True
            return
        if self._head_too_long:
            self._refuse(error_answer(431, "head_too_large", f"a head may have {MAX_HEAD_BYTES} bytes at most"))
        else:
            self._refuse(error_answer(400, "bad_request", "this is not an HTTP/1.1 request"))

    def _unsupported_upgrade_warning(self) -> None:
        """A request to change the protocol is answered as if it did not ask, and is the last on its connection."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _start_head_timer(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._settings.read_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        if self._head_bytes:
            self._refuse(error_answer(408, "timeout", f"the head took over {self._settings.read_seconds:g} s"))
        else:
            self.transport.close()

    def _refuse(self, answer: Answer) -> None:
        """Write an answer that belongs to no request, and end the connection when he has read it."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        logger.info("request", extra={"facts": {"status": answer.status, **answer.facts}})
        head = (
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\ncontent-type: {answer.content_type}\r\n"
            f"content-length: {len(answer.body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + answer.body)
        # Closing with something unread resets the connection, and the answer with it: leave him time to read.
        self.transport.write_eof()
        self._head_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
