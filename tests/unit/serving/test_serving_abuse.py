"""The slim server under hostile callers: it returns the right status, keeps running and frees its memory."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

pytestmark = pytest.mark.integration

GOOD = '{"inputs": "good"}'
MOST_GROWTH_MB = 30
"""What a process may keep after an attack: allocators do not give everything back."""


@pytest.fixture
def unharmed(served: Any, ask: Any) -> Any:
    """Check afterwards that the server answers, and that its memory has hardly grown."""
    ask(served.port, GOOD)
    before = resident(served)
    yield served
    assert ask(served.port, GOOD)[0] == 200
    deadline = time.monotonic() + 5
    while resident(served) > before + MOST_GROWTH_MB and time.monotonic() < deadline:
        time.sleep(0.1)
    assert resident(served) <= before + MOST_GROWTH_MB


def resident(server: Any) -> float:
    """Resident memory in MB."""
    return psutil.Process(server.process.pid).memory_info().rss / 2**20


def status_of(port: int, data: bytes) -> int:
    """Send bytes unchanged; return the status of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status


def test_64_megabytes_are_refused_before_they_come(unharmed: Any) -> None:
    """The announced length is enough: the answer comes after the head."""
    head = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (64 * 2**20)
    assert status_of(unharmed.port, head) == 413


def test_64_megabytes_that_come_all_the_same_are_not_kept(unharmed: Any, ask: Any) -> None:
    """A client that writes first gets the 413 too."""
    before = resident(unharmed)
    assert ask(unharmed.port, b"x" * (64 * 2**20))[0] == 413
    assert resident(unharmed) < before + MOST_GROWTH_MB


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"inputs": ["good"] * 10_000}).encode(), "application/json"),
        (json.dumps({"inputs": "good " * 200_000}).encode(), "application/json"),
        (json.dumps({"inputs": "good " * 200_000}).encode(), "application/jsonlines"),
        (b"good " * 200_000, "text/csv"),
        (b"a\n" * 3_000_000, "text/csv"),
        (b"\n" * 6_000_000, "application/jsonlines"),
        (b'{"inputs": "\xff\xfe"}', "application/json"),
        (b"\xff\xfe", "text/csv"),
        (b"[" * 6_000_000, "application/json"),
    ],
    ids=[
        "10,000 items",
        "a million characters",
        "the same in a line",
        "the same in CSV",
        "3,000,000 records",
        "6,000,000 empty lines",
        "invalid UTF-8",
        "invalid UTF-8 in CSV",
        "deep nesting",
    ],
)
def test_what_is_too_much_or_malformed_is_a_bad_request(
    unharmed: Any, ask: Any, body: bytes, content_type: str
) -> None:
    """Such requests are refused before any tokenising."""
    status, answer = ask(unharmed.port, body, **{"Content-Type": content_type})
    assert (status, answer["error"]["type"]) == (400, "bad_request")


def test_the_longest_text_is_answered_and_said_to_be_cut(unharmed: Any, ask: Any) -> None:
    """Truncation is reported."""
    status, answer = ask(unharmed.port, json.dumps({"inputs": "good " * 3_999}))
    assert (status, answer["predictions"][0]["truncated"]) == (200, True)


def test_a_model_that_answers_nan_is_a_model_error(
    artifact_copy: Path, start_process: Callable[..., Any], ask: Any
) -> None:
    """The error is for those texts only; the other texts are answered, also in bulk."""
    path = artifact_copy / "onnx" / "model_int8.onnx"
    model = onnx.load(path)
    table = next(each for each in model.graph.initializer if each.name == "table")
    values = numpy_helper.to_array(table).copy()
    values[-1, 1] = np.nan
    table.CopyFrom(numpy_helper.from_array(values, "table"))
    onnx.save(model, str(path))
    server = start_process(artifact_copy)
    server.wait_ready()
    status, answer = ask(server.port, '{"inputs": "overflow"}')
    assert (status, answer["error"]["type"]) == (500, "model_error")
    assert ask(server.port, "good\noverflow\n", **{"Content-Type": "text/csv"})[0] == 500
    assert ask(server.port, GOOD)[0] == 200


