"""The slim image's server as a process: what SageMaker and the local cloud start."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.server.digests import files_digest
from serving.server.settings import ServerSettings

pytestmark = pytest.mark.integration  # real servers

SLIM = Path(__file__).resolve().parents[3] / "build" / "slim"


def test_a_text_is_answered(served: Any, ask: Any) -> None:
    """POST /invocations with the article's body answers with the contract's form."""
    assert ask(served.port, '{"inputs": "good"}') == (
        200,
        {
            "predictions": [{"label": "helpful", "confidence": 0.880797, "score": 1.5, "truncated": False}],
            "model": {"version": "3", "labels": 2},
        },
    )


def test_ping_is_ok_once_ready(served: Any, ask: Any) -> None:
    """GET /ping says 200 after the model has answered once."""
    assert ask(served.port, b"", method="GET", path="/ping") == (200, {"status": "ok"})


def test_one_connection_takes_many_requests(served: Any) -> None:
    """Connections are kept, errors included, and no answer waits for a delayed acknowledgement (40 ms each)."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.connect()
    first = connection.sock
    started = time.perf_counter()
    for body in ['{"inputs": "good"}', "{"] * 20:
        connection.request("POST", "/invocations", body)
        connection.getresponse().read()
    elapsed = time.perf_counter() - started
    assert connection.sock is first
    connection.close()
    assert elapsed < 40 * 0.02


def test_many_callers_get_their_own_answers(served: Any, ask: Any) -> None:
    """Under sixteen callers at once, no answer reaches another's request."""
    texts = ["good", "bad", "so", "good good"] * 50
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda text: ask(served.port, json.dumps({"inputs": text})), texts))
    scores = {"good": 1.5, "bad": 0.5, "so": 1.0, "good good": 2.0}
    assert [body["predictions"][0]["score"] for _, body in answers] == [scores[text] for text in texts]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"inputs": []}', b'{"inputs": "\xff"}', b"\x00\x01", b'{"inputs": [["good"]]}'],
    ids=["empty", "half", "list", "empty list", "invalid UTF-8", "binary", "nested"],
)
def test_a_malformed_body_is_a_bad_request(served: Any, ask: Any, body: bytes) -> None:
    """What is not in the documented form is a 400, and the server goes on."""
    status, answer = ask(served.port, body)
    assert (status, answer["error"]["type"]) == (400, "bad_request")
    assert ask(served.port, '{"inputs": "good"}')[0] == 200


def test_a_sentence_of_a_million_characters_is_refused_quickly(served: Any, ask: Any) -> None:
    """The limit is checked before any tokenising."""
    started = time.perf_counter()
    status, answer = ask(served.port, json.dumps({"inputs": "good " * 200_000}))
    assert (status, "allowed are 1 to 20000" in answer["error"]["message"]) == (400, True)
    assert time.perf_counter() - started < 0.5


def test_a_huge_body_is_refused_although_its_client_writes_first(served: Any, ask: Any) -> None:
    """A client that sends 20 MB before it reads still gets the 413 instead of a reset connection."""
    status, answer = ask(served.port, b"x" * 20_000_000)
    assert (status, answer["error"]["type"]) == (413, "payload_too_large")


def test_the_largest_body_is_read(served: Any, ask: Any) -> None:
    """Exactly the limit is still taken (and then refused for what is in it)."""
    assert ask(served.port, b"x" * ServerSettings.max_body_bytes)[0] == 400


def test_a_failing_model_is_a_500_and_not_the_end(served: Any, ask: Any) -> None:
    """The model's failure is reported as its own, and the next request is answered."""
    status, answer = ask(served.port, '{"inputs": "overflow"}')
    assert (status, answer["error"]["type"]) == (500, "model_error")
    assert ask(served.port, '{"inputs": "good"}')[0] == 200


def test_sigterm_ends_it_cleanly(tiny_artifact: Path, start_process: Callable[..., Any]) -> None:
    """SIGTERM closes even a kept connection and ends with status 0 within a second."""
    server = start_process(tiny_artifact)
    server.wait_ready()
    with socket.create_connection(("127.0.0.1", server.port)) as kept:
        kept.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert kept.recv(4096)
        started = time.monotonic()
        assert server.end() == 0
    assert time.monotonic() - started < 1
    assert server.lines[-1]["message"] == "stopped"


