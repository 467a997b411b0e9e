"""`make sbom` and `make audit`: the real tools, with services on the loopback interface in place of OSV and npm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from json_server import JsonServer
from tools import setup, supply

pytestmark = pytest.mark.integration
ADVISORY = {
    "id": "GHSA-0000-0000-0001",
    "summary": "a made-up weakness",
    "modified": "2026-11-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "idna", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}
NODE_ADVISORY = {
    "aws-cdk": [
        {
            "id": 1,
            "url": "https://example.com/advisory",
            "title": "a made-up weakness of the command line",
            "severity": "high",
            "vulnerable_versions": "<99.0.0",
        }
    ]
}
PACKAGE = {"name": "aws-cdk", "dist-tags": {"latest": "99.0.0"}}
PACKAGE["versions"] = {version: {"name": "aws-cdk", "version": version} for version in ("2.1148.1", "99.0.0")}
NOBODY = "http://127.0.0.1:9"
"""The discard port, which nobody listens on."""


def locked_versions(text: str) -> set[tuple[str, str]]:
    """Name and version of each package that a requirements file pins."""
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in pins}


def test_each_deployed_thing_has_an_sbom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They name exactly what is locked, with hashes; the layer's is what the layer holds."""
    monkeypatch.delitem(supply.FILES, "development")  # takes long; `make sbom` is run in tests/e2e
    assert supply.write_sboms(tmp_path) == 0
    documents = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert set(documents) == {*supply.FILES, *supply.PARTS, "node"}
    found = {
        name: {(re.sub(r"[-_.]+", "-", one["name"]).lower(), one["version"]) for one in document["components"]}
        for name, document in documents.items()
    }
    texts = {name: (setup.ROOT / file).read_text() for name, file in (supply.FILES | supply.PARTS).items()}
    assert {name: found[name] for name in texts} == {name: locked_versions(text) for name, text in texts.items()}
    node = json.loads((setup.ROOT / "package.json").read_text())["devDependencies"]
    assert set(node.items()) <= found["node"]
    layer = json.dumps(documents["lambda-layer"])
    hashes = re.findall(r"--hash=sha256:(\w+)", setup.locked()["aws-lambda-powertools"])
    assert hashes and all(digest in layer for digest in hashes)
    layer_on_disk = setup.ROOT / "build" / "lambda-layer" / "python"
    installed = {tuple(path.name.removesuffix(".dist-info").split("-")) for path in layer_on_disk.glob("*.dist-info")}
    assert {(name.replace("_", "-").lower(), version) for name, version in installed} == found["lambda-layer"]


def test_an_sbom_that_does_not_fit_the_schema_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the thing and the place are said, and no file is written."""
    wrong = tmp_path / "tool"
    component = {"type": "library", "name": "a", "version": 1}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}
    wrong.write_text(f"#!/bin/sh\necho '{json.dumps(document)}'")
    wrong.chmod(0o755)
    monkeypatch.setattr(supply.setup, "npm_command", lambda: (wrong, wrong))
    monkeypatch.setattr(supply, "FILES", {})
    monkeypatch.setattr(supply, "PARTS", {})
    with pytest.raises(SystemExit, match=r"\[sbom\] node: 1 is not of type 'string'"):
        supply.write_sboms(tmp_path / "sbom")
    assert list((tmp_path / "sbom").iterdir()) == []


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two Python packages instead of hundreds; npm without a cache of earlier answers."""
    file = tmp_path / "two.txt"
    file.write_text(setup.entries({"idna", "requests"}))
    monkeypatch.setattr(supply, "FILES", {"two": str(file)})
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", NOBODY)


@pytest.fixture
def advisories(small: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[JsonServer, dict[str, Any]]]:
    """OSV and npm in one; a test says what they know."""
    known: dict[str, Any] = {"osv": {}, "npm": {}}

    def answer(path: str, headers: dict[str, str], sent: Any) -> tuple[int, dict[str, str], Any]:
        if path == "/v1/query":
            return 200, {}, {"vulns": [known["osv"]]} if known["osv"] and sent["package"]["name"] == "idna" else {}
        return (200, {}, known["npm"]) if path.endswith("/advisories/bulk") else (200, {}, PACKAGE)

    with JsonServer(answer) as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        yield server, known


def test_without_an_advisory_the_audit_ends_with_0(advisories: Any, capsys: Any) -> None:
    """Both services were asked, and knew nothing."""
    server, _ = advisories
    assert supply.audit(f"{server.url}/v1/query") == 0
    assert capsys.readouterr().out == "[audit] all was checked, nothing found\n"
    assert {"/v1/query", "/-/npm/v1/security/advisories/bulk"} <= set(server.asked)


def test_an_advisory_ends_with_1_and_names_the_fixed_version(advisories: Any, capsys: Any) -> None:
    """Package, version, advisory and what to take instead, for Python and for Node."""
    server, known = advisories
    known |= {"osv": ADVISORY, "npm": NODE_ADVISORY}
    assert supply.audit(f"{server.url}/v1/query") == 1
    said = capsys.readouterr().out
    version = setup.locked()["idna"].split()[0].partition("==")[2]
    assert f"[audit] found: idna {version}: GHSA-0000-0000-0001, fixed in: 99.1\n" in said
    assert "[audit] found: aws-cdk <99.0.0: a made-up weakness of the command line, fixed by: " in said
    assert '"version": "99.0.0"' in said
    assert "not checked" not in said


def test_services_that_do_not_answer_end_with_3(small: None, capsys: Any) -> None:
    """It says for which packages nothing was checked, and why; it never says that nothing was found."""
    assert supply.audit(f"{NOBODY}/v1/query") == 3
    python, node = capsys.readouterr().out.splitlines()
    assert python.startswith("[audit] not checked: Python packages: ") and "127.0.0.1" in python
    assert node.startswith("[audit] not checked: Node packages: ") and "ECONNREFUSED" in node


def test_half_an_answer_is_no_all_clear(advisories: Any, monkeypatch: Any, capsys: Any) -> None:
    """Where OSV knows an advisory and npm doesn't answer, it is found, and the rest not checked."""
    server, known = advisories
    known["osv"] = ADVISORY
    monkeypatch.setenv("npm_config_registry", NOBODY)
    assert supply.audit(f"{server.url}/v1/query") == 1
    assert "not checked: Node packages" in capsys.readouterr().out
