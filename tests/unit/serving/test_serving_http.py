"""serving.server.app and serving.server.connection: the HTTP layer, in this process."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from serving.model_config import ModelConfig
from serving.predictor import Predictor
from serving.server.app import InferenceApp
from serving.server.connection import Connection, Connections
from serving.server.process import _serve, bind
from serving.server.settings import ServerSettings
from serving.text_encoder import TextEncoder

pytestmark = pytest.mark.integration  # real servers

Running = Callable[..., AbstractContextManager[Any]]
MAX_BODY_BYTES = 6 * 1024 * 1024
BODY = json.dumps({"inputs": "good"})


class GatedBackend:
    """A network that answers on command, and counts its simultaneous callers."""

    name = "gated"
    features = ["input_ids"]
    path = Path("nowhere")

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.inside = 0
        self.most_inside = 0

    def logits(self, features: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        with self.lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.entered.release()
        assert self.open.wait(10)
        with self.lock:
            self.inside -= 1
        return np.zeros((len(features["input_ids"]), 2), dtype=np.float32)


@pytest.fixture
def backend() -> GatedBackend:
    """A network under the test's control."""
    return GatedBackend()


@pytest.fixture
def predictor(backend: GatedBackend, tiny_artifact: Path) -> Predictor:
    """A predictor around it."""
    encoder = TextEncoder.read(tiny_artifact, max_length=8, pad_token_id=0)
    return Predictor(ModelConfig.read(tiny_artifact), encoder, backend)


def raw(port: int, data: bytes) -> bytes:
    """Send bytes unchanged; return everything until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_ping_answers_while_every_worker_is_busy(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """A long prediction does not block /ping, neither with several workers nor with a long list on a single one."""
    long = json.dumps({"inputs": ["good " * 100] * 100})
    for workers, body in ((2, BODY), (1, long)):
        backend.open.clear()
        with in_process(predictor, workers=workers) as server, ThreadPoolExecutor() as pool:
            running = [pool.submit(ask, server.port, body) for _ in range(workers)]
            assert all(backend.entered.acquire(timeout=5) for _ in range(workers))
            assert ask(server.port, b"", method="GET", path="/ping") == (200, {"status": "ok"})
            backend.open.set()
            assert [each.result()[0] for each in running] == [200] * workers


def test_forward_passes_are_bounded(in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor) -> None:
    """Ten requests at once run two at a time, and all are answered."""
    with in_process(predictor, workers=2) as server, ThreadPoolExecutor(10) as pool:
        requests = [pool.submit(ask, server.port, BODY) for _ in range(10)]
        assert backend.entered.acquire(timeout=5) and backend.entered.acquire(timeout=5)
        backend.open.set()
        assert [request.result()[0] for request in requests] == [200] * 10
    assert backend.most_inside == 2


def test_connections_are_bounded(in_process: Running, ask: Any, predictor: Predictor) -> None:
    """A connection beyond the limit is refused at once, and a freed place is used again."""
    with in_process(predictor, max_connections=1) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as held:
            held.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
            assert held.recv(4096)
            status, body = ask(server.port, b"", method="GET", path="/ping")
            assert (status, body["error"]["type"]) == (503, "busy")
        deadline = time.monotonic() + 5
        while ask(server.port, b"", method="GET", path="/ping")[0] != 200:
            assert time.monotonic() < deadline


def test_a_full_queue_is_said_at_once(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """Two requests run and one waits; further ones are refused, and the three are answered."""
    with in_process(predictor, workers=2, queue=1) as server, ThreadPoolExecutor(7) as pool:
        requests = [pool.submit(ask, server.port, BODY) for _ in range(7)]
        refused = [request.result() for request in itertools.islice(as_completed(requests, timeout=5), 4)]
        assert [(status, body["error"]["type"]) for status, body in refused] == [(429, "busy")] * 4
        backend.open.set()
        assert sorted(request.result()[0] for request in requests) == [200, 200, 200, 429, 429, 429, 429]


def test_a_refusal_for_want_of_room_says_when_to_come_again(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """429 carries Retry-After."""
    request = b"POST /invocations HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    with in_process(predictor, workers=2, queue=0) as server, ThreadPoolExecutor() as pool:
        running = [pool.submit(ask, server.port, BODY) for _ in range(2)]
        assert backend.entered.acquire(timeout=5) and backend.entered.acquire(timeout=5)
        assert b"\r\nretry-after: 1\r\n" in raw(server.port, request % (len(BODY), BODY.encode()))
        backend.open.set()
        assert [each.result()[0] for each in running] == [200, 200]


def test_bodies_in_memory_are_bounded(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """Waiting requests hold at most four bodies of the largest size; further ones are refused."""
    body = json.dumps({"inputs": ["x" * 1_000] * 90})
    with in_process(predictor, workers=1, max_body_bytes=100_000) as server, ThreadPoolExecutor(8) as pool:
        requests = [pool.submit(ask, server.port, body) for _ in range(8)]
        refused = [request.result() for request in itertools.islice(as_completed(requests, timeout=5), 4)]
        assert [(status, body["error"]["type"]) for status, body in refused] == [(429, "busy")] * 4
        backend.open.set()
        assert [request.result()[0] for request in requests].count(200) == 4


def test_stop_lets_a_running_request_finish(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """A request that was being answered when the server stops still gets its answer, and the port is closed."""
    with in_process(predictor, workers=2) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(ask, server.port, BODY)
        assert backend.entered.acquire(timeout=5)
        server.begin_stop()
        deadline = time.monotonic() + 5
        while accepts(server.port):
            assert time.monotonic() < deadline
        backend.open.set()
        assert running.result()[0] == 200


def test_a_stop_that_came_while_the_model_was_loaded_holds(predictor: Predictor) -> None:
    """After a SIGTERM before the event loop starts, the server ends as soon as it would begin."""

    async def served() -> bool:
        settings = ServerSettings(host="127.0.0.1", port=0)
        return await asyncio.wait_for(_serve(predictor, settings, bind(settings), [signal.SIGTERM]), timeout=5)

    assert asyncio.run(served())


def accepts(port: int) -> bool:
    """Return whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:  # refused, or reset while the socket is being closed
        return False
    return True


