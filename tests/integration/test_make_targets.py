"""The make targets that cannot run inside the session's own checkout, in a copy of it or only as far as is safe."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
_SUPPORT = {"PYTHONPATH": "tests/support"}
MADE = (".venv", ".venv-cloud", ".local", "build", "cdk.out", "node_modules")


class Makefile:
    """The project's make targets, run in any folder.

    Attributes:
        ran: arguments of every command that ended with 0.
    """

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []

    def make(self, folder: Path, *arguments: str, **environment: str) -> str:
        """Run `make …`, which has to succeed; what it printed."""
        variables = {name: value for name, value in _without_flags().items() if name != "LOCAL_DIR"}
        command = ["make", "--no-print-directory", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=variables | environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.ran.append(arguments)
        return done.stdout


@pytest.fixture
def makefile() -> Makefile:
    """The targets, with a record of what ran."""
    return Makefile()


@pytest.mark.proves("make clean")
def test_clean_removes_everything_that_was_made_and_nothing_else(makefile: Makefile, tmp_path: Path) -> None:
    """After `make clean` only what was there before set-up is left."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for folder in MADE:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").touch()
    (tmp_path / "stacks").mkdir()
    makefile.make(tmp_path, "clean")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "stacks"]


def test_help_lists_every_target(makefile: Makefile) -> None:
    """`make help` shows each phony target with what it does, and every one of them has a rule."""
    database = subprocess.run(["make", "-pnq"], cwd=ROOT, capture_output=True, text=True, env=_without_flags()).stdout
    phony = re.search(r"^\.PHONY: (.*)$", database, re.MULTILINE)
    assert phony
    shown = dict(re.findall(r"^  make (\S+) +(\S.*)$", makefile.make(ROOT, "help"), re.MULTILINE))
    assert shown.keys() == set(phony[1].split())


@pytest.mark.proves("make test", "make test-nightly", "make test-fast")
def test_the_targets_run_every_test_once(makefile: Makefile, tmp_path: Path) -> None:
    """`make test-fast` collects what is not slow, `make test` all but `make test-nightly`'s, and none of them twice."""
    runs = tmp_path / "runs"
    noting = {"PYTEST_ADDOPTS": f"-p target_selections --note-selection={runs}", **_SUPPORT}
    makefile.make(ROOT, "test", "-o", "lint", **noting)
    makefile.make(ROOT, "test-nightly", **noting)
    makefile.ran.append(("test-fast",))  # the first half of `make test`
    collecting = "--collect-only --no-header --disable-warnings -p target_selections"
    command = [sys.executable, "-m", "pytest", "-q", *collecting.split(), f"--selections={runs}", "tests"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=_without_flags() | _SUPPORT)
    assert done.returncode == 0, done.stdout + done.stderr
    there, fast, slow, nightly = json.loads(runs.with_suffix(".json").read_text())
    everything = [*fast, *slow, *nightly]
    assert sorted(everything) == sorted(there)
    assert len(set(everything)) == len(everything) > 3_000
    assert {name.split("/")[1] for name in fast} == {"unit", "infra"}


def _without_flags() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
