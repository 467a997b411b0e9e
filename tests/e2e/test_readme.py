"""Every command of the README is run here, or by the test named beside it, or is marked as needing AWS."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(make [^`]+)`")

# Commands that would stop, remove or recurse into what runs this test, and what proves them instead.
PROVED_BY = {
    "make up": "tests/e2e/conftest.py",
    "make up DATA=folder": "tests/e2e/conftest.py",
    "make down": "tests/e2e/test_whole_path.py",
    "make setup": "Makefile",  # every target below depends on it
    "make test": ".ci/run",
    "make test-fast": "tests/integration/test_make_targets.py",
    "make clean": "tests/integration/test_make_targets.py",
    "make train": "tests/e2e/test_whole_path.py",
    'make train HYPERPARAMETERS="epochs=3"': "tests/e2e/test_whole_path.py",
    "make train-sdk": "tests/e2e/test_whole_path.py",
    "make train INPUT='{\"spot\": true}'": "tests/e2e/test_release.py",
    "make approve PACKAGE=2": "tests/e2e/test_release.py",
    "make rollback": "tests/e2e/test_release.py",
}
NEEDS_AWS = ("ENV=dev",)


def commands() -> list[str]:
    """Every command line in the README's bash blocks and every inline `make …`, except those marked as needing AWS."""
    text = (ROOT / "README.md").read_text()
    blocks = [
        line
        for language, mark, body in FENCE.findall(text)
        if language == "bash" and "aws" not in mark
        for line in body.splitlines()
        if line.strip()
    ]
    inline = [" ".join(found.split()) for found in INLINE.findall(FENCE.sub("", text))]
    return sorted({line for line in blocks + inline if not any(mark in line for mark in NEEDS_AWS)})


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_works(served: Any, command: str) -> None:
    """It ends with 0 against the local cloud of this session, or the test that proves it contains it."""
    if command in PROVED_BY:
        proof = (ROOT / PROVED_BY[command]).read_text()
        target = command.split()[1]
        assert f'"{target}"' in proof or f"make {target}" in proof or f"{target}:" in proof
        return
    environment = {**served.project.environment, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documented_python_joins_in(served: Any) -> None:
    """The snippet of docs/local-cloud.md runs as it stands and prints the training jobs."""
    text = (ROOT / "docs" / "local-cloud.md").read_text()
    snippet = next(body for language, _, body in FENCE.findall(text) if language == "python")
    done = subprocess.run(
        [str(ROOT / ".venv" / "bin" / "python"), "-c", snippet],
        cwd=served.project.folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "text-classifier-local-" in done.stdout
