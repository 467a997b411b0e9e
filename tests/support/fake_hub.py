"""The Hugging Face Hub's API on the loopback interface, as far as its own client needs it for a model."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from running_server import RunningServer

TOKEN = "hf_abc"
ACCOUNT = {
    "type": "user",
    "name": "owner",
    "orgs": [{"name": "team", "roleInOrg": "write"}, {"name": "others", "roleInOrg": "read"}],
    "auth": {"type": "access_token", "accessToken": {"displayName": "mine", "role": "write"}},
}


class Repository:
    """A model repository: files by commit, the newest last."""

    def __init__(self, *, private: bool, files: dict[str, bytes] | None = None) -> None:
        self.private = private
        self.commits: list[tuple[str, dict[str, bytes]]] = []
        self.commit({".gitattributes": b"", **(files or {})})

    def commit(self, files: dict[str, bytes]) -> str:
        """Make `files` the content; return the commit."""
        oid = hashlib.sha1(repr((len(self.commits), sorted(files.items()))).encode()).hexdigest()
        self.commits.append((oid, files))
        return oid

    @property
    def newest(self) -> str:
        """The newest commit."""
        return self.commits[-1][0]

    @property
    def files(self) -> dict[str, bytes]:
        """What lies there now, without what the Hub itself puts there."""
        return {name: content for name, content in self.commits[-1][1].items() if name != ".gitattributes"}


class FakeHub(RunningServer):
    """The server. Large files go by LFS: the Xet protocol of the real Hub is not spoken (HF_HUB_DISABLE_XET=1).

    Attributes:
        repositories: by their names.
        account: what `whoami` answers.
        refusals: a part of a path → the status that it is answered with; 0 cuts the connection.
        asked: method and path of each request.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.account: dict[str, Any] = json.loads(json.dumps(ACCOUNT))
        self.refusals: dict[str, int] = {}
        self.asked: list[str] = []
        self.large: dict[str, bytes] = {}
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                with outer.lock:
                    outer._answer(self)

            do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    @property
    def changes(self) -> list[str]:
        """The requests that change something."""
        return [one for one in self.asked if re.search("create|commit|preupload|lfs", one)]

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(request.path).path)
        self.asked.append(f"{request.command} {path}")
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        status = next((status for part, status in self.refusals.items() if part in path), None)
        if status == 0:
            request.close_connection = True
            return
        authorized = request.headers.get("Authorization") == f"Bearer {TOKEN}" or path.startswith("/lfs/")
        headers: dict[str, str] = {}
        content: Any = {"error": "refused here"}
        if status is None and not authorized:
            status, content = 401, {"error": "Invalid username or password."}
        if status is None:
            status, headers, content = self._do(request.command, path, body)
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        request.send_response(status)
        for name, value in {"Content-Length": str(len(sent)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(sent)

    def _do(self, command: str, path: str, body: bytes) -> tuple[int, dict[str, str], Any]:
        if path == "/api/whoami-v2":
            return 200, {}, self.account
        if path == "/api/validate-yaml":
            return 200, {}, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree|preupload|commit)/([^/]+))?", path):
            return self._of_repository(*found.groups(), body)
        if path.endswith(".git/info/lfs/objects/batch"):
            upload = f"{self.url}/lfs/"
            wanted = [
                {**one, "actions": {"upload": {"href": f"{upload}{one['oid']}"}}} for one in json.loads(body)["objects"]
            ]
            return 200, {}, {"transfer": "basic", "objects": wanted}
        if path.startswith("/lfs/"):
            assert hashlib.sha256(body).hexdigest() == path.removeprefix("/lfs/")
            self.large[path.removeprefix("/lfs/")] = body
            return 200, {}, {}
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._file(*found.groups())
        return 404, {}, {"error": f"nothing at {command} {path}"}

    def _create(self, asked: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        name = f"{asked['organization']}/{asked['name']}"
        if name in self.repositories:
            return 409, {}, {"error": "You already created this model repo"}
        self.repositories[name] = Repository(private=asked.get("visibility") == "private")
        return 200, {}, {"url": f"{self.url}/{name}", "id": name}

    def _of_repository(
        self, name: str, action: str | None, revision: str | None, body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        if name not in self.repositories:
            return 404, {"X-Error-Code": "RepoNotFound"}, {"error": "Repository not found"}
        here = self.repositories[name]
        if action == "preupload":
            files = [
                {"path": one["path"], "uploadMode": mode_of(one["path"]), "shouldIgnore": False, "oid": None}
                for one in json.loads(body)["files"]
            ]
            return 200, {}, {"files": files}
        if action == "commit":
            return self._commit(name, [json.loads(line) for line in body.splitlines()])
        if action == "tree":
            return 200, {}, [{"type": "file", "path": file, "size": 0, "oid": "0"} for file in here.commits[-1][1]]
        card = here.files.get("README.md", b"").decode().split("---\n")
        return (
            200,
            {},
            {
                "id": name,
                "modelId": name,
                "sha": here.newest,
                "private": here.private,
                "tags": [],
                "siblings": [{"rfilename": file} for file in here.commits[-1][1]],
                "cardData": yaml.safe_load(card[1]) if len(card) > 1 else None,
            },
        )

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> tuple[int, dict[str, str], Any]:
        here = self.repositories[name]
        if lines[0]["value"].get("parentCommit") != here.newest:
            return 412, {}, {"error": "A commit has happened since. Please refresh and try again."}
        files = dict(here.commits[-1][1])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "deletedFile":
                del files[value["path"]]
            else:
                large = line["key"] == "lfsFile"
                files[value["path"]] = self.large[value["oid"]] if large else base64.b64decode(value["content"])
        oid = here.commit(files)
        return 200, {}, {"commitUrl": f"{self.url}/{name}/commit/{oid}", "commitOid": oid}

    def _file(self, name: str, revision: str, path: str) -> tuple[int, dict[str, str], Any]:
        if name not in self.repositories:
            return 404, {"X-Error-Code": "RepoNotFound"}, {"error": "Repository not found"}
        here = self.repositories[name]
        content = dict(here.commits)[here.newest if revision == "main" else revision].get(path)
        headers = {"X-Repo-Commit": here.newest}
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound", **headers}, {"error": "Entry not found"}
        return 200, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', **headers}, content


@contextmanager
def running_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A running Hub, which the client asks, and whose token the environment holds."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with FakeHub() as running:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.url)
        yield running


def mode_of(path: str) -> str:
    """How the Hub wants a file: weights by LFS, as its .gitattributes say."""
    return "lfs" if path.endswith((".safetensors", ".onnx", ".data")) else "regular"


_ASK = """
import json, sys
from transformers import pipeline
asked = json.load(sys.stdin)
print(json.dumps({name: pipeline("text-classification", name)(texts, top_k=None) for name, texts in asked.items()}))
"""


def pipeline_answers(hub: FakeHub | None, asked: dict[str, list[str]], scratch: Path) -> dict[str, Any]:
    """What transformers' `pipeline` answers in a process of its own, with an empty cache: texts by model.

    The models are repositories of `hub`, or folders where there is none.
    """
    place = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN} if hub else {"HF_HUB_OFFLINE": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    environment = {**kept, "HF_HOME": tempfile.mkdtemp(dir=scratch), "HF_HUB_DISABLE_XET": "1", **place}
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        env=environment,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
