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


@pytest.mark.parametrize("library", ["torch", "transformers", "pip"])
def test_what_is_not_in_the_tree_cannot_be_imported(library: str) -> None:
    """The options -I and -S keep the packages of the environment out."""
    command = [sys.executable, "-I", "-S", "-c", f"import {library}"]
    assert b"ModuleNotFoundError" in subprocess.run(command, capture_output=True, check=False).stderr
