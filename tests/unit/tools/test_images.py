"""Digests come from a registry's answer, and from nowhere else; here a registry on the loopback interface gives it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from json_server import JsonServer
from stacks.common import container_image
from tools import supply

MANIFEST = {"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": []}
DIGEST = "sha256:" + hashlib.sha256(json.dumps(MANIFEST).encode()).hexdigest()
OLD = "sha256:" + "0" * 64
NOBODY = "127.0.0.1:9"
"""The discard port, which nobody listens on."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[JsonServer]:
    """`open`, `token` as ECR's public gallery asks for one, and `login` as its private registries do."""
    secret = base64.b64encode(b"AWS:word").decode()

    def answer(path: str, headers: dict[str, str], sent: Any) -> tuple[int, dict[str, str], Any]:
        _, _, *words = path.split("/")
        given = headers.get("Authorization", "")
        if path.startswith("/token"):
            return (
                (200, {}, {"token": "t0"}) if path == "/token?service=here&scope=repository%3Apull" else (400, {}, {})
            )
        if headers.get("X-Amz-Target", "").endswith("GetAuthorizationToken"):
            return 200, {}, {"authorizationData": [{"authorizationToken": secret}]}
        assert "manifest.list.v2+json" in headers["Accept"]
        if words[0] == "token" and given != "Bearer t0":
            realm = f'Bearer realm="{server.url}/token",service="here",scope="repository:pull"'
            return 401, {"WWW-Authenticate": realm}, {}
        if words[0] == "login" and given != f"Basic {secret}":
            return 401, {"WWW-Authenticate": 'Basic realm="ecr"'}, {}
        return (200, {}, MANIFEST) if words[-2:] == ["manifests", "1.0"] else (404, {}, {"errors": []})

    with JsonServer(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", server.url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield server


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A Dockerfile whose base has an old digest, and an empty file of digests."""
    (tmp_path / "digests.json").write_text("{}")
    return tmp_path / "Dockerfile", tmp_path / "digests.json"


@pytest.mark.parametrize("kind", ["open", "token", "login"])
def test_the_digest_is_that_of_the_manifest(kind: str, registry: JsonServer) -> None:
    """Without a login, with a token that anybody gets, and with the credentials of an AWS account."""
    assert supply.digest_of(f"{registry.host}/{kind}/python:1.0") == DIGEST


def test_digests_are_written(registry: JsonServer, files: tuple[Path, Path], capsys: Any) -> None:
    """Every stage of the Dockerfile gets the base's, whether it had one or not; other images go into the file."""
    dockerfile, digests = files
    base = f"{registry.host}/open/python:1.0"
    dockerfile.write_text(f"FROM {base}@{OLD} AS packages\nRUN true\nFROM {base}\n")
    image = f"{registry.host}/token/dlc:1.0"
    assert supply._told("images", list(supply.resolve_images(dockerfile, digests, [image]))) == 0
    assert dockerfile.read_text() == f"FROM {base}@{DIGEST} AS packages\nRUN true\nFROM {base}@{DIGEST}\n"
    assert json.loads(digests.read_text()) == {image: DIGEST}
    assert f"{image}: {DIGEST}" in capsys.readouterr().out


def test_a_registry_that_does_not_answer_changes_nothing(files: tuple[Path, Path], capsys: Any) -> None:
    """The exit code is 3, each image is named as not checked, and what was pinned stays."""
    dockerfile, digests = files
    dockerfile.write_text(f"FROM {NOBODY}/python:1.0@{OLD}\n")
    digests.write_text(json.dumps({f"{NOBODY}/dlc:1.0": OLD}))
    assert supply._told("images", list(supply.resolve_images(dockerfile, digests, [f"{NOBODY}/dlc:1.0"]))) == 3
    said = capsys.readouterr().out
    assert f"not checked: {NOBODY}/python:1.0: " in said and f"not checked: {NOBODY}/dlc:1.0: " in said
    assert dockerfile.read_text() == f"FROM {NOBODY}/python:1.0@{OLD}\n"
    assert json.loads(digests.read_text()) == {f"{NOBODY}/dlc:1.0": OLD}


def test_a_tag_that_does_not_exist_is_told_apart(registry: JsonServer, files: tuple[Path, Path], capsys: Any) -> None:
    """The exit code is 1, also where another image could not be asked for."""
    dockerfile, digests = files
    dockerfile.write_text(f"FROM {registry.host}/open/python:2.0\n")
    assert supply._told("images", list(supply.resolve_images(dockerfile, digests, [f"{NOBODY}/dlc:1.0"]))) == 1
    assert f"no such tag: {registry.host}/open/python:2.0: 404" in capsys.readouterr().out
    assert "@" not in dockerfile.read_text() and digests.read_text() == "{}\n"


def test_each_written_digest_is_one() -> None:
    """The file of this checkout holds images by tag, and digests of SHA-256, as the command writes them."""
    written = json.loads(container_image.DIGESTS.read_text())
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) and ":" in image for image, digest in written.items())
