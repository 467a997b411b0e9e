"""Running the client's command line as a process, and killing it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL
"""Exit code of a killed process."""


def start(url: str, source: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """`python -m text_classifier score --file … --out …`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "client"), "TEXT_CLASSIFIER_URL": url}
    command = [sys.executable, "-m", "text_classifier", "score", "--file", str(source), "--out", str(out), *options]
    return subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def kill(process: subprocess.Popen[str]) -> tuple[int, str]:
    """`kill -9`, and what the process had said by then; its own exit code where it had ended before."""
    process.kill()
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def kept_rows(out: Path) -> set[int]:
    """Rows (from 0) that the journal of a killed run holds; opened as the next run will open it."""
    path = out.with_name(out.name + ".journal")
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return {row for (row,) in database.execute("SELECT row FROM outcomes")} if tables else set()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until the condition holds or the process has ended."""
    while not condition() and process.poll() is None:
        time.sleep(0.002)
