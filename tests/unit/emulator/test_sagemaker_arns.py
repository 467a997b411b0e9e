"""Which ARNs IAM is asked about for a SageMaker request."""

from __future__ import annotations

from typing import Any

import pytest

from local.emulator.sagemaker_bridge.sagemaker_arns import further_checks, invocation_arn, passed_role, resource_arn
from local.sagemaker.common.names import Scope

SCOPE = Scope("000000000000", "us-east-1")
PREFIX = "arn:aws:sagemaker:us-east-1:000000000000:"


@pytest.mark.parametrize(
    ("action", "params", "expected"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "Job-A"}, "training-job/job-a"),
        ("CreateTransformJob", {"TransformJobName": "Batch", "ModelName": "m"}, "transform-job/batch"),
        ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": "T"}, "hyper-parameter-tuning-job/t"),
        (
            "ListTrainingJobsForHyperParameterTuningJob",
            {"HyperParameterTuningJobName": "T"},
            "hyper-parameter-tuning-job/t",
        ),
        ("StopTransformJob", {"TransformJobName": "Batch"}, "transform-job/batch"),
        ("CreateProcessingJob", {"ProcessingJobName": "Batch"}, "processing-job/batch"),
        ("DescribeEndpointConfig", {"EndpointConfigName": "c"}, "endpoint-config/c"),
        ("DeleteEndpoint", {"EndpointName": "e"}, "endpoint/e"),
        ("CreateModel", {"ModelName": "m"}, "model/m"),
        ("DescribeModelPackageGroup", {"ModelPackageGroupName": "Group"}, "model-package-group/Group"),
        ("CreateModelPackage", {"ModelPackageGroupName": "Group"}, "model-package/Group/*"),
        ("ListModelPackages", {"ModelPackageGroupName": "Group"}, "model-package/Group/*"),
    ],
)
def test_a_named_resource_becomes_its_arn(action: str, params: dict[str, Any], expected: str) -> None:
    """Names of jobs, models and endpoints are lower-cased in ARNs, those of the registry are kept."""
    assert resource_arn(action, params, SCOPE) == PREFIX + expected


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("DescribeModelPackage", {"ModelPackageName": PREFIX + "model-package/Group/3"}),
        ("UpdateModelPackage", {"ModelPackageArn": PREFIX + "model-package/Group/3"}),
        ("AddTags", {"ResourceArn": PREFIX + "model-package/Group/3"}),
    ],
)
def test_an_arn_in_the_request_is_taken_as_it_is(action: str, params: dict[str, Any]) -> None:
    """Calls that name their resource by ARN are authorised on that ARN."""
    assert resource_arn(action, params, SCOPE) == PREFIX + "model-package/Group/3"


@pytest.mark.parametrize(("action", "params"), [("ListModels", {"NameContains": "x"}), ("CreateModel", {})])
def test_without_a_resource_the_arn_is_a_star(action: str, params: dict[str, Any]) -> None:
    """Lists, and requests without a name (refused later), are authorised on everything."""
    assert resource_arn(action, params, SCOPE) == "*"


def test_an_endpoint_needs_the_right_on_its_config_too() -> None:
    """CreateEndpoint is checked on the endpoint config besides the endpoint."""
    checks = further_checks("CreateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, SCOPE)
    assert checks == [("sagemaker:CreateEndpoint", PREFIX + "endpoint-config/c")]


def test_a_model_of_a_package_needs_the_right_on_the_package_too() -> None:
    """CreateModel is checked on the package that the model is made from, whether it is named by ARN or by version."""
    arn = PREFIX + "model-package/Group/3"
    for package in (arn, "Group/3"):
        params = {"ModelName": "m", "PrimaryContainer": {"ModelPackageName": package}}
        assert further_checks("CreateModel", params, SCOPE) == [("sagemaker:CreateModel", arn)]


def test_tags_on_creation_need_add_tags() -> None:
    """A request that creates with tags is checked for AddTags on the new resource."""
    checks = further_checks("CreateModel", {"ModelName": "m", "Tags": [{"Key": "a", "Value": "b"}]}, SCOPE)
    assert checks == [("sagemaker:AddTags", PREFIX + "model/m")]


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("DescribeModel", {"ModelName": "m"}),
        # The reference names one resource type for it, transform-job; the model is a condition key.
        ("CreateTransformJob", {"TransformJobName": "batch", "ModelName": "m"}),
    ],
)
def test_a_plain_call_needs_nothing_more(action: str, params: dict[str, Any]) -> None:
    """A call on one resource without tags is one check."""
    assert further_checks(action, params, SCOPE) == []


def test_tags_on_a_transform_job_need_add_tags() -> None:
    """CreateTransformJob with tags depends on AddTags on the job."""
    params = {"TransformJobName": "Batch", "ModelName": "m", "Tags": [{"Key": "a", "Value": "b"}]}
    assert further_checks("CreateTransformJob", params, SCOPE) == [
        ("sagemaker:AddTags", PREFIX + "transform-job/batch")
    ]


@pytest.mark.parametrize(
    ("action", "params", "expected"),
    [
        ("CreateTrainingJob", {"RoleArn": "r"}, "r"),
        ("CreateModel", {"ExecutionRoleArn": "r"}, "r"),
        ("CreateProcessingJob", {"RoleArn": "r"}, "r"),
        ("CreateEndpoint", {"ExecutionRoleArn": "r"}, None),
        ("CreateHyperParameterTuningJob", {"TrainingJobDefinition": {"RoleArn": "r"}}, "r"),
        ("CreateModel", {}, None),
        ("CreateTransformJob", {"ModelName": "m"}, None),
    ],
)
def test_the_role_that_is_passed(action: str, params: dict[str, Any], expected: str | None) -> None:
    """Training jobs, processing jobs and models hand a role to SageMaker; a transform job works with its model's."""
    assert passed_role(action, params) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/endpoints/My-Endpoint/invocations", PREFIX + "endpoint/my-endpoint"), ("/endpoints/x", "*")],
)
def test_the_runtime_path_names_the_endpoint(path: str, expected: str) -> None:
    """InvokeEndpoint is authorised on the endpoint in its path."""
    assert invocation_arn(path, SCOPE) == expected
