"""schemathesis against the served contract, through gateway, Lambda and model."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("examples", "least"), [(100, 250), pytest.param(1_200, 2_000, marks=pytest.mark.nightly(part="client"))]
)
def test_generated_requests_keep_the_contract(
    project: Any, tmp_path: Path, tell: Callable[[str], None], examples: int, least: int
) -> None:
    """At least so many generated requests, right and wrong ones, under every check: no 5xx, nothing undocumented."""
    url = project.status["api_url"]
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", f"{url}/openapi.json", "--url", url, "--checks", "all", "--mode", "all"]
    command += [
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        str(examples),
        "--workers",
        "2",
        "--no-color",
    ]
    command += ["--generation-database", "none"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert counted, done.stdout
    generated, passed = map(int, counted.groups())
    tell(f"schemathesis: {generated} requests generated, {passed} passed every check")
    assert generated == passed >= least
