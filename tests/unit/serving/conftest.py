"""A tiny artifact whose answers can be computed by hand, and servers around it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import serving
from serving.predictor import Predictor
from serving.server.process import Server, bind
from serving.server.settings import ServerSettings

VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "good": 4, "bad": 5, "so": 6, "overflow": 7}
# What each token adds to the second logit. Padding adds a lot, so that a forgotten attention mask shows; the last
# one makes the network answer with infinity.
WEIGHTS = [1000.0, 0.0, 0.0, 0.0, 2.0, -2.0, 0.0, float("inf")]
CONFIG = {
    "id2label": {"0": "not_helpful", "1": "helpful"},
    "objective": "regression",
    "max_length": 8,
    "score_scale": 4.0,
    "score_threshold": 1.0,
    "pad_token_id": 0,
}
SOURCE = Path(serving.__file__).parent
COMMAND = (sys.executable, "-I", "-S", str(SOURCE.parent.parent / "build" / "slim"), "serve")


def build_network(path: Path) -> None:
    """Logits [0, sum of the tokens' weights] for input_ids and attention_mask of shape (batch, tokens)."""
    table = np.stack([np.zeros(len(WEIGHTS)), np.array(WEIGHTS)], axis=1).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Unsqueeze", ["attention_mask", "last"], ["mask"]),
        helper.make_node("Cast", ["mask"], ["shown"], to=TensorProto.BOOL),
        helper.make_node("Where", ["shown", "rows", "zero"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["logits"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "middle"),
            numpy_helper.from_array(np.zeros((), dtype=np.float32), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def build_tokenizer(path: Path) -> None:
    """Words separated by spaces, between [CLS] and [SEP]; padding to a fixed length, as some files carry it."""
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_padding(length=64)
    tokenizer.save(str(path))


@pytest.fixture(scope="session")
def tiny_artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a complete artifact folder, code included. Copy it before changing anything."""
    folder = tmp_path_factory.mktemp("artifact")
    (folder / "onnx").mkdir()
    build_network(folder / "onnx" / "model_int8.onnx")
    build_tokenizer(folder / "tokenizer.json")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    package = folder / "code" / "serving"
    package.mkdir(parents=True)
    for file in SOURCE.glob("*.py"):
        shutil.copy(file, package.parent if file.name in serving.ENTRY_POINTS else package)
    return folder


@pytest.fixture
def artifact_copy(tiny_artifact: Path, tmp_path: Path) -> Path:
    """The tiny artifact, to be damaged."""
    return Path(shutil.copytree(tiny_artifact, tmp_path / "model"))


class ServerProcess:
    """The slim image's server as its entry point starts it, on a free port of the loopback interface."""

    def __init__(
        self, artifact: Path, *, command: Sequence[str] = COMMAND, user: int | None = None, **environ: str
    ) -> None:
        self.process = subprocess.Popen(
            command,
            user=user if os.geteuid() == 0 else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                "PATH": os.environ["PATH"],
                "SM_MODEL_DIR": str(artifact),
                "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
                "SAGEMAKER_BIND_TO_PORT": "0",
                **environ,
            },
        )
        self.lines: list[dict[str, Any]] = []
        self.port = 0
        self._known = threading.Event()
        # Read all the time: a server whose log nobody takes would stand still once the pipe is full.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if self.lines[-1]["message"] == "ready":
                self.port = self.lines[-1]["port"]
                self._known.set()
        self._known.set()

    def wait_ready(self) -> None:
        """Wait until the server listens; fails with the log if it never does."""
        assert self._known.wait(30)
        if not self.port:
            pytest.fail(f"the server ended before it was ready: {self.lines}")

    def end(self) -> int:
        """SIGTERM, the rest of the log, the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)
        self._reader.join(10)
        return self.process.returncode


@pytest.fixture
def start_process() -> Iterator[Callable[..., ServerProcess]]:
    """Start server processes, which end with the test."""
    started: list[ServerProcess] = []

    def start(artifact: Path, **options: Any) -> ServerProcess:
        started.append(ServerProcess(artifact, **options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="module")
def served(tiny_artifact: Path) -> Iterator[ServerProcess]:
    """One running server process for the tests of a module."""
    server = ServerProcess(tiny_artifact, MODEL_VERSION="3")
    server.wait_ready()
    yield server
    server.end()


class RunningServer:
    """The HTTP layer in a thread of this process."""

    def __init__(self, predictor: Predictor, settings: ServerSettings) -> None:
        self._listener = bind(settings)
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self._running = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=[self._serve(predictor, settings)])
        self._thread.start()
        assert self._running.wait(10)

    async def _serve(self, predictor: Predictor, settings: ServerSettings) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(predictor, settings)
        self._running.set()
        await self._server.serve(self._listener)

    def begin_stop(self) -> None:
        """What SIGTERM does."""
        self._loop.call_soon_threadsafe(self._server.begin_stop)

    def stop(self) -> None:
        """Stop, and wait until it has."""
        if self._thread.is_alive():
            self.begin_stop()
        self._thread.join(20)
        assert not self._thread.is_alive()


@contextmanager
def running_server(predictor: Predictor, **settings: Any) -> Iterator[RunningServer]:
    """The HTTP layer in this process, around any predictor."""
    server = RunningServer(predictor, ServerSettings(host="127.0.0.1", port=0, **settings))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def in_process() -> Callable[..., Any]:
    """`running_server`, as a fixture because test modules cannot import this file."""
    return running_server


@pytest.fixture
def ask() -> Callable[..., tuple[int, dict[str, Any]]]:
    """Send one request on a new connection: status and parsed body."""

    def send(port: int, body: bytes | str, *, method: str = "POST", path: str = "/invocations", **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    return send
