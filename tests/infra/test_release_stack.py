"""Release: the rule that starts it, and roles that can do this and nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ENVIRONMENTS, STACKS
from policies import Need, Statement, allows, missing, statements_of
from template_values import TemplateValues

if TYPE_CHECKING:
    from conftest import Assemblies

SAGEMAKER = "arn:aws:sagemaker:us-east-1:111122223333"


def values(assemblies: Assemblies, env: str) -> TemplateValues:
    """The release stack's template, resolved."""
    return TemplateValues(assemblies.template(env, "release"), [assemblies.template(env, stack) for stack in STACKS])


def role(assemblies: Assemblies, env: str, name: str) -> tuple[dict[str, Any], list[Statement]]:
    """A role's properties and what it is allowed."""
    found = values(assemblies, env)
    (properties,) = [
        resource["Properties"]
        for resource in assemblies.resources(env, "release", "AWS::IAM::Role")
        if resource["Properties"].get("RoleName") == name
    ]
    return properties, statements_of(found, f"arn:aws:iam::111122223333:role/{name}")


def trusted(properties: dict[str, Any]) -> Any:
    """The service that may take a role."""
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
    return statement["Principal"]["Service"]


def release_needs(assemblies: Assemblies, env: str, names: dict[str, str]) -> list[Need]:
    """What CloudFormation does with the serving stack's resources; `names` by kind."""
    prefix = f"text-classifier-{env}"
    model, config = f"{SAGEMAKER}:model/{names['Model']}", f"{SAGEMAKER}:endpoint-config/{names['EndpointConfig']}"
    endpoint = f"{SAGEMAKER}:endpoint/{prefix}"
    found = [
        Need(f"sagemaker:{verb}{kind}", arn)
        for kind, arn in (("Model", model), ("EndpointConfig", config), ("Endpoint", endpoint))
        for verb in ("Create", "Describe", "Delete")
    ]
    found += [Need("sagemaker:UpdateEndpoint", arn) for arn in (endpoint, config)]
    found += [Need("sagemaker:CreateEndpoint", config)]
    found += [
        Need(f"sagemaker:{call}", arn)
        for call in ("AddTags", "DeleteTags", "ListTags")
        for arn in (model, config, endpoint)
    ]
    package = f"{SAGEMAKER}:model-package/{prefix}/7"
    found += [Need(f"sagemaker:{call}", package) for call in ("DescribeModelPackage", "CreateModel")]
    passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    return [*found, Need("iam:PassRole", f"arn:aws:iam::111122223333:role/{prefix}-model", passed)]


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("version", ["", "7"])
def test_release_role_may_replace_the_endpoints_model(assemblies: Assemblies, env: str, version: str) -> None:
    """CloudFormation can make and remove all that the serving stack holds, under the names that the template gives."""
    package = f"{SAGEMAKER}:model-package/text-classifier-{env}/{version}" if version else ""
    serving = TemplateValues(assemblies.template(env, "serving"), [], {"ModelPackageArn": package})
    properties, statements = role(assemblies, env, f"text-classifier-{env}-release")
    assert trusted(properties) == "cloudformation.amazonaws.com"
    for model, config in zip(
        serving.existing("AWS::SageMaker::Model").values(),
        serving.existing("AWS::SageMaker::EndpointConfig").values(),
        strict=True,
    ):
        names = {"Model": model["ModelName"], "EndpointConfig": config["EndpointConfigName"]}
        assert missing(statements, release_needs(assemblies, env, names)) == []


