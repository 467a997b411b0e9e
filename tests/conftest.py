"""What the slower tests share: one local cloud per test session, driven through the commands that people use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data" / "helpful-sentences"
BUNDLED_DATA = ROOT / "training_job" / "data"


def pytest_configure() -> None:
    """Started in the background by a shell, this process ignores Ctrl-C, and so would every command that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LocalProject:
    """This checkout's make commands, with a local cloud of their own in a scratch folder.

    Args:
        folder: stands in for `.local/`.
        port: where the local cloud listens.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.environment = {**os.environ, "LOCAL_DIR": str(folder), "PORT": str(port)}
        self.environment.pop("MAKEFLAGS", None)

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `make …` in its own process group, output and errors in one pipe."""
        return subprocess.Popen(
            ["make", "--no-print-directory", *arguments],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def make(self, *arguments: str, timeout: float = 900, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `make …` to its end; a failure shows everything it printed."""
        process = self.popen(*arguments)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise
        done = subprocess.CompletedProcess(arguments, process.returncode, output)
        assert not check or done.returncode == 0, f"make {' '.join(arguments)} ended with {done.returncode}:\n{output}"
        return done

    @property
    def status(self) -> dict[str, Any]:
        """What `.local/status.json` says."""
        return json.loads((self.folder / "status.json").read_text())

    def client(self, service: str) -> Any:
        """A boto3 client made from nothing but status.json, as anybody's script would make it."""
        status = self.status
        return boto3.client(
            service,
            endpoint_url=status["endpoint_url"],
            region_name=status["region"],
            aws_access_key_id=status["aws_access_key_id"],
            aws_secret_access_key=status["aws_secret_access_key"],
        )

    def post(self, body: Any, **options: Any) -> requests.Response:
        """POST a JSON body to /v1/predictions."""
        return requests.post(f"{self.status['api_url']}/v1/predictions", json=body, timeout=40, **options)

    def outputs(self, part: str) -> dict[str, str]:
        """Outputs of one stack."""
        stack = self.client("cloudformation").describe_stacks(StackName=f"text-classifier-local-{part}")["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def stop(self) -> None:
        """Stop the local cloud, whatever state it is in."""
        self.make("down", check=False, timeout=120)


@pytest.fixture(scope="session")
def real_data() -> Path | None:
    """The real Helpful Sentences data, where a copy lies beside the project; None elsewhere."""
    return REAL_DATA if (REAL_DATA / "train.json").exists() else None


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Makes local projects with names; all are stopped at the end of the session."""
    made: list[LocalProject] = []

    def create(name: str) -> LocalProject:
        project = LocalProject(tmp_path_factory.mktemp(name) / ".local", free_port())
        made.append(project)
        return project

    yield create
    for project in made:
        project.stop()