def test_stop_does_not_wait_for_idle_connections(in_process: Running, predictor: Predictor) -> None:
    """A kept connection without a request is closed at once."""
    with in_process(predictor) as server, socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert idle.recv(4096)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 2


def test_stop_gives_a_request_up_after_the_drain_time(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """A request that does not finish does not keep the process running."""
    with in_process(predictor, workers=2, drain_seconds=0.1) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(ask, server.port, BODY)
        assert backend.entered.acquire(timeout=5)
        started = time.monotonic()
        server.begin_stop()
        with pytest.raises((OSError, http.client.HTTPException, ValueError)):
            running.result(timeout=5)
        assert time.monotonic() - started < 4
        backend.open.set()


def test_a_silent_connection_is_closed(in_process: Running, predictor: Predictor) -> None:
    """A client that never begins a request loses its connection."""
    with in_process(predictor, read_seconds=0.2) as server:
        assert raw(server.port, b"") == b""


def test_a_head_that_trickles_in_is_given_up(in_process: Running, predictor: Predictor) -> None:
    """The time limit counts from the head's first byte."""
    with (
        in_process(predictor, read_seconds=0.5) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as slow,
    ):
        slow.sendall(b"POST /invocations HTTP/1.1\r\n")
        started, answer = time.monotonic(), b""
        slow.settimeout(0.1)
        while not answer and time.monotonic() - started < 5:
            try:
                slow.sendall(b"a: b\r\n")
                answer = slow.recv(4096)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_never_comes_is_given_up(in_process: Running, predictor: Predictor) -> None:
    """A client that announces more than it sends gets an answer after the time limit."""
    head = b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"
    with in_process(predictor, read_seconds=0.2) as server:
        assert raw(server.port, head).startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed(in_process: Running, backend: GatedBackend, predictor: Predictor) -> None:
    """A kept connection ends after the idle time."""
    backend.open.set()
    with in_process(predictor, idle_seconds=0.2) as server:
        assert raw(server.port, b"GET /ping HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_a_body_that_is_cut_is_a_bad_request(in_process: Running, predictor: Predictor) -> None:
    """A client that closes its side before the body is complete is told so at once."""
    head = b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"
    with in_process(predictor) as server, half_closed(server.port, head) as response:
        assert (response.status, b"ended after 1 of its 100 bytes" in response.read()) == (400, True)


def test_a_half_closed_connection_gets_its_answer(
    in_process: Running, backend: GatedBackend, predictor: Predictor
) -> None:
    """A client that sends, closes its side and then reads is answered, and the connection ends."""
    # The model answers after the server has seen the client's side close; an earlier answer would not say so.
    threading.Timer(0.2, backend.open.set).start()
    request = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY.encode())
    with in_process(predictor) as server, half_closed(server.port, request) as response:
        assert (response.status, response.getheader("Connection")) == (200, "close")


@contextmanager
def half_closed(port: int, data: bytes) -> Iterator[http.client.HTTPResponse]:
    """The answer to `data` on a connection whose sending side is closed after it."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        yield response


def test_pipelined_requests_are_answered_in_order(
    in_process: Running, backend: GatedBackend, predictor: Predictor
) -> None:
    """Three requests in one segment: three answers, each to its own."""
    backend.open.set()
    first = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY.encode())
    rest = b"GET /nowhere HTTP/1.1\r\n\r\nGET /ping HTTP/1.1\r\nConnection: close\r\n\r\n"
    with in_process(predictor) as server:
        answers = raw(server.port, first + rest)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"200", b"404", b"200"]


def test_what_follows_a_refused_body_is_not_a_request(in_process: Running, predictor: Predictor) -> None:
    """The unread rest of a body cannot contain a request."""
    body = b"GET /ping HTTP/1.1\r\n\r\n"
    head = b"POST /nowhere HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with in_process(predictor) as server:
        assert re.findall(rb"HTTP/1.1 (\d+) ", raw(server.port, head + body)) == [b"404"]


def test_garbage_after_a_request_does_not_hide_its_answer(
    in_process: Running, backend: GatedBackend, predictor: Predictor
) -> None:
    """The request before it is answered, then the connection ends."""
    request = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY.encode())
    backend.open.set()
    with in_process(predictor) as server:
        assert re.findall(rb"HTTP/1.1 (\d+) ", raw(server.port, request + b"nonsense\r\n\r\n")) == [b"200"]


def test_requests_sent_ahead_of_their_turn_are_bounded(
    in_process: Running, backend: GatedBackend, predictor: Predictor
) -> None:
    """Of ten thousand pipelined requests the first and sixteen more are answered, then the connection ends."""
    backend.open.set()
    with in_process(predictor) as server:
        answers = raw(server.port, b"GET /ping HTTP/1.1\r\n\r\n" * 10_000)
    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"200"] * 17


class FakeTransport(asyncio.Transport):
    """A transport that remembers whether it was aborted, and whether it is read from."""

    aborted = False
    reading = True

    def write(self, data: object) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Wait for the client to read, as a real one does."""

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@pytest.mark.parametrize("caught_up", [False, True])
def test_a_client_that_does_not_read_is_given_up(predictor: Predictor, caught_up: bool) -> None:
    """A client that does not read its answers loses its connection; one that catches up in time keeps it."""

    async def stall() -> tuple[bool, bool]:
        settings = ServerSettings(idle_seconds=0.05)
        transport = FakeTransport()
        connection = Connection(Connections(InferenceApp(predictor, settings), settings))
        connection.connection_made(transport)
        connection.pause_writing()
        if caught_up:
            connection.resume_writing()
        await asyncio.sleep(0.2)
        connection.connection_lost(ConnectionResetError())
        return transport.aborted, transport.reading

    assert asyncio.run(stall()) == (not caught_up, caught_up)


def test_a_request_behind_a_refused_body_does_not_hold_the_connection(
    in_process: Running, predictor: Predictor
) -> None:
    """Whatever follows a refused request with a body, the refusal comes and the connection ends at once."""
    follower = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY.encode())
    for refused in (b"Content-Length: 2\r\n\r\n{}", b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"):
        with in_process(predictor) as server:
            started = time.monotonic()
            answers = raw(server.port, b"POST /nowhere HTTP/1.1\r\n" + refused + follower)
            assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"404"]
            assert time.monotonic() - started < 1


