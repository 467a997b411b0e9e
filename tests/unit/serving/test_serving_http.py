"""serving.http_handler and serving.server: the HTTP layer, in this process."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from serving.http_handler import MAX_BODY_BYTES
from serving.model_config import ModelConfig
from serving.predictor import Predictor
from serving.server import InferenceServer
from serving.text_encoder import TextEncoder

Running = Callable[..., AbstractContextManager[InferenceServer]]
BODY = json.dumps({"inputs": "good"})


class GatedBackend:
    """A network that answers only when it is let, and counts how many callers it has at once."""

    name = "gated"
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
    """Send bytes as they are; everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_ping_is_refused_until_the_model_has_answered(in_process: Running, ask: Any) -> None:
    """Before the model is there, /ping and /invocations say 503."""
    with in_process(None) as server:
        assert ask(server.server_port, b"", method="GET", path="/ping")[0] == 503
        assert ask(server.server_port, BODY)[1]["error"]["type"] == "not_ready"


def test_ping_answers_while_every_worker_is_busy(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """A long prediction does not make the server look dead."""
    with in_process(predictor, workers=1) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(ask, server.server_port, BODY)
        assert backend.entered.acquire(timeout=5)
        assert ask(server.server_port, b"", method="GET", path="/ping") == (200, {"status": "ok"})
        backend.open.set()
        assert running.result()[0] == 200


def test_forward_passes_are_bounded(in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor) -> None:
    """Ten requests at once run two at a time, and all are answered."""
    with in_process(predictor, workers=2) as server, ThreadPoolExecutor(10) as pool:
        requests = [pool.submit(ask, server.server_port, BODY) for _ in range(10)]
        assert backend.entered.acquire(timeout=5) and backend.entered.acquire(timeout=5)
        backend.open.set()
        assert [request.result()[0] for request in requests] == [200] * 10
    assert backend.most_inside == 2


def test_connections_are_bounded(in_process: Running, ask: Any, predictor: Predictor) -> None:
    """A connection beyond the limit is told so at once, and a freed place is given again."""
    with in_process(predictor, max_connections=1) as server:
        with socket.create_connection(("127.0.0.1", server.server_port)) as held:
            held.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
            assert held.recv(4096)
            status, body = ask(server.server_port, b"", method="GET", path="/ping")
            assert (status, body["error"]["type"]) == (503, "busy")
        deadline = time.monotonic() + 5
        while ask(server.server_port, b"", method="GET", path="/ping")[0] != 200:
            assert time.monotonic() < deadline


def test_stop_lets_a_running_request_finish(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """A request that was being answered when the server stops still gets its answer."""
    with in_process(predictor) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(ask, server.server_port, BODY)
        assert backend.entered.acquire(timeout=5)
        stopping = pool.submit(server.stop)
        while not server.stopping:
            time.sleep(0.001)
        backend.open.set()
        assert (running.result()[0], stopping.result()) == (200, True)


def test_stop_does_not_wait_for_idle_connections(in_process: Running, predictor: Predictor) -> None:
    """A kept connection without a request is closed at once."""
    with in_process(predictor) as server, socket.create_connection(("127.0.0.1", server.server_port)) as idle:
        idle.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert idle.recv(4096)
        started = time.monotonic()
        assert server.stop()
        assert time.monotonic() - started < 1


def test_stop_says_when_a_request_did_not_finish(
    in_process: Running, ask: Any, backend: GatedBackend, predictor: Predictor
) -> None:
    """With no time to drain, a running request is reported as lost."""
    with in_process(predictor, drain_seconds=0) as server, ThreadPoolExecutor() as pool:
        running = pool.submit(ask, server.server_port, BODY)
        assert backend.entered.acquire(timeout=5)
        assert server.stop() is False
        backend.open.set()
        running.result()


def test_a_silent_connection_is_closed(in_process: Running, predictor: Predictor) -> None:
    """A client that never sends its request does not keep its thread."""
    with in_process(predictor, idle_seconds=0.2) as server:
        assert raw(server.server_port, b"POST /invocations HTT") == b""


def test_a_body_that_never_comes_is_a_bad_request(in_process: Running, predictor: Predictor) -> None:
    """A client that announces more than it sends gets an answer after the idle time."""
    head = b"POST /invocations HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"
    with in_process(predictor, idle_seconds=0.2) as server:
        assert raw(server.server_port, head).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /invocations HTTP/1.1\r\n\r\n", 411),
        (b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5_000), 413),
        (b"POST /invocations HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET /invocations HTTP/1.1\r\n\r\n", 405),
        (b"POST /ping HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405),
        (b"DELETE /ping HTTP/1.1\r\n\r\n", 405),
        (b"BREW /ping HTTP/1.1\r\n\r\n", 501),
        (b"GET /models HTTP/1.1\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /ping HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
    ],
)
def test_what_is_not_served_is_refused_as_json(
    in_process: Running, predictor: Predictor, head: bytes, status: int
) -> None:
    """Every refusal has its status and the contract's error form, and ends the connection."""
    with in_process(predictor) as server, socket.create_connection(("127.0.0.1", server.server_port)) as connection:
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
    with in_process(predictor) as server, socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.settimeout(5)
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(BODY.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
