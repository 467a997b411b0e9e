"""What the workflows of GitHub do, under the roles that they take: a difference, a deployment, and its verification."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from github_tokens import ASKED_OF_ALL, DELIVERY, IN_ENVIRONMENT, PULL_REQUEST, taken, token
from local_project import ROOT, LocalProject
from operations.aws.deployment import Deployment
from operations.verbs.deployment import verify

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="releases")]

CHANGED = "log_retention_days=14"


class Runner:
    """A runner of GitHub whose workflow has taken a role. `folder`: for what cdk writes."""

    def __init__(self, project: LocalProject, role: str, subject: str, folder: Path) -> None:
        self._status, self._folder = project.status, folder
        self._context = [f"{name}={value}" for name, value in DELIVERY.items()]
        self._context += project.environment.get("CONTEXT", "").split()
        self._keys = taken(project.client("sts"), role, token(subject))

    def cdk(self, *arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
        """Run cdk as `make cdk` does it on AWS, with the credentials that the workflow has."""
        variables = {name.upper(): key for name, key in self._keys.items()}
        variables |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), self._status["region"])
        variables |= {"AWS_ENDPOINT_URL": self._status["endpoint_url"], "HOME": str(self._folder)}
        variables |= {"CDK_DISABLE_CLI_TELEMETRY": "true", "PATH": f"{ROOT}/.venv/bin{os.pathsep}{os.environ['PATH']}"}
        given = ("env=local", *self._context, *values.get("given", "").split())
        context = [word for one in given for word in ("-c", one)]
        command = ["cdk", *arguments, *context, "--app", "python app.py", "--output", str(self._folder / "cdk.out")]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        options: dict[str, Any] = {"cwd": ROOT, "env": {**kept, **variables}, "capture_output": True, "text": True}
        return subprocess.run([*command, "--no-notices", "--no-color"], **options)

    def verify(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        """What `make verify` finds under the role."""
        session = boto3.Session(region_name=self._status["region"], **self._keys)
        deployment = Deployment("local", session, self._status["endpoint_url"])
        monkeypatch.setattr(verify, "connect", lambda env: deployment)
        found: list[dict[str, Any]] = verify.verify(argparse.Namespace(env="local")).document
        return found


@pytest.fixture(scope="module")
def roles(project: LocalProject) -> dict[str, str]:
    """The outputs of the delivery stack, which a person has deployed."""
    context = " ".join([project.environment.get("CONTEXT", ""), *(f"{name}={one}" for name, one in DELIVERY.items())])
    stack = "text-classifier-local-delivery"
    project.make("cdk", f"ARGS=deploy {stack} --exclusively --require-approval never", f"CONTEXT={context}")
    outputs: dict[str, str] = project.outputs("delivery")
    statement = {"Effect": "Allow", "Action": list(ASKED_OF_ALL), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = outputs["DeploymentRoleArn"].rpartition("/")[2]
    project.client("iam").put_role_policy(RoleName=role, PolicyName="as-the-local-cloud-asks", PolicyDocument=document)
    return outputs


def test_a_pull_request_sees_the_difference_and_deploys_nothing(
    project: LocalProject, roles: dict[str, str], tmp_path: Path
) -> None:
    """Its role reads what is deployed: nothing differs, a changed value does, and a deployment is refused."""
    runner = Runner(project, roles["DiffRoleArn"], PULL_REQUEST, tmp_path)
    same = runner.cdk("diff", "--all", "--method=template")
    assert "Number of stacks with differences: 0" in same.stdout + same.stderr, same.stdout + same.stderr
    other = runner.cdk("diff", "--all", "--method=template", given=CHANGED)
    assert other.returncode == 0 and "RetentionInDays" in other.stdout + other.stderr
    refused = runner.cdk("deploy", "--all", "--require-approval", "never", given=CHANGED)
    assert refused.returncode != 0 and "could not be used to assume" in refused.stdout + refused.stderr, refused.stderr


def test_a_deployment_and_its_verification_need_no_other_right(
    project: LocalProject, roles: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All stacks change under the role of the environment, and its verification finds what an administrator's does."""
    runner = Runner(project, roles["DeploymentRoleArn"], IN_ENVIRONMENT, tmp_path)
    done = runner.cdk("deploy", "--all", "--require-approval", "never", given=CHANGED)
    assert done.returncode == 0, done.stdout + done.stderr
    groups = project.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/text-classifier-local-")
    assert {one["retentionInDays"] for one in groups["logGroups"]} == {14}
    administrator = json.loads(project.make("verify", "ARGS=--json", check=False).stdout)
    found = {one["check"]: one["status"] for one in runner.verify(monkeypatch)}
    assert found == {one["check"]: one["status"] for one in administrator}
    assert "unknown" not in found.values()