def test_bodies_that_stall_make_room_for_those_that_come(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """Where stalled bodies fill the memory, the one that has waited longest is given up, and others are answered."""
    backend.open.set()
    head = b"POST /invocations HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"
    with ExitStack() as stack:
        server = stack.enter_context(in_process(predictor, max_body_bytes=100_000))
        stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(4)]
        for connection in stalled:
            connection.sendall(head + b"x" * 99_999)
        for _ in range(2):
            time.sleep(0.1)  # until the server has read all of them
            assert [ask(server.port, json.dumps({"inputs": ["good"] * 90}))[0] for _ in range(4)] == [200] * 4
            stalled[0].settimeout(5)
            assert stalled[0].recv(4096).startswith(b"HTTP/1.1 429 ")
            stalled.pop(0)
            stalled.append(stack.enter_context(socket.create_connection(("127.0.0.1", server.port))))
            stalled[-1].sendall(head + b"x" * 99_999)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST",
        b"GET /ping HTTP/1.1\r\n",
        b"GET /ping HTTP/1.1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        b"POST /invocations HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
    ids=["silent", "a word", "half a head", "idle", "half a body", "asked and silent", "endless chunks"],
)
def test_clients_that_let_the_server_wait_make_room_for_others(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor, sent: bytes
) -> None:
    """Silent, idle and slow connections take no place that another client needs, once they have had a second."""
    backend.open.set()
    with in_process(predictor, max_connections=3) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(sent)
        time.sleep(0.1)
        assert ask(server.port, b"", method="GET", path="/ping")[0] == 503
        time.sleep(1.1)
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda _: ask(server.port, BODY)[0], range(3)))
    assert answers == [200] * 3


