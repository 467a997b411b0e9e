"""Whoever deployed yesterday's version, with a model in service, deploys today's over it: nothing listed is lost."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import requests

from local_project import BUNDLED_DATA, LONGEST_TRAINING_SECONDS, ROOT, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="releases")]

BEFORE = "dd588a8"
"""The last version that set up with pip and had its modules in flat folders."""
BODY = {"inputs": "This was a Christmas gift for my grandson."}


@dataclass
class Asking:
    """A client that asks ten times a second and keeps what it saw.

    Attributes:
        address: of `POST /v1/predictions`.
        seen: (time of the answer in seconds, status or 0 for a refused connection, model version).
        refusals: what the answers other than 200 said, by status.
    """

    address: str
    seen: list[tuple[float, int, str | None]] = field(default_factory=list)
    refusals: dict[int, set[str]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Asking:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            try:
                answer = requests.post(self.address, json=BODY, timeout=40)
                version = answer.json()["model"]["version"] if answer.ok else None
                # The old version lets hypercorn cancel requests that still run 3 s after its stop began
                # (`graceful_timeout`), and hypercorn answers 500 without a body for them. It counts as a 502.
                # Today's code answers 503: test_local_server.py::test_a_request_that_a_stop_cuts_off_is_answered_503.
                cut_off = answer.status_code == 500 and not answer.content
                self.seen.append((time.time(), 502 if cut_off else answer.status_code, version))
                if not answer.ok:
                    self.refusals.setdefault(answer.status_code, set()).add(answer.text)
            except requests.ConnectionError:  # refused, or cut off
                self.seen.append((time.time(), 0, None))

    def longest_gap(self) -> float:
        """Return the longest time in seconds between two good answers."""
        good = [second for second, status, _ in self.seen if status == 200]
        return max((after - before for before, after in itertools.pairwise(good)), default=float("inf"))


class Checkout:
    """A clone of this repository with a local cloud of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)

    def at(self, revision: str) -> None:
        """Check a revision out."""
        subprocess.run(["git", "checkout", "--quiet", "--detach", revision], cwd=self.folder, check=True)

    def make(self, *arguments: str) -> str:
        """Run `make …`; return what it printed."""
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "LOCAL_DIR")}
        done = subprocess.run(
            ["make", "--no-print-directory", *arguments, f"PORT={self.port}"],
            cwd=self.folder,
            env=environment,
            text=True,
            capture_output=True,
            timeout=LONGEST_TRAINING_SECONDS,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"make {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    @property
    def health(self) -> str:
        """Address of the local cloud's readiness probe."""
        return f"http://127.0.0.1:{self.port}/_local/health"

    @property
    def predictions(self) -> str:
        """Address of `POST /v1/predictions`."""
        return f"http://127.0.0.1:{self.port}/restapis/textclassifier/live/_user_request_/v1/predictions"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Yesterday's version, deployed, with a released model."""
    known = subprocess.run(["git", "cat-file", "-e", f"{BEFORE}^{{commit}}"], cwd=ROOT, capture_output=True)
    if known.returncode:
        pytest.skip(f"this clone does not hold commit {BEFORE}: git fetch --unshallow")
    made = Checkout(tmp_path_factory.mktemp("upgrade") / "project")
    made.at(BEFORE)
    made.make("up", f"DATA={BUNDLED_DATA}")
    yield made
    made.make("down")


def test_an_upgrade_keeps_the_model_in_service(checkout: Checkout, tell: Callable[[str], None]) -> None:
    """No connection is refused, no answer is wrong; while the old local cloud stops, a few are 503 with Retry-After."""
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    with Asking(checkout.predictions) as client:
        time.sleep(2)
        checkout.at(head)
        checkout.make("up", f"DATA={BUNDLED_DATA}")
        time.sleep(2)
    tell(f"upgrade: {len(client.seen)} requests, longest gap {client.longest_gap():.1f} s")
    assert {status for _, status, _ in client.seen} <= {200, 502, 503}, client.refusals
    # The old process has ended before the new one begins: from then on every answer is today's code's. Linux counts a
    # process's begin from the machine's, which it tells in whole seconds.
    began = psutil.Process(requests.get(checkout.health, timeout=40).json()["pid"]).create_time() + 1
    late = {status: second - began for second, status, _ in client.seen if second > began}
    assert late.keys() <= {200, 503}, f"{late} seconds after the new process began: {client.refusals}"
    assert {version for _, status, version in client.seen if status == 200} == {"1"}
    assert sum(status != 200 for _, status, _ in client.seen) < 0.2 * len(client.seen)
    assert client.longest_gap() < 30
    assert re.search(r"^\*\s+1\s", checkout.make("releases"), re.MULTILINE)


def test_the_old_package_is_compared_with_and_rolled_back_to(checkout: Checkout) -> None:
    """Today's training is judged against yesterday's model, released, and taken back."""
    checkout.make("train", "HYPERPARAMETERS=seed=7", "APPROVAL=manual")
    row = next(line for line in checkout.make("releases").splitlines() if re.match(r"\s+2\s", line))
    assert re.search(r"[+-]0\.\d+", row), row  # the difference to the champion
    checkout.make("approve", "PACKAGE=2")
    assert requests.post(checkout.predictions, json=BODY, timeout=40).json()["model"]["version"] == "2"
    checkout.make("rollback")
    assert requests.post(checkout.predictions, json=BODY, timeout=40).json()["model"]["version"] == "1"
