"""Synthesis as a whole: offline, checked, linted, and clear about mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App
from conftest import IMAGE_STACK, IMAGE_VARIANTS, PLAIN, STACKS, VARIANTS

import app as project
from tools.configurations import CONFIGURATIONS

if TYPE_CHECKING:
    from conftest import Assemblies

STACK_NAMES = [f"{env}-{stack}" for env in ("local", "dev", "prod", *VARIANTS) for stack in STACKS]
STACK_NAMES += [f"{env}-{IMAGE_STACK}" for env in IMAGE_VARIANTS]


def test_all_environments_synthesise_without_a_network(assemblies: Assemblies) -> None:
    """Synthesis of every environment and configuration succeeded in a process that could reach no network at all."""
    if not assemblies.isolated:
        pytest.skip("this machine lets no user give up the network (unshare --net); nothing was shown")
    assert not assemblies.facts["network"]
    configurations = {name.removesuffix(PLAIN) for name in CONFIGURATIONS}
    assert set(assemblies.facts["seconds"]) == {*VARIANTS, *configurations} >= {"local", "dev", "prod"}


def test_checks_stop_a_careless_stack(assemblies: Assemblies) -> None:
    """The cdk-nag checks that all environments have passed do refuse a bucket with nothing but defaults."""
    assert "AwsSolutions-S10" in assemblies.facts["refused_by"]


@pytest.mark.parametrize("name", STACK_NAMES)
def test_template_has_no_cfn_lint_errors(
    assemblies: Assemblies, lint_errors: Callable[[dict[str, Any]], list[str]], name: str
) -> None:
    """CloudFormation's linter finds no error in the template."""
    assert lint_errors(assemblies.template(*name.split("-"))) == []


@pytest.mark.parametrize(("stack", "needs"), [("training", "storage"), ("serving", "training"), ("release", "serving")])
def test_stacks_are_created_and_removed_in_order(assemblies: Assemblies, stack: str, needs: str) -> None:
    """What another stack imports, or needs for its role, is created before it and removed after it."""
    manifest = json.loads((assemblies.folder / "dev" / "manifest.json").read_text())
    assert f"text-classifier-dev-{needs}" in manifest["artifacts"][f"text-classifier-dev-{stack}"]["dependencies"]


def test_unknown_environment_ends_with_one_line(tmp_path: Path) -> None:
    """`-c env=<unknown>` ends the app with a message that lists the environments, not with a traceback."""
    app = App(context={"environments": {"local": {}, "dev": {}}, "env": "staging"}, outdir=str(tmp_path))
    with pytest.raises(SystemExit) as caught:
        project.run(app)
    assert caught.value.code == (
        "error: environment 'staging' does not exist; choose one of: local, dev (cdk … -c env=<name>)"
    )


def test_templates_carry_no_usage_reporting(assemblies: Assemblies) -> None:
    """No stack holds CDK's usage-reporting resource, which would be a foreign body in the serving stack."""
    types = {r["Type"] for _, template in assemblies.all_templates() for r in template["Resources"].values()}
    assert "AWS::CDK::Metadata" not in types


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_outputs_hold_what_operations_need(assemblies: Assemblies, env: str) -> None:
    """A training job can be launched, and the API asked, from the outputs alone."""
    outputs = {name for stack in STACKS for name in assemblies.template(env, stack)["Outputs"]}
    needed = {
        "DataBucket",
        "ArtifactsBucket",
        "StateMachineArn",
        "TrainingRoleArn",
        "ModelRoleArn",
        "TrainingImage",
        "InferenceImage",
        "TrainingCodeUri",
        "TrainingInstanceType",
        "DefaultHyperparameters",
        "ModelPackageGroup",
        "NotificationTopicArn",
        "TrainingRecipeParameter",
        "ReleaseStateMachineArn",
        "EndpointName",
        "ApiUrl",
        "ApiId",
        "ApiStage",
    }
    assert needed <= outputs
    assert ("ApiKeyId" in outputs) == (env == "prod")
