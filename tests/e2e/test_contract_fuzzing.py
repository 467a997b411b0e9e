"""schemathesis against the served contract, through gateway, Lambda and model."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
LEAST_REQUESTS = 2_000


def test_generated_requests_keep_the_contract(served: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At least 2,000 generated requests, right and wrong ones, under every check: no 5xx, nothing undocumented."""
    url = served.project.status["api_url"]
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", f"{url}/openapi.json", "--url", url, "--checks", "all", "--mode", "all"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "1200", "--workers", "2", "--no-color"]
    command += ["--generation-database", "none"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert counted, done.stdout
    generated, passed = map(int, counted.groups())
    with capsys.disabled():
        print(f"\nschemathesis: {generated} requests generated, {passed} passed every check")
    assert generated == passed >= LEAST_REQUESTS
