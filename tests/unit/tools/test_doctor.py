"""`make doctor` says what a machine lacks, also where nothing is installed yet, and waits for nobody."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from json_server import JsonServer
from operations.checks import FAILED, NOTE, OK, Check
from tools import doctor, setup

ROOT = Path(__file__).resolve().parents[3]
BEFORE_SET_UP = (
    *("tools/doctor.py", "tools/setup.py", "tools/browser.py", "operations/checks.py"),
    "training_job/classifier/training/precision.py",
)
HOSTS = ("PIP_INDEX_URL", "NPM_CONFIG_REGISTRY", "HF_ENDPOINT")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a program that accepts connections and says nothing; probes wait 0.2 s."""
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.2)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("name", BEFORE_SET_UP)
def test_an_old_python_can_read_it(name: str) -> None:
    """Python 3.8 parses what says that Python 3.8 can't be used, and evaluates no annotation with a `|`."""
    text = (ROOT / name).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    unions = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)]
    assert "from __future__ import annotations" in text or not unions


def test_it_needs_no_package(tmp_path: Path) -> None:
    """Without site-packages it prints every check; hosts out of reach are no failure once set-up is complete."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        free = str(server.getsockname()[1])
    variables = dict.fromkeys(HOSTS, f"http://127.0.0.1:{free}/") | {"PORT": free, "ARGS": "--json"}
    command = [sys.executable, "-S", "-m", "tools.doctor"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": "training_job", **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    found = {one["check"]: one["status"] for one in json.loads(done.stdout)}
    assert (found["port"], found["PyPI"], found["npm"], done.returncode) == (OK, NOTE, NOTE, 0), done.stderr
    assert found.keys() >= {"Python", "disk space", "memory", "cores", "model hub", "data host", "Chromium"}


@pytest.mark.parametrize(("installed", "status"), [(False, FAILED), (True, NOTE)])
def test_an_index_that_is_silent_is_needed_only_for_set_up(
    silent: int, installed: bool, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are asked at the same time, and after the time of one each has its line, with what it means."""
    for name in HOSTS:
        monkeypatch.setenv(name, f"http://127.0.0.1:{silent}/")
    started = time.monotonic()
    found = list(doctor._network(installed))
    assert time.monotonic() - started < 0.7
    assert [one.status for one in found[:3]] == [status, status, NOTE]
    assert all("127.0.0.1 does not answer" in one.found for one in found[:3])
    assert "proxy" in found[0].next_step or installed


def test_credentials_of_an_index_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an address, its host name alone is printed."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:secret@127.0.0.1:1/simple")
    assert "secret" not in str(list(doctor._network(False)))


def test_an_answer_of_any_status_is_an_answer() -> None:
    """A mirror may refuse its first page; it is in reach."""
    with JsonServer(lambda *_: (403, {}, {})) as server:
        assert doctor._answer(server.url) == 403


def port(found: Check) -> tuple[str, str]:
    """Its status, and whose the port is."""
    return found.status, re.sub(r"\d+", "N", found.found)


def test_a_port_is_free_ours_or_a_strangers(silent: int) -> None:
    """A local cloud answers at its health path; for a stranger's, the next step names another port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        free = server.getsockname()[1]
    assert port(doctor._port(str(free))) == (OK, "N is free")
    assert port(doctor._port(str(silent))) == (FAILED, "N is taken by another program")
    assert f"PORT={silent % 65535 + 1}" in doctor._port(str(silent)).next_step
    assert doctor._port("80").status == doctor._port("4566; ls").status == FAILED


def test_a_full_disk_fails_before_set_up_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It names what is free and what set-up takes."""
    monkeypatch.setattr(doctor, "_network", lambda installed: iter(()))
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1e9}))
    monkeypatch.setattr(setup, "STAMP", tmp_path / "none")
    (disk,) = (one for one in doctor.checks("4566") if one.check == "disk space")
    assert disk.status == FAILED and "1 GB free; set-up takes 3.5" in disk.found
