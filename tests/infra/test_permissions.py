"""IAM in all templates: nothing allowed on everything without a reason beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Assemblies

Statement = dict[str, Any]

# Resources that CDK adds by itself to empty a bucket on removal; they act on one bucket each.
ARCHIVES = {"models/*/model.tar.gz", "training/*/output/model.tar.gz"}
CDK_OWN = "CustomS3AutoDeleteObjects"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Statement]]:
    """Every allowing statement with its resource's logical id and definition, trust policies excluded."""
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [properties["PolicyDocument"]] if "PolicyDocument" in properties else []
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in documents:
            for statement in as_list(document["Statement"]):
                if statement["Effect"] == "Allow":
                    yield logical_id, resource, statement


@pytest.fixture
def allowed(assemblies: Assemblies) -> list[tuple[str, dict[str, Any], Statement]]:
    return [
        (f"{name}/{logical_id}", resource, statement)
        for name, template in assemblies.all_templates()
        for logical_id, resource, statement in statements(template)
    ]


def test_no_service_is_allowed_whole(allowed: list[tuple[str, dict[str, Any], Statement]]) -> None:
    """No statement allows `*` or `service:*`."""
    whole = [
        (where, action)
        for where, _, statement in allowed
        for action in as_list(statement["Action"])
        if action.endswith(":*") or action == "*"
    ]
    assert whole == []


def test_no_action_holds_a_wildcard(allowed: list[tuple[str, dict[str, Any], Statement]]) -> None:
    """Actions are spelt out; only CDK's own bucket emptying, held to one bucket, uses patterns."""
    patterns = [
        (where, action)
        for where, _, statement in allowed
        for action in as_list(statement["Action"])
        if "*" in action and CDK_OWN not in str(statement.get("Principal"))
    ]
    assert patterns == []


def test_every_resource_wildcard_has_a_reason_beside_it(
    allowed: list[tuple[str, dict[str, Any], Statement]],
) -> None:
    """A statement on resource `*` carries its reason in the metadata of the same resource."""
    everything = [(where, resource) for where, resource, statement in allowed if "*" in as_list(statement["Resource"])]
    assert everything, "the roles of SageMaker containers can't do without; the test has lost sight of them"
    for where, resource in everything:
        rules = resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", [])
        reasons = [rule["reason"] for rule in rules if rule["id"] == "AwsSolutions-IAM5[Resource::*]"]
        assert reasons and len(reasons[0]) > 40, where


def test_roles_are_passed_to_one_service_each(allowed: list[tuple[str, dict[str, Any], Statement]]) -> None:
    """Whoever may pass a role may pass a named one to SageMaker, or, a release, its own to CloudFormation."""
    passing = [(where, statement) for where, _, statement in allowed if "iam:PassRole" in as_list(statement["Action"])]
    assert passing
    for where, statement in passing:
        (service,) = statement["Condition"]["StringEquals"].values()
        assert service == "sagemaker.amazonaws.com" or "-release/" in where, where
        assert service in ("sagemaker.amazonaws.com", "cloudformation.amazonaws.com"), where
        assert list(statement["Condition"]["StringEquals"]) == ["iam:PassedToService"], where
        assert "*" not in str(statement["Resource"]), where


def test_no_managed_policy_but_the_gateways(assemblies: Assemblies) -> None:
    """No role of ours takes an AWS-managed policy, save the one that API Gateway's logging prescribes."""
    managed = {
        str(policy)
        for _, template in assemblies.all_templates()
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and not logical_id.startswith(CDK_OWN)
        for policy in resource["Properties"].get("ManagedPolicyArns", [])
    }
    assert len(managed) == 1 and "AmazonAPIGatewayPushToCloudWatchLogs" in managed.pop()


def test_lambda_reaches_this_endpoint_only(assemblies: Assemblies) -> None:
    """The predict Lambda may invoke this endpoint, describe this environment's packages, and nothing else."""
    found = [
        statement
        for _, _, statement in statements(assemblies.template("prod", "api"))
        if any(action.startswith("sagemaker:") for action in as_list(statement["Action"]))
    ]
    assert [(statement["Action"], statement["Resource"]["Fn::Join"][1][-1]) for statement in found] == [
        ("sagemaker:InvokeEndpoint", ":endpoint/text-classifier-prod"),
        ("sagemaker:DescribeModelPackage", ":model-package/text-classifier-prod/*"),
    ]


