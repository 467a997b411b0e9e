"""The slim image's tree, sealed as it is in the image, with a model beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.errors import ServingError

pytestmark = pytest.mark.integration  # real servers

SLIM = Path(__file__).resolve().parents[3] / "build" / "slim"
NOBODY = 65534


def interpreter() -> str:
    """This Python or, where only root may run it, the system's own of the same version."""
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if os.geteuid() != 0:
        return sys.executable
    if not Path(system).exists():
        pytest.skip(f"needs {system}, because root's own Python cannot be run as somebody else")
    return system


@pytest.fixture
def sealed(tiny_artifact: Path) -> Iterator[Path]:
    """A folder with `server` and `model` that everybody may read and nobody may write."""
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(SLIM, folder / "server", ignore=shutil.ignore_patterns("__pycache__", "bin"))
    shutil.copytree(tiny_artifact, folder / "model", ignore=shutil.ignore_patterns("code"))
    subprocess.run(["chmod", "-R", "a=rX", str(folder)], check=True)
    yield folder
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)
    shutil.rmtree(folder)


def test_it_serves_as_nobody_from_that_tree_alone(sealed: Path, start_process: Callable[..., Any], ask: Any) -> None:
    """It imports no other package, writes nothing and needs no privilege."""
    python = interpreter()
    before = sorted(sealed.rglob("*"))
    server = start_process(sealed / "model", command=[python, "-I", "-S", str(sealed / "server"), "serve"], user=NOBODY)
    server.wait_ready()
    assert ask(server.port, '{"inputs": "good"}')[1]["predictions"][0]["label"] == "helpful"
    assert server.end() == 0
    assert sorted(sealed.rglob("*")) == before


def privileges(pid: int) -> dict[str, str]:
    """Users, groups and capabilities of a process, as Linux states them, the same in all its threads."""
    threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    found = [dict(line.split(":", 1) for line in text.splitlines()) for text in threads]
    stated = [{name: one[name].strip() for name in ("Uid", "Gid", "Groups", "CapPrm", "CapEff")} for one in found]
    assert all(one == stated[0] for one in stated)
    return stated[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_started_as_root_it_loads_what_root_alone_may_read_and_serves_as_nobody(
    sealed: Path, start_process: Callable[..., Any], ask: Any
) -> None:
    """No thread keeps a user, a group or a capability of root; the model lies in a folder that is closed to nobody."""
    (sealed / "model").chmod(0o700)
    python = interpreter()
    server = start_process(
        sealed / "model", command=[python, "-I", "-S", str(sealed / "server"), "serve"], SERVING_USER=str(NOBODY)
    )
    server.wait_ready()
    assert server.lines[-1]["user"] == NOBODY
    for text in ('{"inputs": "good"}', '{"inputs": ["good", "bad"], "parameters": {"top_k": null}}', "nonsense"):
        ask(server.port, text)
    user = "\t".join([str(NOBODY)] * 4)
    nothing = "0" * 16
    assert privileges(server.process.pid) == {
        "Uid": user,
        "Gid": user,
        "Groups": "",
        "CapPrm": nothing,
        "CapEff": nothing,
    }
    assert server.end() == 0


def test_nothing_listens_before_the_rights_of_root_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bound, loaded, dropped, then listening: no byte from outside meets root."""
    from serving.server import process

    steps: list[str] = []

    class Socket:
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None: ...

        def getsockname(self) -> tuple[str, int]:
            return ("", 8080)

        def listen(self, backlog: int) -> None:
            steps.append("listen")
            raise ServingError("that is enough")

    monkeypatch.setattr(process, "bind", lambda settings: steps.append("bind") or Socket())
    monkeypatch.setattr(process, "load_predictor", lambda *_, **__: steps.append("load"))
    monkeypatch.setattr(process, "drop_root", lambda user: steps.append(f"become {user}"))
    assert process.run({"SERVING_USER": str(NOBODY)}) == 1
    assert steps == ["bind", "load", f"become {NOBODY}", "listen"]


@pytest.mark.parametrize("library", ["torch", "transformers", "pip"])
def test_what_is_not_in_the_tree_cannot_be_imported(library: str) -> None:
    """The options -I and -S keep the packages of the environment out."""
    command = [sys.executable, "-I", "-S", "-c", f"import {library}"]
    assert b"ModuleNotFoundError" in subprocess.run(command, capture_output=True, check=False).stderr
