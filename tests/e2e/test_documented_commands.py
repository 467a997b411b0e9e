"""Every command of the documents is run here, or by a test that proves it, or is marked on its page as not run."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest

from documented_commands import FENCE, NOT_HERE, ROOT, pages, target
from proven_commands import PROVEN

pytestmark = pytest.mark.e2e

LONG = ("python training_job/train.py --train", "python benchmarks/gate_promise.py", "make synth", "make lint")
"""The beginnings of commands that run at night: what they compute is in other tests, too, or begins `make test`."""


def commands() -> list[Any]:
    """Every command that the pages do not mark as not run."""
    found = sorted({command for page in pages() for command in page.commands})
    nightly = pytest.mark.nightly(part="releases")
    return [pytest.param(command, marks=nightly) if command.startswith(LONG) else command for command in found]


@pytest.mark.parametrize("command", commands())
def test_a_documented_command_works(request: pytest.FixtureRequest, command: str) -> None:
    """It ends with 0 against a local cloud, here or in a test that fails if it did not run it (marker `proves`)."""
    if command in request.config.stash[PROVEN]:
        return
    assert target(command) not in NOT_HERE, f"no collected test is marked as the proof of {command}: run all of tests/"
    project = request.getfixturevalue("project")
    environment = {**project.environment, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        stdin=subprocess.DEVNULL,
    )
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