def test_500_connections_of_which_most_are_silent(unharmed: Any, ask: Any) -> None:
    """Slow and silent clients do not block others."""
    held = []
    try:
        for number in range(500):
            held.append(socket.create_connection(("127.0.0.1", unharmed.port), timeout=10))
            if number % 2:
                held[-1].sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{")
        assert ask(unharmed.port, GOOD)[0] == 200
    finally:
        for connection in held:
            connection.close()


def test_200_requests_at_once_are_all_answered(unharmed: Any) -> None:
    """SageMaker sends at most that many to a serverless endpoint."""
    request = b"POST /invocations HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(GOOD), GOOD.encode())
    connections = [socket.create_connection(("127.0.0.1", unharmed.port), timeout=20) for _ in range(200)]
    for connection in connections:
        connection.sendall(request)
    starts = [connection.recv(12) for connection in connections]
    for connection in connections:
        connection.close()
    assert set(starts) == {b"HTTP/1.1 200"}


def test_clients_that_go_away_in_the_middle_leave_nothing_behind(unharmed: Any, ask: Any) -> None:
    """After many resets during a body, no connection and no byte stays counted."""
    for _ in range(200):
        with socket.create_connection(("127.0.0.1", unharmed.port)) as connection:
            connection.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + b"x" * 100_000)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert ask(unharmed.port, json.dumps({"inputs": ["good"] * 100}))[0] == 200


def _wrong_shape(path: Path) -> None:
    """A network with one logit a text instead of one a label."""
    node = helper.make_node("ReduceSum", ["input_ids"], ["sums"], keepdims=1)
    cast = helper.make_node("Cast", ["sums"], ["logits"], to=TensorProto.FLOAT)
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1])]
    graph = helper.make_graph([node, cast], "wrong", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def _truncated_weights(path: Path) -> None:
    """The network with its weights in a file of their own, as training writes it, and half of that file."""
    weights = path.with_name(f"{path.name}.data")
    onnx.save(onnx.load(path), str(path), save_as_external_data=True, location=weights.name, size_threshold=0)
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


DAMAGES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "truncated network": ("onnx/model_int8.onnx", lambda path: path.write_bytes(path.read_bytes()[:200]), "loaded"),
    "truncated weights": ("onnx/model_int8.onnx", _truncated_weights, "model_int8.onnx.data"),
    "missing network": ("onnx/model_int8.onnx", Path.unlink, "missing"),
    "network of other shape": ("onnx/model_int8.onnx", _wrong_shape, "shape"),
    "truncated tokenizer": ("tokenizer.json", lambda path: path.write_bytes(path.read_bytes()[:50]), "tokenizer"),
    "missing tokenizer": ("tokenizer.json", Path.unlink, "missing"),
    "a model card as tokenizer": ("tokenizer.json", lambda path: path.write_text('{"a": 1}'), "tokenizer"),
    "config of another model": ("config.json", lambda path: path.write_text('{"model_type": "gpt2"}'), "id2label"),
    "missing config": ("config.json", Path.unlink, "missing"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_artifact_fails_within_a_second_with_file_and_reason(
    artifact_copy: Path, start_process: Callable[..., Any], damage: str
) -> None:
    """The exit status is 1, and the last log line names the file. CPU seconds count: the machine may be busy."""
    name, damaging, said = DAMAGES[damage]
    damaging(artifact_copy / name)
    server = start_process(artifact_copy)
    _, wait_status, usage = os.wait4(server.process.pid, 0)
    server.process.returncode = os.waitstatus_to_exitcode(wait_status)
    server.end()
    reason = server.lines[-1]["reason"]
    assert server.process.returncode == 1
    assert str(artifact_copy / name) in reason and said in reason.replace(str(artifact_copy), "")
    assert usage.ru_utime + usage.ru_stime < 1
