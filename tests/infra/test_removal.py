"""What stays when a stack goes, and names that an account has only once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App

import app as project
from stacks.common.project_sources import ProjectSources
from stacks.config.environment import load_config
from stacks.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Assemblies

KEPT = {"AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::SageMaker::ModelPackageGroup"}
GATEWAY_LOGGING = {"AWS::ApiGateway::Account", "AWS::IAM::Role"}
ROOT = Path(__file__).resolve().parents[2]


def of_environment(assemblies: Assemblies, env: str) -> Iterator[dict[str, Any]]:
    for name, template in assemblies.all_templates():
        if name.startswith(f"{env}-"):
            yield from template["Resources"].values()


@pytest.mark.parametrize(("env", "kept"), [("dev", GATEWAY_LOGGING), ("prod", GATEWAY_LOGGING | KEPT)])
def test_what_is_kept_is_removed_all_the_same_when_its_first_deployment_fails(
    assemblies: Assemblies, env: str, kept: set[str]
) -> None:
    """Nothing has the policy `Retain`: it would leave names behind that the next attempt finds taken."""
    resources = list(of_environment(assemblies, env))
    assert {one["Type"] for one in resources if one.get("DeletionPolicy") == "RetainExceptOnCreate"} == kept
    assert "Retain" not in {one.get("DeletionPolicy") for one in resources}


def test_the_logging_of_api_gateway_outlives_its_environment(assemblies: Assemblies) -> None:
    """The setting belongs to account and region: it and its role stay, or the other environments would log no more."""
    (account,) = assemblies.resources("dev", "api", "AWS::ApiGateway::Account")
    role = account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
    resources = assemblies.template("dev", "api")["Resources"]
    assert account["DeletionPolicy"] == resources[role]["DeletionPolicy"] == "RetainExceptOnCreate"


def global_names(context: dict[str, Any], folder: Path, **values: str) -> set[str]:
    """Names of the roles and the budget of an environment; an account has each only once."""
    app = App(context={**context, "env": "dev", **values}, outdir=str(folder), analytics_reporting=False)
    root = folder / "project"
    (root / "build" / "lambda-layer" / "python").mkdir(parents=True)
    (root / "build" / "lambda-layer" / "python" / "placeholder.py").write_text("")
    for name in ("training_job", "lambda", "container"):
        (root / name).symlink_to(ROOT / name)
    project.build(app, load_config(app.node.try_get_context, {}), ProjectSources(root=root))
    app.synth()
    names = set()
    for template in folder.glob("*.template.json"):
        for resource in json.loads(template.read_text())["Resources"].values():
            properties = resource.get("Properties", {})
            names |= {properties.get("RoleName"), properties.get("Budget", {}).get("BudgetName")}
    return {name for name in names if name}


def test_the_environment_fits_into_an_account_twice(cdk_context: dict[str, Any], tmp_path: Path) -> None:
    """With a home region no role or budget of another region has a name of the home region's; those there stay."""
    home = {"home_region": "us-east-1", "serving.container": "slim"}
    plain = global_names(cdk_context, tmp_path / "plain", **{"serving.container": "slim"})
    assert global_names(cdk_context, tmp_path / "home", **home) == plain
    elsewhere = global_names(cdk_context, tmp_path / "elsewhere", **home, region="ap-southeast-2")
    assert elsewhere == {f"{name}-ap-southeast-2" for name in plain}
    with pytest.raises(ConfigError, match="together: 31"):
        values = {**cdk_context, **home, "env": "dev", "region": "ap-southeast-2", "project": "a" * 28}
        load_config(values.get, {})