def test_answers_that_nobody_reads_are_not_piled_up(
    in_process: Running, backend: GatedBackend, predictor: Predictor
) -> None:
    """Requests behind an answer that waits to be read wait too; they are answered once it is read."""
    backend.open.set()
    body = b"good\n" * 50_000
    request = b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )
    with in_process(predictor) as server, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(20)
        slow.connect(("127.0.0.1", server.port))
        threading.Thread(target=slow.sendall, args=[request * 12], daemon=True).start()
        calls = sum(1 for _ in iter(lambda: backend.entered.acquire(timeout=2), False))
        assert calls < 6 * 50_000 // 16  # the kernel's buffers take some of the twelve
        with slow.makefile("rb") as stream:
            for _ in range(12):
                assert stream.readline().startswith(b"HTTP/1.1 200 ")
                headers = http.client.parse_headers(stream)
                assert len(stream.read(int(headers["content-length"]))) == int(headers["content-length"])


def test_the_last_answer_is_not_offered_for_ever(predictor: Predictor) -> None:
    """A client that reads only a part of the last answer loses its connection after the idle time."""

    async def stall() -> bool:
        settings = ServerSettings(idle_seconds=0.05)
        transport = FakeTransport()
        connection = Connection(Connections(InferenceApp(predictor, settings), settings))
        connection.connection_made(transport)
        connection.data_received(b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(0.2)
        connection.connection_lost(None)
        return transport.aborted

    assert asyncio.run(stall())


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /invocations HTTP/1.1\r\nConnection: close\r\n\r\n", 411),
        (b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5_000), 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
        (b"POST /invocations HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: 2\r\n\r\n{}", 415),
        (b"POST /invocations HTTP/1.1\r\nAccept: image/png\r\nContent-Length: 2\r\n\r\n{}", 406),
        (b"POST /invocations HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET /invocations HTTP/1.1\r\nContent-Length: 2\r\n\r\n", 405),
        (b"POST /ping HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405),
        (b"GET /ping HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET /ping HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        (b"DELETE /ping HTTP/1.1\r\nConnection: close\r\n\r\n", 405),
        (b"BREW /ping HTTP/1.1\r\n\r\n", 400),
        (b"GET /models HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /ping HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n", 431),
    ],
)
def test_what_is_not_served_is_refused_as_json(
    in_process: Running, predictor: Predictor, head: bytes, status: int
) -> None:
    """Every refusal has its status and the contract's error format, and ends the connection."""
    with in_process(predictor) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(5)
        connection.sendall(head)
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = json.loads(response.read())
    assert (response.status, set(body["error"])) == (status, {"type", "message"})
    assert response.getheader("Connection") == "close"


def test_a_client_that_asks_first_may_send(in_process: Running, backend: GatedBackend, predictor: Predictor) -> None:
    """Expect: 100-continue is answered before the body comes."""
    backend.open.set()
    head = b"POST /invocations HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    with in_process(predictor) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(5)
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(BODY.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
