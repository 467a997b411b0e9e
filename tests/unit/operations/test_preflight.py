"""The checks before a deployment, against answers in the shapes of AWS's own service models (botocore's Stubber)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import boto3
import pytest

from operations import paths
from operations.errors import OperationError
from operations.verbs.deployment import preflight
from operations.verbs.deployment.config import configuration
from operations.verbs.deployment.preflight import FAILED, NOTE, OK, UNKNOWN, Check
from stubbed_deployment import CREDENTIALS, StubbedDeployment

MEMORY = "Memory size in MB per serverless endpoint"
CONCURRENCY = "Maximum total concurrency that can be allocated across all serverless endpoints"
GPU, TRANSFORM = "ml.g4dn.xlarge for training job usage", "ml.m5.large for transform job usage"
ENOUGH = {MEMORY: 3072.0, CONCURRENCY: 10.0, GPU: 1.0, TRANSFORM: 1.0}


@pytest.fixture
def aws() -> StubbedDeployment:
    return StubbedDeployment("dev", boto3.Session(region_name="us-east-1"), None)


def quotas(aws: StubbedDeployment, values: dict[str, float]) -> list[Check]:
    """What the check of quotas finds where the account has these."""
    found = [{"QuotaName": name, "Value": value} for name, value in values.items()]
    aws.answer("service-quotas", "list_service_quotas", {"Quotas": found})
    return list(preflight._quotas(aws, configuration("dev", "us-east-1")))


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_the_defaults_fit_a_new_account_twice(env: str) -> None:
    """Two environments need 3,072 MB an endpoint and a concurrency of 10 in all: what a new account has."""
    needed = preflight.needed_quotas(configuration(env, "us-east-1"))
    assert (needed[MEMORY], 2 * needed[CONCURRENCY]) == (3072, 10)


def test_enough_is_enough(aws: StubbedDeployment) -> None:
    """Where every quota suffices nothing is to be done."""
    assert {(one.status, one.next_step) for one in quotas(aws, ENOUGH)} == {(OK, "")}


@pytest.mark.parametrize(
    ("name", "step"),
    [
        (MEMORY, "serving.memory_mb"),
        (CONCURRENCY, "serving.max_concurrency"),
        (GPU, "request 1"),
        (TRANSFORM, "request 1"),
    ],
)
def test_each_quota_that_is_too_small_is_named_with_the_way_out(aws: StubbedDeployment, name: str, step: str) -> None:
    """The quota's own name, what it is, what is needed, and what to do."""
    (failed,) = (one for one in quotas(aws, {**ENOUGH, name: 0.0}) if one.status != OK)
    assert failed.status == FAILED
    assert name in failed.found and ": 0, needed" in failed.found
    assert step in failed.next_step


def test_a_quota_that_aws_does_not_list_is_not_taken_for_granted(aws: StubbedDeployment) -> None:
    """Names are AWS's and may change: what is not listed is unknown, which fails the command."""
    (unknown,) = (one for one in quotas(aws, {MEMORY: 3072.0, CONCURRENCY: 5.0, GPU: 1.0}) if one.status != OK)
    assert (unknown.status, TRANSFORM in unknown.found) == (UNKNOWN, True)


def test_training_and_serving_of_another_kind_need_other_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    """CONTEXT counts: spot training and an endpoint on instances have quotas of their own."""
    monkeypatch.setenv("CONTEXT", "serving.kind=instances training.spot=true training.instance_count=2")
    needed = preflight.needed_quotas(configuration("dev", "us-east-1"))
    assert needed == {
        "ml.g4dn.xlarge for spot training job usage": 2,
        TRANSFORM: 1,
        "ml.c5.large for endpoint usage": 2,
    }


@pytest.mark.parametrize(("layer", "status"), [(3 * 1024**3, OK), (11 * 1024**3, FAILED)])
def test_the_image_is_weighed_by_its_manifest(aws: StubbedDeployment, layer: int, status: str) -> None:
    """Above 10 GB a serverless endpoint refuses the image; the way out is the slim one."""
    manifest = {"config": {"size": 1000}, "layers": [{"size": layer}]}
    aws.answer("ecr", "batch_get_image", {"images": [{"imageManifest": json.dumps(manifest)}], "failures": []})
    (found,) = preflight._image_size(aws, configuration("dev", "us-east-1"))
    assert found.status == status
    assert ("serving.container=slim" in found.next_step) == (status == FAILED)


