"""This checkout's make commands with a local cloud of their own, which may be a copy of one brought up before."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any

import boto3
import requests
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
WITH_DATA = ("up", "data", "train-sdk")
BUNDLED_DATA = ROOT / "training_job" / "data"
LONGEST_TRAINING_SECONDS = 45 * 60  # five minutes where the processor computes in bfloat16, a quarter of an hour else
START_SECONDS = 120
_NOT_COPIED = shutil.ignore_patterns("cdk.out", "home", "tmp", "status.json", "server.pid")


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on, outside the range that systems use for connections."""
    for port in SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port among 100 from 20000 to 32000")


class LocalProject:
    """This checkout's make commands, with a local cloud of their own in a scratch folder.

    Args:
        folder: stands in for `.local/`.
        environment: variables of the make commands besides the test's own.

    Attributes:
        ran: `make` arguments of every command that ended with 0, in order; then the variables of its environment.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.environment = {**os.environ, "LOCAL_DIR": str(folder), "PORT": str(self.port), **environment}
        self.environment.pop("MAKEFLAGS", None)
        self._variables = tuple(f"{name}={value}" for name, value in environment.items())
        self.ran: list[tuple[str, ...]] = []

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `make …` in its own process group, output and errors in one pipe; DATA is what `make up` is given."""
        environment = dict(self.environment)
        if arguments[0] not in WITH_DATA:
            environment.pop("DATA", None)
        return subprocess.Popen(
            ["make", "--no-print-directory", *arguments],
            cwd=ROOT,
            env=environment,
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
        except BaseException:
            os.killpg(process.pid, 9)
            raise
        done = subprocess.CompletedProcess(arguments, process.returncode, output)
        assert not check or done.returncode == 0, f"make {' '.join(arguments)} ended with {done.returncode}:\n{output}"
        if done.returncode == 0:
            self.ran.append((*arguments, *self._variables))
        return done

    def start(self, *, model: bool = True, before: str = "", **variables: str) -> None:
        """Start the local cloud with what its folder holds, deploy nothing, and write status.json.

        Waits until its `model` answers. `before` is Python that the starter runs first, with further variables.
        """
        code = f"{before}\nfrom operations.local_cloud import process; process.start({self.port})"
        self._python("-c", code, **variables)
        deadline = time.monotonic() + START_SECONDS
        while self.operations("status") and model and self.status["model_version"] is None:
            assert time.monotonic() < deadline, "the model does not answer"
            time.sleep(0.5)

    def operations(self, *words: str, **variables: str) -> str:
        """Run a verb of this project's commands; what it printed."""
        return self._python("-m", "operations", *words, **variables)

    def _python(self, *arguments: str, **variables: str) -> str:
        command = [str(ROOT / ".venv" / "bin" / "python"), *arguments]
        environment = {**self.environment, **variables}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def status(self) -> dict[str, Any]:
        """What `.local/status.json` says."""
        content: dict[str, Any] = json.loads((self.folder / "status.json").read_text())
        return content

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client made from nothing but status.json, as anybody's script would make it, and options."""
        status = self.status
        return boto3.client(
            service,
            endpoint_url=status["endpoint_url"],
            region_name=status["region"],
            aws_access_key_id=status["aws_access_key_id"],
            aws_secret_access_key=status["aws_secret_access_key"],
            **options,
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


class LocalProjects:
    """Makes the local projects of a test session, and stops them.

    Args:
        own: scratch folder of this test process.
        shared: scratch folder of all test processes of the session.
    """

    def __init__(self, own: Callable[[str], Path], shared: Path) -> None:
        self._own, self._shared = own, shared
        self._made: list[LocalProject] = []
        self._kept: tuple[str, Any] = ("", None)

    def new(self, name: str, copy_of: Path | None = None, **environment: str) -> LocalProject:
        """Make a project with an empty state folder, or with a copy of another project's."""
        folder = self._own(name) / ".local"
        if copy_of:
            shutil.copytree(copy_of, folder, ignore=_NOT_COPIED)
        record = folder / "cloud" / "decisions.jsonl"
        record.parent.mkdir(parents=True, exist_ok=True)
        record.touch()
        # The AWS CDK unpacks its 200 MB library once for all of them.
        jsii = str(self._shared / "jsii")
        project = LocalProject(folder, JSII_RUNTIME_PACKAGE_CACHE_ROOT=jsii, **environment)
        self._made.append(project)
        return project

    def brought_up_once(self, name: str, bring_up: Callable[[], LocalProject]) -> Path:
        """Return the state folder of a project that the first test process to ask brings up, and stops again."""
        marker = self._shared / f"{name}.folder"
        with FileLock(self._shared / f"{name}.lock"):
            if not marker.exists():
                project = bring_up()
                project.make("down")
                marker.write_text(str(project.folder))
        return Path(marker.read_text())

    def keep(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gave under this name; it has a local cloud, and only one is kept running at a time."""
        if self._kept[0] != name:
            self.stop()
            self._kept = (name, make())
        return self._kept[1]

    def stop(self) -> None:
        """Stop every project that is left."""
        while self._made:
            self._made.pop().stop()
        self._kept = ("", None)
