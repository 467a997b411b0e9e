"""benchmarks/bulk.py runs, and counts the sentences that it sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["csv", "jsonlines"])
def test_every_sentence_is_answered(tiny_artifact: Path, kind: str) -> None:
    """It prints a line for each tenth and an estimate at the end, and says which data it used."""
    command = [sys.executable, str(ROOT / "benchmarks" / "bulk.py"), "--model", str(tiny_artifact), "--type", kind]
    options = ["--data", str(tiny_artifact), "--sentences", "300", "--records", "30"]
    run = subprocess.run(command + options, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert "using the bundled synthetic sentences" in run.stdout
    assert [int(line.split()[0]) for line in lines if line.strip()[:1].isdigit()] == list(range(0, 301, 30))
    assert lines[-1].startswith("estimate for 10,000,000 sentences")
