"""The stand-in for the official Hugging Face inference image, as a real process."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.common.settings import ImageRule
from local.sagemaker.processes import ports

pytestmark = pytest.mark.integration  # real processes

PROGRAM = Path(__file__).resolve().parents[3] / "local" / "containers" / "huggingface.py"
PATIENCE_SECONDS = 20.0
SIMPLE = """
    def model_fn(model_dir):
        return "model"

    def transform_fn(model, data, content_type, accept):
        return f"{model} {data} {content_type} {accept}"
"""
BROKEN = """
def model_fn(model_dir):
    raise OSError('no weights')

def transform_fn(model, data, content_type, accept): ...
"""


class Container:
    """A running stand-in around an `inference.py`."""

    def __init__(self, folder: Path, inference: str | None, **environ: str) -> None:
        self.folder = folder
        (folder / "code").mkdir(exist_ok=True)
        if inference is not None:
            (folder / "code" / "inference.py").write_text(textwrap.dedent(inference))
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "serve"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "SM_MODEL_DIR": str(folder),
                "SAGEMAKER_BIND_TO_HOST": "127.0.0.1",
                "SAGEMAKER_BIND_TO_PORT": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
                **environ,
            },
        )
        self.port = int(environ.get("SAGEMAKER_BIND_TO_PORT", "0"))

    def ready(self) -> Container:
        """Wait until it says its port; fails with the log if it never does."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if '"port"' in line:
                self.port = json.loads(line)["port"]
                return self
        pytest.fail(f"it ended before it was ready: {lines}")

    def ask(self, body: bytes = b"{}", path: str = "/invocations", **headers: str) -> tuple[int, str, str]:
        """Status, body and content type of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if path == "/ping" else "POST", path, None if path == "/ping" else body, sent)
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, content, answer.headers["Content-Type"]

    def refusal(self, body: bytes = b"{}") -> dict[str, Any]:
        """The error document of a request that fails with 400."""
        status, content, content_type = self.ask(body, Content_Type="application/json")
        assert (status, content_type) == (400, "application/json")
        return json.loads(content)

    def end(self) -> tuple[int, list[str]]:
        """Exit code and log, once it has ended."""
        output, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, output.splitlines()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    """Starts containers around an inference.py; kills them afterwards."""
    started: list[Container] = []

    def start(inference: str | None, **environ: str) -> Container:
        started.append(Container(tmp_path, inference, **environ))
        return started[-1]

    yield start
    for container in started:
        container.process.kill()
        container.process.communicate()


def test_transform_fn_gets_the_request(start: Callable[..., Container]) -> None:
    """JSON comes as text, other bodies as bytes, and Accept */* means JSON, as in the toolkit."""
    container = start(SIMPLE).ready()
    expected = "model {} application/json application/json"
    assert container.ask(Content_Type="application/json", Accept="*/*") == (200, expected, "application/json")
    status, content, content_type = container.ask(b"x", Content_Type="image/png", Accept="text/csv")
    assert (status, content, content_type) == (200, "model bytearray(b'x') image/png text/csv", "text/csv")