def test_each_request_is_one_json_line_without_the_text(
    tiny_artifact: Path, start_process: Callable[..., Any], ask: Any
) -> None:
    """The log has one line a request, with status, time and counts, and nothing of what was asked."""
    server = start_process(tiny_artifact)
    server.wait_ready()
    ask(server.port, json.dumps({"inputs": ["good Rumpelstiltskin", "so " * 9]}))
    ask(server.port, "Rumpelstiltskin")
    ask(server.port, b"", method="GET", path="/ping")
    server.end()
    # Sorted, because a line is written after its answer was sent: the next request may be logged first.
    lines = sorted((line for line in server.lines if line["message"] == "request"), key=lambda line: line["status"])
    assert [(line["status"], line["path"]) for line in lines] == [(200, "/invocations"), (400, "/invocations")]
    assert (lines[0]["texts"], lines[0]["characters"], lines[0]["truncated"]) == (2, 47, 1)
    assert "Rumpelstiltskin" not in json.dumps(server.lines)


def test_a_damaged_artifact_ends_the_start_with_the_file(
    artifact_copy: Path, start_process: Callable[..., Any]
) -> None:
    """A truncated network is the reason in the last log line, and the exit status says failure."""
    file = artifact_copy / "onnx" / "model_int8.onnx"
    file.write_bytes(file.read_bytes()[:20])
    server = start_process(artifact_copy)
    assert server.process.wait(timeout=20) == 1
    server.end()
    assert str(file) in server.lines[-1]["reason"]


@pytest.mark.parametrize("changed", ["a flipped weight", "another config", "a file beside the network"])
def test_files_that_were_not_judged_are_refused(
    artifact_copy: Path, start_process: Callable[..., Any], changed: str
) -> None:
    """One flipped bit of a weight serves and answers unnoticed; with the digest from outside nothing starts."""
    digest = files_digest(artifact_copy)
    flipped(artifact_copy, changed)
    unchecked = start_process(artifact_copy)
    unchecked.wait_ready()
    assert unchecked.lines[-1]["files_checked"] is False
    refused = start_process(artifact_copy, MODEL_FILES_SHA256=digest)
    assert refused.process.wait(timeout=20) == 1
    refused.end()
    assert digest in refused.lines[-1]["reason"] and "judged" in refused.lines[-1]["reason"]


def flipped(folder: Path, what: str) -> None:
    """Change an artifact so that it still loads and answers."""
    network = folder / "onnx" / "model_int8.onnx"
    if what == "a flipped weight":
        content = bytearray(network.read_bytes())
        weight = content.index(np.float32([2.0, -2.0]).tobytes()[:4])
        content[weight] ^= 1
        network.write_bytes(content)
    elif what == "another config":
        config = json.loads((folder / "config.json").read_text())
        config["id2label"] = dict(zip(config["id2label"], reversed(config["id2label"].values()), strict=True))
        (folder / "config.json").write_text(json.dumps(config))
    else:
        network.with_name("model_int8.onnx.data").write_bytes(b"more weights")


def test_files_that_were_judged_are_served(artifact_copy: Path, start_process: Callable[..., Any]) -> None:
    """With the digest that `sha256sum` gives, the server starts and says that it has checked."""
    (artifact_copy / "README.md").write_text("not loaded, so not checked")
    by_hand = ["sh", "-c", "sha256sum config.json onnx/* tokenizer.json | sha256sum"]
    listed = subprocess.check_output(by_hand, cwd=artifact_copy, text=True)
    server = start_process(artifact_copy, MODEL_FILES_SHA256=listed.split()[0])
    server.wait_ready()
    assert server.lines[-1]["files_checked"] is True


def test_a_taken_port_is_named(tiny_artifact: Path, start_process: Callable[..., Any]) -> None:
    """Somebody else on the port is an error with the address, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start_process(tiny_artifact, SAGEMAKER_BIND_TO_PORT=str(port))
        assert server.process.wait(timeout=20) == 1
    server.end()
    assert f"127.0.0.1:{port}" in server.lines[-1]["reason"]


def test_a_bad_variable_is_named(tiny_artifact: Path, start_process: Callable[..., Any]) -> None:
    """An impossible setting ends the start with the variable's name."""
    server = start_process(tiny_artifact, SERVING_WORKERS="many")
    assert server.process.wait(timeout=20) == 1
    server.end()
    assert "SERVING_WORKERS" in server.lines[-1]["reason"]


def test_it_loads_neither_torch_nor_transformers(tiny_artifact: Path) -> None:
    """With onnxruntime there, the two heavy libraries stay out of the process."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1] + '/code'); from serving.predictor import load_predictor; "
        "load_predictor(sys.argv[1]); print({'torch', 'transformers'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tiny_artifact)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_without_the_argument_serve_it_explains_itself() -> None:
    """Any other command line ends with status 2 and the usage."""
    run = subprocess.run([sys.executable, "-I", "-S", SLIM], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr.startswith("usage:")) == (2, True)
