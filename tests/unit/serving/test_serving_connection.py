"""serving.server.connection without a network: any bytes, in any pieces."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.answer import Answer, error_answer
from serving.server.connection import Connection, Connections, Request
from serving.server.request_log import DELAY_SECONDS, RequestLog
from serving.server.settings import ServerSettings

PIECES = [
    b"POST /invocations HTTP/1.1\r\n",
    b"GET /ping HTTP/1.1\r\n",
    b"Host: a\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Expect: 100-continue\r\n",
    b"\r\n",
    b"abc",
    b"{}",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b" ",
    b"\n",
    b"\x00",
    b"\xff",
]


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended and not self.closed
        self.written += bytes(data)

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class Echo:
    """Answers a body with itself, one turn of the loop later; refuses every path but one."""

    def refusal(self, request: Request) -> Answer | None:
        if "transfer-encoding" in request.headers:
            return error_answer(411, "length_required", "no chunks")
        return None if request.path == "/invocations" else error_answer(404, "not_found", "no such path")

    def answer(self, request: Request, reply: Callable[[Answer], None]) -> None:
        asyncio.get_running_loop().call_soon(reply, Answer(200, bytes(request.body)))


def talk(chunks: list[bytes], *, half_closed: bool = False) -> Transport:
    """Feed `chunks` to a connection; return the transport with everything that was written."""

    async def conversation() -> Transport:
        shared, transport = Connections(Echo(), ServerSettings()), Transport()
        connection = Connection(shared)
        connection.connection_made(transport)
        for chunk in chunks:
            connection.data_received(chunk)
            await asyncio.sleep(0)
        if half_closed and not transport.closed and not connection.eof_received():
            transport.close()
        for _ in range(100):  # more turns than requests that may be sent ahead
            await asyncio.sleep(0)
        connection.connection_lost(None)
        assert (shared.open, shared.held_bytes) == (set(), 0)
        return transport

    return asyncio.run(conversation())


def statuses(transport: Transport) -> list[bytes]:
    """Return the statuses of the answers, in order."""
    return re.findall(rb"HTTP/1\.1 (\d+) ", transport.written)


STREAM = (
    b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
    b"\r\nPOST /invocations HTTP/1.1\r\ncontent-length: 5\r\nConnection: close\r\n\r\ndefgh"
)


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_answers_do_not_depend_on_how_requests_come_in_pieces(size: int) -> None:
    """Byte by byte or all at once, the three answers are the same."""
    chunks = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    transport = talk(chunks)
    assert statuses(transport) == [b"200", b"404", b"200"]
    assert transport.written.index(b"abc") < transport.written.index(b"not_found") < transport.written.index(b"defgh")
    assert transport.closed


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.booleans())
def test_whatever_comes_is_answered_or_refused(pieces: list[bytes], half_closed: bool) -> None:
    """Nothing raises, nothing stays counted, every answer is well-formed, and nothing follows a refusal."""
    transport = talk(pieces, half_closed=half_closed)
    rest = transport.written
    while rest:
        rest = rest.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not rest:
            break
        head, found, body = rest.partition(b"\r\n\r\n")
        assert found and head.startswith(b"HTTP/1.1 ")
        length = int(re.search(rb"\r\ncontent-length: (\d+)", head)[1])  # type: ignore[index]
        assert len(body) >= length
        if not head.startswith(b"HTTP/1.1 200"):
            assert set(json.loads(body[:length])) == {"error"}
        rest = body[length:]
        if b"\r\nconnection: close" in head:
            assert rest == b"" and (transport.closed or transport.ended)


def test_a_head_request_is_answered_without_a_body() -> None:
    """The length is that of the answer to GET."""
    written = talk([b"HEAD /nowhere HTTP/1.1\r\n\r\n"]).written
    assert written.startswith(b"HTTP/1.1 404 Not Found\r\n") and written.endswith(b"\r\n\r\n")


def test_old_clients_get_one_answer() -> None:
    """HTTP/1.0 connections are closed after an answer."""
    transport = talk([b"POST /invocations HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"])
    assert (statuses(transport), transport.closed) == ([b"200"], True)


def test_answers_carry_the_date() -> None:
    """HTTP requires it of a server with a clock."""
    written = talk([b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"]).written
    assert re.search(rb"\r\ndate: [A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\r\n", written)


def test_a_client_who_goes_away_is_not_written_to() -> None:
    """If the client leaves during an answer, nothing is written and nothing stays counted."""

    async def conversation() -> bytes:
        shared, transport = Connections(Echo(), ServerSettings()), Transport()
        connection: Connection = Connection(shared)
        connection.connection_made(transport)
        connection.data_received(b"POST /invocations HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
        transport.close()
        connection.connection_lost(ConnectionResetError())
        await asyncio.sleep(0.01)
        assert shared.held_bytes == 0
        return transport.written

    assert asyncio.run(conversation()) == b""


def test_lines_of_the_log_are_written_together_with_their_own_times(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """None is lost or written twice, and each has the time of its request."""
    records: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.getLogger("serving"), "handle", records.append)
    caplog.set_level(logging.INFO, logger="serving")  # clears what the logger has cached, too

    async def requests() -> list[int]:
        log, written = RequestLog(), []
        for number in range(3):
            log.add({"number": number})
            await asyncio.sleep(0.01)
        written.append(len(records))
        await asyncio.sleep(DELAY_SECONDS)
        log.add({"number": 3})
        log.write()
        await asyncio.sleep(2 * DELAY_SECONDS)
        return [*written, len(records)]

    assert asyncio.run(requests()) == [0, 4]
    assert [record.facts["number"] for record in records] == [0, 1, 2, 3]  # type: ignore[attr-defined]
    times = [record.created for record in records]
    assert times == sorted(times) and times[2] - times[0] > 0.015