@pytest.mark.parametrize(("version", "status"), [("6", OK), ("5", FAILED), ("", FAILED)])
def test_an_account_that_is_not_bootstrapped_is_found_out(aws: StubbedDeployment, version: str, status: str) -> None:
    """The bootstrap stack is there and new enough, or the next step is `cdk bootstrap`."""
    if version:
        aws.answer("ssm", "get_parameter", {"Parameter": {"Value": version}})
    else:
        aws.fail("ssm", "get_parameter", "ParameterNotFound")
    (found,) = preflight._bootstrap(aws, configuration("dev", "us-east-1"))
    assert (found.status, found.next_step) == (status, "" if status == OK else "cdk bootstrap")


@pytest.mark.parametrize(
    ("limit", "unreserved", "own", "reserved", "statuses"),
    [
        (1000, 1000, None, 0, [OK, OK]),
        (1000, 1000, None, 900, [OK, OK]),
        (1000, 1000, None, 901, [FAILED, OK]),
        (1000, 150, 50, 100, [OK, OK]),
        (1000, 150, 50, 101, [FAILED, OK]),
        (10, 10, None, 0, [OK, NOTE]),
        (10, 10, None, 5, [FAILED, OK]),
    ],
)
def test_a_reservation_has_to_leave_what_aws_keeps_for_other_functions(
    aws: StubbedDeployment,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    unreserved: int,
    own: int | None,
    reserved: int,
    statuses: list[str],
) -> None:
    """100 executions stay unreserved, or all of a smaller limit; the function's own reservation counts as free."""
    monkeypatch.setenv("CONTEXT", f"api.reserved_concurrency={reserved}")
    account = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
    aws.answer("lambda", "get_account_settings", {"AccountLimit": account})
    if own is None:
        aws.fail("lambda", "get_function_concurrency", "ResourceNotFoundException")
    else:
        aws.answer("lambda", "get_function_concurrency", {"ReservedConcurrentExecutions": own})
    found = list(preflight._concurrency(aws, configuration("dev", "us-east-1")))
    assert [one.status for one in found] == statuses


def test_a_region_without_the_images_is_refused(aws: StubbedDeployment) -> None:
    """Both images are looked up in the SageMaker SDK's own table, which knows no such region."""
    found = list(preflight._images(aws, configuration("dev", "moon-north-1")))
    assert [one.status for one in found] == [FAILED, FAILED]


@pytest.mark.parametrize(
    ("address", "arn", "status"),
    [
        ("a@example.com", "PendingConfirmation", FAILED),
        ("a@example.com", "arn:aws:sns:x:1:t:2", OK),
        ("another@example.com", "arn:aws:sns:x:1:t:2", NOTE),
    ],
)
def test_an_address_that_never_confirmed_is_found_out(
    aws: StubbedDeployment, monkeypatch: pytest.MonkeyPatch, address: str, arn: str, status: str
) -> None:
    """Alarms reach nobody until the address has confirmed its subscription, or if SNS has dropped it since."""
    monkeypatch.setenv("CONTEXT", "notifications.email=a@example.com")
    aws.__dict__["outputs"] = {"NotificationTopicArn": "arn:aws:sns:us-east-1:000000000000:t"}
    subscription = {"SubscriptionArn": arn, "Endpoint": address}
    aws.answer("sns", "list_subscriptions_by_topic", {"Subscriptions": [subscription]})
    (found,) = preflight._email(aws, configuration("dev", "us-east-1"))
    assert found.status == status