def test_a_kept_connection_is_answered_at_once(start: Callable[..., Container]) -> None:
    """Head and body leave without a wait for the caller's ACK, which comes after 40 ms."""
    container = start(SIMPLE).ready()
    connection = http.client.HTTPConnection("127.0.0.1", container.port, timeout=PATIENCE_SECONDS)
    took = []
    for _ in range(30):
        began = time.monotonic()
        connection.request("POST", "/invocations", b"{}")
        connection.getresponse().read()
        took.append(time.monotonic() - began)
    connection.close()
    assert sorted(took)[len(took) // 4] < 0.03  # of a busy machine the fast quarter counts


def test_hooks_with_a_context_get_it(start: Callable[..., Container]) -> None:
    """A hook with one parameter more gets the context: it sets the answer's status and reads the request's headers."""
    container = start(
        """
        def model_fn(model_dir, context):
            return context.system_properties["model_dir"]
        def transform_fn(model, data, content_type, accept, context=None):
            context.set_response_status(code=503, idx=0)
            return model + context.get_request_header(0, "X-Note")
        """
    ).ready()
    assert container.ask(X_Note="!")[:2] == (503, f"{container.folder}!")


def test_a_hook_that_raises_is_a_400(start: Callable[..., Container]) -> None:
    """Every exception becomes the toolkit's JSON with status 400; the log says what and where, without the text."""
    container = start(SIMPLE.replace("return f", "raise KeyError(data) #")).ready()
    assert container.refusal(b'"secret"') == {"code": 400, "type": "InternalServerException", "message": "'\"secret\"'"}
    container.process.send_signal(signal.SIGTERM)
    code, lines = container.end()
    line = json.loads(lines[0])
    assert (line["message"], line["status"], line["bytes"], line["error"]) == ("request", 400, 8, "KeyError")
    assert line["at"].startswith("inference.py:")
    assert code == 0 and "secret" not in "".join(lines)


def test_hooks_are_called_one_at_a_time(start: Callable[..., Container]) -> None:
    """Concurrent requests are answered one after the other."""
    container = start(
        """
        import threading, time
        def model_fn(model_dir):
            return threading.Lock()
        def transform_fn(lock, data, content_type, accept):
            alone = lock.acquire(blocking=False)
            time.sleep(0.05)
            lock.release()
            return str(alone)
        """
    ).ready()
    seen: list[str] = []
    callers = [threading.Thread(target=lambda: seen.append(container.ask()[1])) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert seen == ["True"] * 6


@pytest.mark.parametrize(
    ("inference", "reason"),
    [
        ("raise RuntimeError('no such library')", "RuntimeError: no such library"),
        (BROKEN, "OSError: no weights"),
        ("def model_fn(): ...", "TypeError: model_fn of code/inference.py takes 0 arguments; it is given 1 or 2"),
        ("x = 1", "UnusableArtifactError: code/inference.py defines no model_fn"),
        ("def model_fn(a): ...", "UnusableArtifactError: code/inference.py defines no transform_fn"),
        (None, "There is no code/inference.py in "),
    ],
    ids=["import", "load", "parameters", "no hook", "no transform_fn", "no file"],
)
def test_what_cannot_be_loaded_ends_with_the_reason(
    start: Callable[..., Container], inference: str | None, reason: str
) -> None:
    """An import or a model_fn that fails ends the process with exit code 1 and the reason in the last line."""
    code, lines = start(inference).end()
    assert code == 1
    last = json.loads(lines[-1])
    assert last["message"] == "cannot start"
    assert last["reason"].startswith(reason)


def test_honest_ping_waits_for_the_model(start: Callable[..., Container], tmp_path: Path) -> None:
    """/ping says 503 while model_fn runs, and 200 when it has returned."""
    flag = tmp_path / "go"
    container = start(
        f"""
        import pathlib, time
        def model_fn(model_dir):
            while not pathlib.Path({str(flag)!r}).exists():
                time.sleep(0.02)
            return 1
        def transform_fn(model, data, content_type, accept):
            return "ok"
        """,
        SAGEMAKER_BIND_TO_PORT=str(ports.claim()),
    )
    assert _first_ping(container) == 503
    flag.touch()
    container.ready()
    assert container.ask(path="/ping")[0] == 200


def test_stock_ping_lies(start: Callable[..., Container]) -> None:
    """LOCAL_CONTAINER_PING=stock: /ping says 200 though the model cannot be loaded, and every request is a 400."""
    container = start(BROKEN, LOCAL_CONTAINER_PING="stock").ready()
    assert container.ask(path="/ping")[0] == 200
    for _ in range(2):
        assert container.refusal()["message"] == "no weights"
    assert container.ask(path="/ping")[0] == 200
    assert container.process.poll() is None


def test_stock_ping_with_a_good_model(start: Callable[..., Container]) -> None:
    """LOCAL_CONTAINER_PING=stock: the model is loaded by the first request, once."""
    inference = SIMPLE.replace('return "model"', 'print("loading", flush=True); return "model"')
    container = start(inference, LOCAL_CONTAINER_PING="stock").ready()
    assert [container.ask()[0] for _ in range(2)] == [200, 200]
    container.process.send_signal(signal.SIGTERM)
    assert container.end()[1].count("loading") == 1


@pytest.mark.parametrize(("ping", "server"), [("stock", "MMS"), ("honest", "None")])
def test_with_the_stock_ping_the_context_names_the_stock_server(
    start: Callable[..., Container], ping: str, server: str
) -> None:
    """An artifact can find out which server runs it."""
    inference = """
        def model_fn(model_dir, context):
            return str(context.system_properties.get("server_name"))
        def transform_fn(model, data, content_type, accept):
            return model
    """
    assert start(inference, LOCAL_CONTAINER_PING=ping).ready().ask()[1] == server


def test_a_ping_mode_that_does_not_exist(start: Callable[..., Container]) -> None:
    """A misspelt mode ends the process and says what is allowed."""
    code, lines = start(SIMPLE, LOCAL_CONTAINER_PING="nice").end()
    assert code == 1
    assert json.loads(lines[-1])["reason"] == "LOCAL_CONTAINER_PING=nice is not allowed: expected honest or stock"


def test_sigterm_lets_the_running_request_finish(start: Callable[..., Container]) -> None:
    """After SIGTERM the process accepts no request, answers the current one, and ends with exit code 0."""
    slow = SIMPLE.replace("return f", 'import time; print("asked", flush=True); time.sleep(1); return f')
    container = start(slow).ready()
    seen: list[int] = []
    caller = threading.Thread(target=lambda: seen.append(container.ask()[0]))
    caller.start()
    assert container.process.stdout is not None
    assert container.process.stdout.readline() == "asked\n"
    container.process.send_signal(signal.SIGTERM)
    code, lines = container.end()
    caller.join()
    assert (seen, code) == ([200], 0)
    assert json.loads(lines[-1])["message"] == "stopped"


def test_sigterm_ends_a_model_that_never_loads(start: Callable[..., Container]) -> None:
    """A model_fn that hangs does not keep the process alive."""
    hanging = SIMPLE.replace('return "model"', "import time; print('begun', flush=True); time.sleep(60)")
    container = start(hanging)
    assert container.process.stdout is not None
    assert container.process.stdout.readline() == "begun\n"
    container.process.send_signal(signal.SIGTERM)
    assert container.end()[0] == 0


def test_other_paths_are_not_found(start: Callable[..., Container]) -> None:
    """Every other path is a 404."""
    assert start(SIMPLE).ready().ask(path="/models")[0] == 404


def test_it_is_started_with_serve(tmp_path: Path) -> None:
    """Any other argument is a usage error."""
    done = subprocess.run([sys.executable, str(PROGRAM)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "usage" in done.stdout


def test_an_endpoint_runs_it(start_cloud: Any, tmp_path: Path) -> None:
    """The endpoint of an artifact whose model does not load fails with the reason; with the stock ping it comes up."""
    rule = ImageRule(image="*", kind="serving", python=sys.executable, command=(str(PROGRAM), "serve"))
    cloud = start_cloud(images=(rule,))
    put_model = cloud.put_model
    cloud.put_model = lambda version: put_model(version, {"code/inference.py": BROKEN})
    endpoint = cloud.deploy("1")
    assert endpoint["EndpointStatus"] == "Failed"
    assert 'reason": "OSError: no weights"' in endpoint["FailureReason"]
    cloud.create_config("2", environment={"LOCAL_CONTAINER_PING": "stock"})
    cloud.call("DeleteEndpoint", EndpointName="reviews")
    cloud.until(lambda: cloud.call("ListEndpoints")["Endpoints"], lambda left: left == [])
    cloud.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName="config-2")
    assert cloud.endpoint()["EndpointStatus"] == "InService"


def _first_ping(container: Container) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            return container.ask(path="/ping")[0]
        except ConnectionRefusedError:
            time.sleep(0.02)
    raise AssertionError("it never listened")