@pytest.mark.parametrize(
    "need",
    [
        Need("sagemaker:CreateModel", f"{SAGEMAKER}:model/text-classifier-dev-evidence-x"),
        Need("sagemaker:DeleteModel", f"{SAGEMAKER}:model/text-classifier-prod--7-0123456789ab"),
        Need("sagemaker:DeleteModel", f"{SAGEMAKER}:model/text-classifier-dev-2--7-0123456789ab"),
        Need("sagemaker:DeleteModel", f"{SAGEMAKER}:model/servingpackagemodel-x"),
        Need("sagemaker:CreateEndpointConfig", f"{SAGEMAKER}:endpoint-config/text-classifier-dev-serving-x"),
        Need("sagemaker:CreateModel", f"{SAGEMAKER}:model-package/text-classifier-prod/7"),
        Need("sagemaker:DeleteEndpoint", f"{SAGEMAKER}:endpoint/text-classifier-prod"),
        Need("sagemaker:UpdateEndpoint", f"{SAGEMAKER}:endpoint/text-classifier-dev-2"),
        Need("sagemaker:CreateTrainingJob", f"{SAGEMAKER}:training-job/text-classifier-dev-x"),
        Need("sagemaker:DescribeModelPackage", f"{SAGEMAKER}:model-package/other/7"),
        Need("sagemaker:UpdateModelPackage", f"{SAGEMAKER}:model-package/text-classifier-dev/7"),
        Need(
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/text-classifier-dev-training",
            {"iam:PassedToService": "sagemaker.amazonaws.com"},
        ),
        Need(
            "iam:PassRole",
            "arn:aws:iam::111122223333:role/text-classifier-dev-model",
            {"iam:PassedToService": "lambda.amazonaws.com"},
        ),
    ],
)
def test_release_role_may_do_nothing_else(assemblies: Assemblies, need: Need) -> None:
    """Other models and endpoints, jobs, packages and roles are out of its reach."""
    assert not allows(role(assemblies, "dev", "text-classifier-dev-release")[1], need)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_approval_starts_the_release(assemblies: Assemblies, env: str) -> None:
    """A package of the group that becomes approved starts this machine, with what the workflow wants as its input."""
    (rule,) = assemblies.resources(env, "release", "AWS::Events::Rule")
    (target,) = rule["Properties"]["Targets"]
    assert rule["Properties"]["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": [f"text-classifier-{env}"],
            "ModelApprovalStatus": ["Approved"],
            "UpdatedModelPackageFields": ["ModelApprovalStatus"],
        },
    }
    paths, template = target["InputTransformer"]["InputPathsMap"], target["InputTransformer"]["InputTemplate"]
    for name in paths:
        template = template.replace(f"<{name}>", json.dumps(paths[name]))
    assert json.loads(template) == {"model_package_arn": "$.detail.ModelPackageArn", "approved_at": "$.time"}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
    machine = f"arn:aws:states:us-east-1:111122223333:stateMachine:text-classifier-{env}-release"
    assert values(assemblies, env).resolve(target["Arn"]) == machine


def test_rule_may_start_this_machine_only(assemblies: Assemblies) -> None:
    """The rule's role starts executions of the release and can do nothing else."""
    properties, statements = role(assemblies, "dev", "text-classifier-dev-release-events")
    assert trusted(properties) == "events.amazonaws.com"
    machine = "arn:aws:states:us-east-1:111122223333:stateMachine:text-classifier-dev-release"
    assert statements == [{"Action": "states:StartExecution", "Effect": "Allow", "Resource": machine}]


def test_smoke_test_may_ask_and_read(assemblies: Assemblies) -> None:
    """The smoke test asks the one endpoint, reads packages of the group and the evidence, and writes its own log."""
    _, statements = role(assemblies, "dev", "text-classifier-dev-smoke-test")
    assert (
        missing(
            statements,
            [
                Need("sagemaker:InvokeEndpoint", f"{SAGEMAKER}:endpoint/text-classifier-dev"),
                Need("sagemaker:DescribeModelPackage", f"{SAGEMAKER}:model-package/text-classifier-dev/7"),
                Need("s3:GetObject", "arn:aws:s3:::artifacts/evidence/cafe/sentences.jsonl"),
                Need("s3:GetObject", "arn:aws:s3:::artifacts/models/cafe/model.tar.gz"),
            ],
        )
        == []
    )
    for need in (
        Need("s3:GetObject", "arn:aws:s3:::artifacts/training/job/output/model.tar.gz"),
        Need("s3:PutObject", "arn:aws:s3:::artifacts/evidence/cafe/sentences.jsonl"),
        Need("sagemaker:InvokeEndpoint", f"{SAGEMAKER}:endpoint/text-classifier-prod"),
    ):
        assert not allows(statements, need)


@pytest.mark.parametrize(("env", "seconds"), [("local", 1), ("dev", 15), ("prod", 15)])
def test_waits_as_configured(assemblies: Assemblies, env: str, seconds: int) -> None:
    """Each wait of the workflow is as long as the configuration says."""
    machine = assemblies.machine(env, "release")
    states = values(assemblies, env).definition(machine)["States"].values()
    assert {state["Seconds"] for state in states if state["Type"] == "Wait"} == {seconds}


def test_stack_refers_to_storage_only(assemblies: Assemblies) -> None:
    """Serving and training can be changed without this stack: it knows their resources by name."""
    imports = re.findall(r'"Fn::ImportValue": "([^"]*)"', json.dumps(assemblies.template("dev", "release")))
    assert imports and all(name.startswith("text-classifier-dev-storage:") for name in imports)


def test_stack_comes_after_what_it_knows_by_name(assemblies: Assemblies) -> None:
    """Topic, registry and the endpoint's stack exist before the release does."""
    manifest = json.loads((assemblies.folder / "dev" / "manifest.json").read_text())
    needed = {f"text-classifier-dev-{stack}" for stack in ("storage", "training", "serving")}
    assert needed <= set(manifest["artifacts"]["text-classifier-dev-release"]["dependencies"])