def test_training_role_reads_one_code_object(assemblies: Assemblies) -> None:
    """Of the bootstrap bucket, which other projects share, the training role reads its own tarball alone."""
    objects = [
        resource["Fn::Join"][1][-1]
        for where, _, statement in statements(assemblies.template("dev", "training"))
        if where.startswith("JobRole") and "s3:GetObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if "cdk-" in str(resource)
    ]
    assert len(objects) == 1 and objects[0].endswith(".tar.gz") and "*" not in objects[0]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sagemaker:CreateTrainingJob", ":training-job/text-classifier-dev-????????-??????-??????"),
        ("sagemaker:StopTrainingJob", ":training-job/text-classifier-dev-????????-??????-??????"),
        ("sagemaker:CreateTransformJob", ":transform-job/text-classifier-dev-evidence-*"),
        ("sagemaker:StopTransformJob", ":transform-job/text-classifier-dev-evidence-*"),
        ("sagemaker:CreateProcessingJob", ":processing-job/text-classifier-dev-bulk-*"),
        ("sagemaker:CreateModel", ":model/text-classifier-dev-evidence-*"),
        ("sagemaker:DeleteModel", ":model/text-classifier-dev-evidence-*"),
        ("sagemaker:UpdateModelPackage", ":model-package/text-classifier-dev/*"),
    ],
)
def test_workflow_touches_its_own_things_only(assemblies: Assemblies, action: str, resource: str) -> None:
    """The state machines can't touch jobs, models and packages that are not this environment's."""
    resources = [
        entry["Fn::Join"][1][-1]
        for where, _, statement in statements(assemblies.template("dev", "training"))
        if action in as_list(statement["Action"])
        for entry in as_list(statement["Resource"])
    ]
    # The bulk workflow's model comes from a package.
    of_bulk = (resource.replace("-evidence-", "-bulk-"), ":model-package/text-classifier-dev/*")
    assert resource in resources and set(resources) <= {resource, *of_bulk}


def test_workflows_pass_the_roles_of_their_jobs(assemblies: Assemblies) -> None:
    """The state machines hand out the roles of training jobs, evidence models and bulk scoring, no other."""
    passed = {
        entry["Fn::GetAtt"][0]
        for _, _, statement in statements(assemblies.template("dev", "training"))
        if "iam:PassRole" in as_list(statement["Action"])
        for entry in as_list(statement["Resource"])
    }
    roles = assemblies.template("dev", "training")["Resources"]
    names = {roles[logical_id]["Properties"]["RoleName"] for logical_id in passed}
    assert names == {f"text-classifier-dev-{job}" for job in ("training", "evidence", "bulk")}


@pytest.mark.parametrize(
    ("role", "read", "written"),
    [
        ("gate-keep", {"training/*/output/model.tar.gz", "evidence/*/sentences.jsonl.out"}, {"models/*/model.tar.gz"}),
        ("gate-plan", {"training/*/output/output.tar.gz"}, {"evidence/*/sentences.jsonl"}),
        (
            "gate-judge",
            {"training/*/output/output.tar.gz", "evidence/*/sentences.jsonl.out"},
            {"training/*/evaluation/*"},
        ),
        ("evidence", {*ARCHIVES, "evidence/*/sentences.jsonl"}, {"evidence/*/sentences.jsonl.out"}),
        ("model", ARCHIVES, set()),
        ("launch", set(), set()),
    ],
)
def test_roles_reach_their_own_folders(assemblies: Assemblies, role: str, read: set[str], written: set[str]) -> None:
    """Of the artifacts bucket each role reads and writes what its step needs."""
    template = assemblies.template("dev", "training")
    (role_id,) = [
        logical_id
        for logical_id, resource in template["Resources"].items()
        if resource["Properties"].get("RoleName") == f"text-classifier-dev-{role}"
    ]
    found: dict[str, set[str]] = {"s3:GetObject": set(), "s3:PutObject": set()}
    for where, resource, statement in statements(template):
        if where == role_id or {"Ref": role_id} in resource["Properties"].get("Roles", []):
            for action in set(as_list(statement["Action"])) & set(found):
                folders = [str(entry["Fn::Join"][1][-1]) for entry in as_list(statement["Resource"])]
                found[action] |= {folder.removeprefix("/") for folder in folders}
    assert (found["s3:GetObject"], found["s3:PutObject"]) == (read, written)


def test_launch_looks_at_jobs_and_starts_none(assemblies: Assemblies) -> None:
    """The function that checks an input may describe a training job and do nothing else in SageMaker."""
    found = [
        action
        for where, _, statement in statements(assemblies.template("dev", "training"))
        if where.startswith("Launch")
        for action in as_list(statement["Action"])
        if action.startswith("sagemaker:")
    ]
    assert found == ["sagemaker:DescribeTrainingJob"]


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_serving_stack_holds_no_iam(assemblies: Assemblies, env: str) -> None:
    """A release needs no IAM capability, because the serving stack creates nothing of IAM."""
    types = {resource["Type"] for resource in assemblies.template(env, "serving")["Resources"].values()}
    assert not [name for name in types if name.startswith("AWS::IAM")]
