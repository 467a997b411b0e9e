"""The roles of the delivery stack on the local cloud: who gets them by a token of GitHub, and what they may do then."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_cdk import App
from botocore.exceptions import ClientError

from github_tokens import ASKED_OF_ALL, DELIVERY, IN_ENVIRONMENT, PULL_REQUEST, taken, token
from local_project import ROOT
from operations.aws.deployment import Deployment
from operations.verbs.deployment import preflight
from stacks.config.environment import load_config
from stacks.delivery.stack import DeliveryStack

pytestmark = pytest.mark.integration

STACK = "text-classifier-local-delivery"
CDK_ROLES = ("deploy", "file-publishing", "lookup")


@pytest.fixture(scope="module")
def roles(server: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The outputs of the deployed stack; beside it what `cdk bootstrap` makes, as far as it is asked for here."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    folder = tmp_path_factory.mktemp("delivery")
    app = App(context={**context, "env": "local", **DELIVERY}, outdir=str(folder), analytics_reporting=False)
    DeliveryStack(app, config=load_config(app.node.try_get_context, {}))
    template = app.synth().get_stack_by_name(STACK).template
    del template["Rules"], template["Parameters"]  # the version of a bootstrap stack
    for one in as_the_local_cloud_asks(template):
        one["Resource"] = "*"
    server.client("ssm").put_parameter(Name=preflight.BOOTSTRAP_PARAMETER, Value="30", Type="String")
    for part in CDK_ROLES:
        server.role(cdk_role(part).rpartition("/")[2], "arn:aws:iam::000000000000:root")
    server.deploy(STACK, template, Capabilities=["CAPABILITY_NAMED_IAM"])
    (stack,) = server.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


def as_the_local_cloud_asks(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements that AWS decides on by resource, and the local cloud on `*` alone."""
    policies = [one for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    statements = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    return (one for one in statements if one["Action"] in ASKED_OF_ALL)


def cdk_role(part: str) -> str:
    """ARN of a role of `cdk bootstrap`."""
    return f"arn:aws:iam::000000000000:role/cdk-hnb659fds-{part}-role-000000000000-us-east-1"


@pytest.mark.parametrize(
    "web_identity",
    [
        token("repo:octo-org@123456/octo-repo@456789:environment:prod"),
        token("repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main"),
        token("repo:octo-org@123456/octo-repo@456789:pull_request"),
        token("repo:octo-org/octo-repo:environment:local"),
        token("repo:octo-org@999999/octo-repo@456789:environment:local"),
        token("repo:octo-org@123456/octo-repo@456789:environment:local-2"),
        token(IN_ENVIRONMENT, audience="https://github.com/octo-org"),
        "no.token.atall",
    ],
)
def test_another_workflow_gets_no_role_that_deploys(server: Any, roles: dict[str, str], web_identity: str) -> None:
    """Not from another environment, branch, pull request or repository, nor with a token for somebody else."""
    with pytest.raises(ClientError, match="AccessDenied"):
        taken(server.client("sts"), roles["DeploymentRoleArn"], web_identity)


def test_a_workflow_of_the_environment_takes_the_roles_that_deploy(server: Any, roles: dict[str, str]) -> None:
    """It may become CDK's roles for deploying and uploading, and none that only reads."""
    keys = taken(server.client("sts"), roles["DeploymentRoleArn"], token(IN_ENVIRONMENT))
    assert reachable(server, keys) == {"deploy", "file-publishing"}


def test_a_pull_request_takes_the_role_that_reads(server: Any, roles: dict[str, str]) -> None:
    """It may become CDK's lookup role and nothing else, and neither deployments nor others get its role."""
    keys = taken(server.client("sts"), roles["DiffRoleArn"], token(PULL_REQUEST))
    assert reachable(server, keys) == {"lookup"}
    with pytest.raises(ClientError, match="AccessDenied"):
        server.client("s3", **keys).list_buckets()
    for subject in (IN_ENVIRONMENT, "repo:octo-org/octo-repo:pull_request"):
        with pytest.raises(ClientError, match="AccessDenied"):
            taken(server.client("sts"), roles["DiffRoleArn"], token(subject))


def reachable(server: Any, keys: dict[str, str]) -> set[str]:
    """The roles of `cdk bootstrap` that somebody with these credentials may become."""
    found = set()
    for part in CDK_ROLES:
        try:
            server.client("sts", **keys).assume_role(RoleArn=cdk_role(part), RoleSessionName="cdk")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
        else:
            found.add(part)
    return found


def test_preflight_needs_no_other_right(server: Any, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the role that deploys every check gets its answer; without its list of roles one says what was refused."""
    keys = taken(server.client("sts"), roles["DeploymentRoleArn"], token(IN_ENVIRONMENT))
    deployment = Deployment("local", boto3.Session(region_name=server.keys["region"], **keys), server.url)
    monkeypatch.setattr(preflight, "connect", lambda env: deployment)
    answer = preflight.preflight(argparse.Namespace(env="local"))
    assert {one["status"] for one in answer.document} <= {"ok", "note"}, answer.text
    iam, (name, role) = server.client("iam"), policy_of(server, roles["DeploymentRoleArn"])
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    fewer = json.dumps(document).replace('"iam:ListRoles", ', "")
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=fewer)
    answer = preflight.preflight(argparse.Namespace(env="local"))
    unknown = [one for one in answer.document if one["status"] == "unknown"]
    assert [one["check"] for one in unknown] == ["names"] and "iam:ListRoles" in unknown[0]["found"]
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def policy_of(server: Any, arn: str) -> tuple[str, str]:
    """Name of a role's only policy, and of the role."""
    role = arn.rpartition("/")[2]
    (name,) = server.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    return name, role
