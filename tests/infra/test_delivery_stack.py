"""The delivery stack: exists where a repository is named, and trusts exactly its workflows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App
from policies import statements_of
from template_values import ACCOUNT, TemplateValues

from stacks.config.environment import load_config
from stacks.delivery.stack import DeliveryStack
from stacks.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Assemblies

DELIVERED = ("dev-delivered", "delivery")
ISSUER = "token.actions.githubusercontent.com"
REPOSITORY = "octo-org@123456/octo-repo@456789"
CDK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{{}}-role-{ACCOUNT}-us-east-1"


def synthesised(context: dict[str, Any], folder: Path, **values: str) -> dict[str, Any]:
    """The stack alone, of dev with other values."""
    given = {f"delivery.{name}": value for name, value in values.items()}
    app = App(context={**context, "env": "dev", **given}, outdir=str(folder), analytics_reporting=False)
    DeliveryStack(app, config=load_config(app.node.try_get_context, {}))
    template: dict[str, Any] = app.synth().get_stack_by_name("text-classifier-dev-delivery").template
    return template


def of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The properties of the resources of one type."""
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def test_nothing_is_there_without_a_repository(assemblies: Assemblies) -> None:
    """An ordinary deployment has no such stack."""
    assert not list((assemblies.folder / "dev").glob("*-delivery.template.json"))
    assert list((assemblies.folder / "dev-delivered").glob("*-delivery.template.json"))


def test_roles_are_for_one_subject_each(assemblies: Assemblies) -> None:
    """Equal to the repository's environment, or to its pull requests; no pattern, and for tokens meant for AWS."""
    trusts = {}
    for role in assemblies.resources(*DELIVERED, "AWS::IAM::Role"):
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        ((operator, claims),) = statement["Condition"].items()
        assert (operator, claims[f"{ISSUER}:aud"], len(claims)) == ("StringEquals", "sts.amazonaws.com", 2)
        trusts[role["Properties"]["RoleName"]] = claims[f"{ISSUER}:sub"]
    assert trusts == {
        "text-classifier-dev-deployment": f"repo:{REPOSITORY}:environment:dev",
        "text-classifier-dev-diff": f"repo:{REPOSITORY}:pull_request",
    }


def test_the_provider_is_githubs(assemblies: Assemblies) -> None:
    """For tokens that are meant for AWS; the roles trust it."""
    (provider,) = assemblies.resources(*DELIVERED, "AWS::IAM::OIDCProvider")
    assert provider["Properties"]["Url"] == f"https://{ISSUER}"
    assert provider["Properties"]["ClientIdList"] == ["sts.amazonaws.com"]
    roles = [role["Properties"] for role in assemblies.resources(*DELIVERED, "AWS::IAM::Role")]
    trusted = [role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Federated"] for role in roles]
    assert all(one["Fn::GetAtt"][1] == "Arn" for one in trusted)


def test_an_existing_provider_is_taken(cdk_context: dict[str, Any], tmp_path: Path) -> None:
    """An account can have it only once; the roles then name it, and there is one role without pull requests."""
    template = synthesised(cdk_context, tmp_path, repository="octo-org/octo.repo", existing_provider="true")
    assert of_type(template, "AWS::IAM::OIDCProvider") == []
    (role,) = of_type(template, "AWS::IAM::Role")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    trusted = TemplateValues(template, []).resolve(statement["Principal"]["Federated"])
    assert trusted == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    assert statement["Condition"]["StringEquals"][f"{ISSUER}:sub"] == "repo:octo-org/octo.repo:environment:dev"
    assert set(template["Outputs"]) == {"DeploymentRoleArn"}


def test_roles_change_the_account_through_cdk_alone(assemblies: Assemblies) -> None:
    """Besides CDK's roles, the one that deploys reads and starts the training workflow; the other has nothing else."""
    values = TemplateValues(assemblies.template(*DELIVERED), [])
    granted: dict[str, set[str]] = {}
    becomes: dict[str, set[str]] = {}
    for part in ("deployment", "diff"):
        for one in statements_of(values, f"arn:aws:iam::{ACCOUNT}:role/text-classifier-dev-{part}"):
            actions = {one["Action"]} if isinstance(one["Action"], str) else set(one["Action"])
            if actions == {"sts:AssumeRole"}:
                roles = one["Resource"]
                becomes[part] = {roles} if isinstance(roles, str) else set(roles)
            else:
                granted.setdefault(part, set()).update(action.partition(":")[2] for action in actions)
    assert becomes == {
        "deployment": {CDK_ROLE.format("deploy"), CDK_ROLE.format("file-publishing")},
        "diff": {CDK_ROLE.format("lookup")},
    }
    reads = ("List", "Describe", "Get", "BatchGet", "GET")
    assert {action for action in granted.pop("deployment") if not action.startswith(reads)} == {"StartExecution"}
    assert granted == {}


def test_template_is_valid(assemblies: Assemblies, lint_errors: Callable[[dict[str, Any]], list[str]]) -> None:
    """cfn-lint finds no error (cdk-nag passed when it was made)."""
    assert lint_errors(assemblies.template(*DELIVERED)) == []


@pytest.mark.parametrize(
    "given", ["owner", "owner/name/x", "*/name", "owner/*", "owner@1/name", "https://github.com/a/b", "a b/c"]
)
def test_a_repository_has_owner_and_name(cdk_context: dict[str, Any], given: str) -> None:
    """Whatever could be a pattern, or the repository of somebody else, is refused with what is allowed."""
    values = {**cdk_context, "env": "dev", "delivery.repository": given}
    with pytest.raises(ConfigError, match="owner/name, owner@id/name@id, or nothing"):
        load_config(values.get, {}, values)


@pytest.mark.parametrize("given", ["", "octo-org/octo.repo", REPOSITORY])
def test_a_repository_may_be_named_with_or_without_ids(cdk_context: dict[str, Any], given: str) -> None:
    """GitHub's form before and since July 2026, or none."""
    values = {**cdk_context, "env": "dev", "delivery.repository": given}
    assert load_config(values.get, {}, values).delivery.repository == given
