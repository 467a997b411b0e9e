"""operations.local_cloud.cdk: what the cdk command line is given, for the local cloud and for AWS."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import boto3
import pytest

from operations import command_line, paths
from operations.aws.deployment import Deployment
from operations.local_cloud import cdk
from operations.verbs.machine import local_cloud

SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


@pytest.fixture(autouse=True)
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cdk that shows its arguments and its environment, which is that of somebody with credentials of AWS."""
    program = tmp_path / "cdk"
    program.write_text(f"#!{sys.executable}\n{SHOW}\n")
    program.chmod(0o755)
    monkeypatch.setattr(paths, "CDK", program)
    monkeypatch.setattr(paths, "HOME", tmp_path / "home")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-user's")
    monkeypatch.setenv("HOME", "/the/user's")
    monkeypatch.setenv("CONTEXT", "serving.container=slim code_version=1")


def run(deployment: Deployment | None, **options: str) -> tuple[list[str], dict[str, str]]:
    """Run `cdk diff`; its arguments and its environment."""
    lines: list[str] = []
    cdk.run(["diff", "--all"], deployment=deployment, show=lines.append, **options)  # type: ignore[arg-type]
    arguments, environment = json.loads(lines[0])
    return arguments, environment


def test_on_aws_it_has_the_users_credentials() -> None:
    """And their home, where a profile may be; the environment and CONTEXT are the context."""
    arguments, environment = run(Deployment("dev", boto3.Session(region_name="us-east-1"), None), env="dev")
    assert (environment["AWS_SESSION_TOKEN"], environment["HOME"]) == ("the-user's", "/the/user's")
    assert arguments[:2] == ["diff", "--all"]
    given = [value for flag, value in pairwise(arguments) if flag == "-c"]
    assert given == ["env=dev", "serving.container=slim", "code_version=1"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:4566", ""])
def test_elsewhere_it_has_none_of_them(address: str) -> None:
    """Against the local cloud it has that one's keys, and for synthesis none, with a home of its own."""
    session = boto3.Session("own", "own-secret", region_name="us-east-1")
    _, environment = run(Deployment("local", session, address) if address else None)
    assert "AWS_SESSION_TOKEN" not in environment and environment["HOME"] == str(paths.HOME)
    assert environment.get("AWS_ACCESS_KEY_ID") == ("own" if address else None)
    assert environment.get("AWS_ENDPOINT_URL") == (address or None)


def test_templates_for_aws_are_held_to_awss_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CDK holds a template to CloudFormation's rules, except where it goes to the local cloud."""
    monkeypatch.delenv("CDK_VALIDATION", raising=False)
    session = boto3.Session("own", "own-secret", region_name="us-east-1")
    given = [None, Deployment("dev", session, None), Deployment("local", session, "http://127.0.0.1:4566")]
    assert [run(deployment)[1].get("CDK_VALIDATION") for deployment in given] == [None, None, "false"]


def test_make_names_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make cdk ENV=dev ARGS="diff --all"` talks to dev, without ENV to the local cloud."""
    asked: list[str] = []
    monkeypatch.setattr(local_cloud, "connect", asked.append)
    monkeypatch.setattr(cdk, "run", lambda words, env, **_: asked.append(f"{env}: {words}"))
    monkeypatch.setenv("ARGS", "diff --all")
    for env in ("dev", ""):
        monkeypatch.setenv("ENV", env)
        arguments = command_line.parse(["cdk"])
        arguments.run(arguments)
    assert asked == ["dev", "dev: ['diff', '--all']", "local", "local: ['diff', '--all']"]
