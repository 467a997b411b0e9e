"""A local cloud started as a bare server process, with a training image and a serving image of a few lines each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

import training_image
from local_project import ROOT, free_port
from waiting import until

INTERPRETER = os.environ.get("LOCAL_CLOUD_PYTHON") or str(ROOT / ".venv-cloud" / "bin" / "python")
HEALTH = "/_local/health"


class LocalServer:
    """One server process on a free port with a state folder of its own.

    Args:
        folder: holds the state folder and the image map.
        environment: what the server is started with (it keeps next to nothing of it).
    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.state_dir = folder / "state"
        self.log = self.state_dir / "logs" / "local-cloud.log"
        self.port = free_port()
        self._environment = environment or dict(os.environ)
        self._process: subprocess.Popen[str] | None = None
        self._images = folder / "images.json"
        self._images.write_text(
            json.dumps(
                [
                    {
                        "image": "*tiny-training*",
                        "kind": "training",
                        "python": sys.executable,
                        "environment": training_image.environment(folder),
                    },
                    {"image": "*tiny-serving*", "kind": "serving", "python": INTERPRETER, "command": ["code/serve.py"]},
                ]
            )
        )

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> dict[str, str]:
        """Content of credentials.json."""
        return json.loads((self.state_dir / "credentials.json").read_text())

    def launch(self, port: int | None = None) -> subprocess.Popen[str]:
        """Start a server process without waiting for it."""
        command = [INTERPRETER, "-m", "local.server", "--port", str(port or self.port)]
        command += ["--state-dir", str(self.state_dir), "--images", str(self._images)]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        self._process = self.launch()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._process.communicate()[0]
            try:
                if urllib.request.urlopen(self.url + HEALTH, timeout=5).status == 200:
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError("the local cloud was not ready within 60 s")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(timeout=60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def settled(self, stack: str) -> str:
        """The status of a stack once nothing is being done to it."""
        stacks = self.client("cloudformation")

        def status() -> str:
            found: str = stacks.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            return "" if found.endswith("IN_PROGRESS") else found

        return until(status, 90)

    def deploy(self, stack: str, template: dict[str, Any], **options: Any) -> None:
        """Create a stack, and wait until it is there."""
        stacks = self.client("cloudformation")
        stacks.create_stack(StackName=stack, TemplateBody=json.dumps(template), **options)
        reached, events = self.settled(stack), stacks.describe_stack_events(StackName=stack)["StackEvents"]
        assert reached == "CREATE_COMPLETE", [entry.get("ResourceStatusReason") for entry in events]

    def state_machine(self, name: str, role: str, definition: dict[str, Any] | None = None) -> str:
        """Make a state machine, by default one that succeeds at once; its ARN."""
        definition = definition or {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}
        machines = self.client("stepfunctions")
        made = machines.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
        return str(made["stateMachineArn"])

    def client(self, service: str, **keys: str) -> Any:
        """A boto3 client; with the root's credentials unless `keys` says otherwise."""
        own = self.keys
        wanted = {
            "aws_access_key_id": own["aws_access_key_id"],
            "aws_secret_access_key": own["aws_secret_access_key"],
            **keys,
        }
        config = Config(retries={"max_attempts": 1}, proxies={})
        return boto3.client(service, region_name=own["region"], endpoint_url=self.url, config=config, **wanted)

    def role(self, name: str, principal: str, *statements: dict[str, Any]) -> str:
        """Make a role that a service (``x.amazonaws.com``) or the account's users may take; its ARN."""
        iam = self.client("iam")
        who = {"Service": principal} if principal.endswith(".com") else {"AWS": principal}
        statement = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if statements:
            self.grant(name, *statements)
        return arn

    def grant(self, role: str, *statements: dict[str, Any]) -> None:
        """Replace the policy of a role. Statements need ``Action`` and ``Resource`` only."""
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **entry} for entry in statements]}
        self.client("iam").put_role_policy(RoleName=role, PolicyName="own", PolicyDocument=json.dumps(document))

    def as_role(self, service: str, arn: str) -> Any:
        """A client with temporary credentials of a role that the account may assume."""
        keys = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return self.client(
            service,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., LocalServer]]:
    """Makes servers that are stopped after the test."""
    made: list[LocalServer] = []

    def make(environment: dict[str, str] | None = None) -> LocalServer:
        made.append(LocalServer(tmp_path, environment))
        return made[-1]

    yield make
    for server in made:
        if server._process is not None:
            server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A running server, shared by the tests of a module."""
    running = LocalServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()
