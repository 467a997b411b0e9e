"""Our artifact in the real multi-model-server with Hugging Face's inference toolkit, under the container's Python.

Versions here and in the container (huggingface-pytorch-inference:2.6.0-transformers5.5.3-cpu-py312-ubuntu22.04):
multi-model-server 1.1.11 in both; toolkit 2.6.0, a later one there; transformers 4.57.6, there 5.5.3; Java 17 or what
the machine has, there 21; torch not at all, there 2.6.0 (the hooks do not need it; the toolkit asks it for a GPU only).
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stock.environment import StackMissingError, StockStack, hooks_only
from benchmarks.stock.server import StockServer
from classifier.artifact.vendoring import vendor
from classifier.errors import VendoringError
from local.sagemaker.processes import ports

pytestmark = pytest.mark.integration
STAND_IN = Path(__file__).resolve().parents[3] / "local" / "containers" / "huggingface.py"
PATIENCE_SECONDS = 120.0
REQUESTS = (
    ("application/json", b'{"inputs": "so good"}'),
    ("application/json", b'{"inputs": ["good", "bad so bad so bad so bad so bad", "unheard of"], "parameters": {}}'),
    ("application/json", b'{"inputs": "overflow"}'),
    ("application/json", b'{"inputs": ""}'),
    ("application/json", b'{"inputs": 7}'),
    ("application/json", b"{"),
    ("application/json", b"\xff"),
    ("application/octet-stream", b"\xff"),
    ("application/jsonlines", b'{"inputs": "good"}\n{"inputs": "bad"}\n'),
    ("text/csv", b'good\n"so, bad"\n'),
    ("text/csv", b"good,bad\n"),
)


def ask(port: int, body: bytes | None = None, content_type: str = "application/json") -> tuple[int, Any]:
    """Status and document of one answer; without a body of /ping."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        if body is None:
            connection.request("GET", "/ping")
        else:
            connection.request("POST", "/invocations", body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def wait(server: StockServer) -> None:
    """Wait for the first 200 of /ping; fails with the log if it never comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if ask(server.port)[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"/ping did not answer:\n{server.log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def stack() -> StockStack:
    """The installed stack; skips where this machine lacks something, saying what."""
    try:
        return hooks_only()
    except StackMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory, tiny_artifact: Path) -> Path:
    """The tiny artifact with onnxruntime for the container's Python; skips without a package index."""
    folder = Path(shutil.copytree(tiny_artifact, tmp_path_factory.mktemp("stock") / "model"))
    try:
        vendor(folder / "code")
    except VendoringError as failed:
        pytest.skip(str(failed))
    return folder


@pytest.fixture(scope="module")
def stock(stack: StockStack, artifact: Path) -> Iterator[StockServer]:
    """The real server around the artifact."""
    with StockServer(stack, artifact, ports.claim(), environ={"MODEL_VERSION": "7"}) as server:
        server.await_answer("as the benchmark does")
        yield server


@pytest.fixture(scope="module")
def stand_in(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The local cloud's stand-in for the image around the same artifact: its port."""
    port = ports.claim()
    environ = {
        "PATH": os.environ["PATH"],
        "SM_MODEL_DIR": str(artifact),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "MODEL_VERSION": "7",
        "LOCAL_CONTAINER_PING": "stock",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen([sys.executable, str(STAND_IN), "serve"], env=environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and '"port"' in process.stdout.readline()
    yield port
    process.terminate()
    process.communicate()


def everything(folder: Path) -> dict[str, float]:
    """Files below a folder and when each was changed."""
    return {str(path): path.stat().st_mtime for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("content_type", "body"), REQUESTS)
def test_answers_are_those_of_the_stand_in(stock: StockServer, stand_in: int, content_type: str, body: bytes) -> None:
    """Status and document of good, bad and undecodable requests, and of one on which the model fails."""
    assert ask(stock.port, body, content_type) == ask(stand_in, body, content_type)


def test_answers_are_those_of_the_slim_server(stock: StockServer, served: Any) -> None:
    """The same artifact in our own server, but for the version, which each is told."""
    status, answer = ask(stock.port, REQUESTS[1][1])
    slim_status, slim_answer = ask(served.port, REQUESTS[1][1])
    assert (status, slim_status) == (200, 200)
    assert answer["predictions"] == slim_answer["predictions"]
    assert answer["model"] == {"version": "7", "labels": 2}


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b'{"inputs": ""}', 400, "bad_request"),
        (b"{", 400, "bad_request"),
        (b'{"inputs": "overflow"}', 500, "model_error"),
    ],
)
def test_a_bad_request_is_told_from_a_failing_model(stock: StockServer, body: bytes, status: int, kind: str) -> None:
    """The hooks' own status and document reach the caller, although the toolkit knows 200 and 400 only."""
    found, answer = ask(stock.port, body)
    assert (found, answer["error"]["type"]) == (status, kind)


def test_onnxruntime_is_the_vendored_one(stock: StockServer) -> None:
    """Only the artifact has it: the log names the folder."""
    ask(stock.port, REQUESTS[0][1])
    line = next(line for line in stock.log.read_text().splitlines() if '"message": "ready"' in line)
    ready = json.loads(line[line.index("{") :])
    assert ready["backend"] == "onnxruntime 1.31.1"
    assert ready["vendored"].endswith("/code/vendor/cp312")


def test_a_truncated_artifact_says_so_and_ping_does_not(stack: StockStack, artifact: Path, tmp_path: Path) -> None:
    """/ping says 200 whatever is in the artifact; each request says what is wrong, as the model's fault."""
    broken = Path(shutil.copytree(artifact, tmp_path / "model"))
    (broken / "onnx" / "model_int8.onnx").write_bytes(b"cut off")
    before = everything(broken)
    with StockServer(stack, broken, ports.claim()) as server:
        wait(server)
        for _ in range(2):
            status, answer = ask(server.port, REQUESTS[0][1])
            assert (status, answer["error"]["type"]) == (500, "model_error")
            assert "model_int8.onnx: cannot be loaded" in answer["error"]["message"]
        assert ask(server.port)[0] == 200
        written, group = server.folder, server.process.pid
        assert (written / "mms.properties").is_file()
    assert everything(broken) == before
    assert not written.exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_ping_is_200_before_the_model_is_loaded(stack: StockStack, artifact: Path, tmp_path: Path) -> None:
    """The first 200 comes while model_fn still runs: why InService proves little, and why a release asks the model."""
    slow = Path(shutil.copytree(artifact, tmp_path / "model"))
    flag = tmp_path / "loading"
    waiting = f"import time\n    open({str(flag)!r}, 'w').close()\n    time.sleep(600)\n"
    with (slow / "code" / "inference.py").open("a") as code:
        code.write(f"\n\ndef model_fn(model_dir, context=None):\n    {waiting}")
    with StockServer(stack, slow, ports.claim()) as server:
        wait(server)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not flag.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert flag.exists()
        assert ask(server.port)[0] == 200
