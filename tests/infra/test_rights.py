"""A right and its reason: what `grant` writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from constructs import Construct

from app import add_checks
from stacks.common.permissions import Right, grant, read_objects, service_role

LOGIN = Right(["ecr:GetAuthorizationToken"], ["*"], "It has no resource-level permissions.")
READ = Right(["s3:GetObject"], ["arn:aws:s3:::bucket/key"], conditions={"Bool": {"aws:SecureTransport": "true"}})


def synthesise(folder: Path, *, inline: bool) -> dict[str, Any]:
    """A template with one role, synthesised under the app's checks, which stop a wildcard that nobody accepted."""
    app = App(analytics_reporting=False, outdir=str(folder))
    given = {"policy": [LOGIN, READ]} if inline else None
    scope = Construct(Stack(app, "Stack"), "Job")
    role = service_role(scope, name="job", service="sagemaker", description="a job", inline=given)
    if not inline:
        grant(role, LOGIN, READ)
    add_checks(app)
    template: dict[str, Any] = app.synth().get_stack_by_name("Stack").template
    return template


def test_wildcard_without_a_reason_is_an_error() -> None:
    """Nobody can grant a `*` without saying why."""
    with pytest.raises(ValueError, match="s3:GetObject: a resource with a wildcard needs a reason"):
        read_objects("arn:aws:s3:::bucket/*")


@pytest.mark.parametrize("inline", [False, True])
def test_granted_wildcard_is_accepted_with_its_reason(tmp_path: Path, inline: bool) -> None:
    """In a policy of its own and inside the role alike, the finding is accepted and the reason is in the template."""
    assert LOGIN.reason in json.dumps(synthesise(tmp_path, inline=inline))


def test_rights_keep_their_order_and_conditions(tmp_path: Path) -> None:
    """The policy holds one statement for each right, in the order in which they were given."""
    resources = synthesise(tmp_path, inline=False)["Resources"].values()
    (policy,) = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::IAM::Policy"]
    login, read = policy["PolicyDocument"]["Statement"]
    assert (login["Action"], login["Resource"]) == ("ecr:GetAuthorizationToken", "*")
    assert (read["Action"], read["Condition"]) == ("s3:GetObject", READ.conditions)
