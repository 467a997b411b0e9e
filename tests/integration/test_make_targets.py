"""The make targets that cannot run inside the session's own checkout, in a copy of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
MADE = (".venv", ".venv-cloud", ".local", "build", "cdk.out", "node_modules")


def make(target: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a make target in `folder`."""
    environment = {name: value for name, value in os.environ.items() if name not in ("LOCAL_DIR", "MAKEFLAGS")}
    return subprocess.run(["make", target], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_clean_removes_everything_that_was_made_and_nothing_else(tmp_path: Path) -> None:
    """After `make clean` only what was there before set-up is left."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in MADE:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").touch()
    (tmp_path / "stacks").mkdir()
    done = make("clean", tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "stacks"]


def test_help_lists_every_target() -> None:
    """`make help` documents all phony targets, and the command the CI runs is one of them."""
    output = make("help", ROOT).stdout
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert [target for target in phony.split()[1:] if f"make {target} " not in output] == []
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_test_fast_selects_neither_the_local_cloud_nor_the_network() -> None:
    """`make test-fast` leaves out exactly the marked tests."""
    recipe = (ROOT / "Makefile").read_text().split("\ntest-fast:", 1)[1].splitlines()[1]
    assert "not integration and not e2e" in recipe
