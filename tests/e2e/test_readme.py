"""Every command of the README is run here, or by a test that is marked as its proof, or is marked as needing AWS."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from proven_commands import PROVEN

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(make [^`]+)`")

# Commands that would end, remove or recurse into what runs this test.
NOT_HERE = ("make test", "make test-fast", "make test-nightly", "make clean", "make down")
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
def test_a_command_of_the_readme_works(request: pytest.FixtureRequest, command: str) -> None:
    """It ends with 0 against a local cloud, here or in a test that fails if it did not run it (marker `proves`)."""
    if command in request.config.stash[PROVEN]:
        return
    assert command not in NOT_HERE, f"no test of this run is marked as the proof of {command}: run all of tests/"
    project = request.getfixturevalue("project")
    environment = {**project.environment, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documented_python_joins_in(project: Any) -> None:
    """The snippet of docs/local-cloud.md runs as it stands and prints the training jobs."""
    text = (ROOT / "docs" / "local-cloud.md").read_text()
    snippet = next(body for language, _, body in FENCE.findall(text) if language == "python")
    done = subprocess.run(
        [str(ROOT / ".venv" / "bin" / "python"), "-c", snippet],
        cwd=project.folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "text-classifier-local-" in done.stdout
