"""Publishing a model folder, against a hub that is a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from classifier.artifact import hub
from classifier.errors import JobError


class FakeHub(BaseHTTPRequestHandler):
    """Serves the calls of an upload: make the repository, ask how to send each file, commit."""

    received: dict[str, str]

    def do_POST(self) -> None:
        """Answers one call, and keeps what was committed and with which token."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.received["token"] = self.headers.get("Authorization", "")
        address = f"http://{self.headers['Host']}/owner/name"
        if self.path == "/api/repos/create":
            self.received["create"] = body
            self._answer({"url": address, "id": "owner/name"})
        elif "/preupload/" in self.path:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for file in json.loads(body)["files"]
            ]
            self._answer({"files": files})
        elif "/commit/" in self.path:
            self.received["commit"] = body
            self._answer({"commitUrl": f"{address}/commit/abc", "commitOid": "abc"})
        else:
            self._answer({"errors": [], "warnings": []})

    def _answer(self, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def fake_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, dict[str, str]]]:
    """Address of a running fake hub, and what it has received."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    FakeHub.received = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeHub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", FakeHub.received
    server.shutdown()
    server.server_close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    (tmp_path / "onnx").mkdir()
    for name in ("config.json", "README.md", "onnx/model_int8.onnx"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_the_whole_folder_is_committed_to_a_private_repository(
    model: Path, fake_hub: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files arrive in one commit, and the repository is private by default."""
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    address, received = fake_hub
    assert hub.publish(model, "owner/name", endpoint=address) == f"{address}/owner/name/commit/abc"
    committed = {
        line["value"]["path"] for line in map(json.loads, received["commit"].splitlines()) if line["key"] == "file"
    }
    assert committed == {"config.json", "README.md", "onnx/model_int8.onnx"}
    created = json.loads(received["create"])
    assert created.get("private") is True or created.get("visibility") == "private"
    assert received["token"] == "Bearer hf_test"


def test_without_a_token_nothing_is_sent(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which variable to set."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(JobError, match="HF_TOKEN"):
        hub.publish(model, "owner/name")


def test_a_folder_without_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped folder is not published."""
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    with pytest.raises(JobError, match=r"holds no model \(no config\.json\)"):
        hub.publish(tmp_path, "owner/name")


def test_the_command_ends_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 and one line, no stack trace."""
    assert hub.main(["--model-dir", str(tmp_path), "--repo-id", "owner/name"]) == 1
    assert "config.json" in capsys.readouterr().err