def test_a_call_that_is_refused_is_unknown_and_says_so(aws: StubbedDeployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing rights end no other check, and count as a failure of the command."""
    monkeypatch.setattr(preflight, "_names", lambda deployment, config: iter([Check("names", OK, "none")]))
    aws.answer("ssm", "get_parameter", {"Parameter": {"Value": "30"}})
    aws.fail("service-quotas", "list_service_quotas", "AccessDeniedException")
    aws.fail("lambda", "get_account_settings", "AccessDeniedException")
    aws.fail("ecr", "batch_get_image", "AccessDeniedException")
    found = {one.check: one for one in preflight.checks(aws, configuration("dev", "us-east-1"))}
    assert found["quotas"].status == found["image size"].status == UNKNOWN
    assert "ListServiceQuotas" in found["quotas"].found
    assert found["e-mail"].status == NOTE


def test_names_that_are_taken_are_listed(aws: StubbedDeployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """What bears the environment's names and is in no stack stops a deployment; kept buckets do not."""
    found = [
        ("AWS::Logs::LogGroup", "/aws/lambda/text-classifier-dev-predict"),
        ("AWS::S3::Bucket", "text-classifier-dev-storage-data-1"),
        ("AWS::IAM::Role", "text-classifier-dev-api-FrontApiCloudWatchRole-1"),
        ("AWS::IAM::Role", "text-classifier-dev-launch"),
    ]
    monkeypatch.setattr(preflight.inventory, "inventory", lambda _: (preflight.inventory.Found(*one) for one in found))
    monkeypatch.setattr(preflight.inventory, "owned", lambda _: {"text-classifier-dev-launch"})
    kept, taken = preflight._names(aws, configuration("dev", "us-east-1"))
    assert (kept.status, "text-classifier-dev-storage-data-1" in kept.found) == (NOTE, True)
    assert taken.found == "taken: AWS::Logs::LogGroup /aws/lambda/text-classifier-dev-predict"
    assert "cdk import" in taken.next_step


@pytest.mark.parametrize(("home", "ending"), [("", ""), ("us-east-1", ""), ("eu-west-1", "-us-east-1")])
def test_a_role_of_the_same_environment_in_another_region_is_no_obstacle(
    aws: StubbedDeployment, monkeypatch: pytest.MonkeyPatch, home: str, ending: str
) -> None:
    """Roles are the account's: with `home_region` only those that end as this region's do are in the way."""
    names = [f"text-classifier-dev-launch{region}" for region in ("", "-us-east-1", "-eu-west-1")]
    found = [preflight.inventory.Found("AWS::IAM::Role", name) for name in names]
    monkeypatch.setattr(preflight.inventory, "inventory", lambda _: iter(found))
    monkeypatch.setattr(preflight.inventory, "owned", lambda _: set())
    config = configuration("dev", "us-east-1").model_copy(update={"home_region": home})
    (names_check,) = preflight._names(aws, config)
    assert names_check.found == f"taken: AWS::IAM::Role text-classifier-dev-launch{ending}"


@pytest.mark.parametrize(("kind", "service", "operation", "names"), preflight.inventory._LISTS)
def test_every_list_is_one_of_the_service(kind: str, service: str, operation: str, names: str) -> None:
    """Each call comes in pages, and its answer holds texts where they are looked for."""
    client = boto3.client(service, **CREDENTIALS)
    assert client.can_paginate(operation), kind
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).output_shape
    listed, _, member = names.partition("[]")
    item = shape.members[listed].member
    assert (item.members[member.removeprefix(".")] if member else item).type_name == "string"


def test_only_the_environments_own_names_are_found(
    aws: StubbedDeployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Wherever the name stands in them; another environment whose name only begins alike has others."""
    (tmp_path / "cdk.json").write_text('{"context": {"environments": {"dev": {}, "dev-2": {}, "other-dev-3": {}}}}')
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    mine = ["/text-classifier-dev/recipe", "/text-classifier-dev-launch", "/text-classifier-dev-25"]
    others = ["/text-classifier-dev2/recipe", "/my-text-classifier/dev"]
    others += ["/text-classifier-dev-2/recipe", "/text-classifier-dev-2-launch", "/text-classifier-dev-2--7-01234567"]
    parameters = [*mine, *others]
    monkeypatch.setattr(preflight.inventory, "_LISTS", [_list_of("AWS::SSM::Parameter")])
    aws.answer("ssm", "describe_parameters", {"Parameters": [{"Name": name} for name in parameters]})
    assert [found.name for found in preflight.inventory.inventory(aws)] == mine


def _list_of(kind: str) -> tuple[str, str, str, str]:
    (found,) = (one for one in preflight.inventory._LISTS if one[0] == kind)
    return found


@pytest.mark.parametrize("elsewhere", [{"region": "eu-west-1"}, {"account": "000000000001"}])
def test_credentials_of_another_place_than_the_configurations_are_refused(
    aws: StubbedDeployment, monkeypatch: pytest.MonkeyPatch, elsewhere: dict[str, str]
) -> None:
    """What the checks found there would not hold where CDK deploys to."""
    config = configuration("dev", "us-east-1").model_copy(update=elsewhere)
    monkeypatch.setattr(preflight, "connect", lambda _: aws)
    monkeypatch.setattr(preflight, "configuration", lambda *_: config)
    aws.answer("sts", "get_caller_identity", {"Account": "000000000000"})
    with pytest.raises(OperationError, match="The configuration deploys to") as caught:
        preflight.preflight(argparse.Namespace(env="dev"))
    assert next(iter(elsewhere.values())) in caught.value.hint
