"""One local cloud with a model that was trained in this very test session."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from aws_console import Console

BUNDLED_DATA = Path(__file__).resolve().parents[2] / "training_job" / "data"
LONGEST_TRAINING_SECONDS = 45 * 60  # five minutes where the processor computes in bfloat16, a quarter of an hour else


@dataclass(frozen=True)
class Served:
    """The local cloud after `make up`, and what was seen on the way.

    Attributes:
        project: its make commands, status and clients.
        data: folder with the train.json and test.json that the model was trained on.
        before: the API's answer before there was a model.
        interrupted: what the first `make up` printed until Ctrl-C ended it.
        interrupted_code: its exit code.
        up: what the second `make up` printed.
        up_seconds: how long that took.
    """

    project: Any
    data: Path
    before: requests.Response
    interrupted: str
    interrupted_code: int
    up: str
    up_seconds: float


@pytest.fixture(scope="session")
def served(make_project: Any, real_data: Path | None) -> Served:
    """Deploy; ask too early; `make up`, Ctrl-C in the middle of the training; `make up` again, to its end."""
    project = make_project("served")
    data = str(real_data) if real_data else ""
    project.make("deploy")
    before = project.post({"inputs": "This was a Christmas gift for my grandson."})

    first = project.popen("up", f"DATA={data}")
    printed = []
    for line in first.stdout:
        printed.append(line)
        if "step=" in line:
            os.killpg(first.pid, signal.SIGINT)
            break
    printed += first.stdout.readlines()
    first.wait(timeout=30)

    started = time.monotonic()
    second = project.make("up", f"DATA={data}", timeout=LONGEST_TRAINING_SECONDS)
    return Served(
        project=project,
        data=real_data or BUNDLED_DATA,
        before=before,
        interrupted="".join(printed),
        interrupted_code=first.returncode,
        up=second.stdout,
        up_seconds=time.monotonic() - started,
    )


@pytest.fixture(scope="session")
def console(make_project: Any) -> Console:
    """A second local cloud, brought up on the bundled data, seen as from the AWS console.

    Small data, so that a whole training run takes about a minute; a model that does not come up is given up sooner.
    """
    project = make_project("console")
    project.environment["LOCAL_ENDPOINT_START_SECONDS"] = "20"
    project.make("up", f"DATA={BUNDLED_DATA}", timeout=LONGEST_TRAINING_SECONDS)
    return Console(project)
