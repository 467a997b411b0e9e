"""Names, values and errors of Step Functions' SDK integrations."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from local.emulator.workflows.sdk_calls import TaskError, call, sdk_name

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1"


def _client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("DBClusterArn", "DbClusterArn"),
        ("ModelDataUrl", "ModelDataUrl"),
        ("eTag", "ETag"),
        ("ETag", "ETag"),
        ("SupportedResponseMIMETypes", "SupportedResponseMimeTypes"),
        ("KMS", "Kms"),
    ],
)
def test_members_are_named_as_in_the_java_sdk(member: str, expected: str) -> None:
    """Runs of capitals become words."""
    assert sdk_name(member) == expected


def test_parameters_and_results_are_renamed_both_ways() -> None:
    """A state's parameters reach the wire under the API's names; dates come back as text, map keys untouched."""
    client = _client("sagemaker")
    moment = datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=UTC)
    with Stubber(client) as stub:
        stub.add_response(
            "describe_model_package",
            {
                "ModelPackageName": "g",
                "ModelPackageArn": ARN,
                "CreationTime": moment,
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": []},
                "CustomerMetadataProperties": {"data_SHA": "x"},
            },
            {"ModelPackageName": ARN},
        )
        answer = call(client, "sagemaker", "describeModelPackage", {"ModelPackageName": ARN})
    assert answer["CreationTime"] == "2026-01-02T03:04:05.600Z"
    assert answer["CustomerMetadataProperties"] == {"data_SHA": "x"}
    assert "ResponseMetadata" not in answer


def test_a_body_is_answered_as_text() -> None:
    """The stream of GetObject becomes a string."""
    client = _client("s3")
    with Stubber(client) as stub:
        stub.add_response("get_object", {"Body": StreamingBody(io.BytesIO(b"text"), 4)}, {"Bucket": "b", "Key": "k"})
        assert call(client, "s3", "getObject", {"Bucket": "b", "Key": "k"})["Body"] == "text"


@pytest.mark.parametrize(
    ("service", "action", "method", "code", "expected"),
    [
        ("sagemaker", "describeModel", "describe_model", "ValidationException", "SageMaker.SageMakerException"),
        (
            "sagemaker",
            "createModel",
            "create_model",
            "ResourceLimitExceeded",
            "SageMaker.ResourceLimitExceededException",
        ),
        ("cloudformation", "updateStack", "update_stack", "ValidationError", "CloudFormation.CloudFormationException"),
        ("s3", "getObject", "get_object", "NoSuchKey", "S3.NoSuchKeyException"),
    ],
)
def test_errors_are_named_as_in_the_java_sdk(service: str, action: str, method: str, code: str, expected: str) -> None:
    """Errors of the service's model keep their name, every other one is the service's general exception."""
    client = _client(service)
    parameters = {
        "describeModel": {"ModelName": "m"},
        "createModel": {"ModelName": "m"},
        "updateStack": {"StackName": "s"},
        "getObject": {"Bucket": "b", "Key": "k"},
    }[action]
    with Stubber(client) as stub:
        stub.add_client_error(method, service_error_code=code, service_message="because")
        with pytest.raises(TaskError) as failed:
            call(client, service, action, parameters)
    assert failed.value.error == expected
    assert failed.value.cause.startswith("because")


@pytest.mark.parametrize(("action", "parameters"), [("makeCoffee", {}), ("describeModel", {"ModelName": 5})])
def test_a_task_that_cannot_be_called_fails_in_the_runtime(action: str, parameters: dict[str, Any]) -> None:
    """An unknown action, and parameters of the wrong type, are States.Runtime errors."""
    with pytest.raises(TaskError) as failed:
        call(_client("sagemaker"), "sagemaker", action, parameters)
    assert failed.value.error == "States.Runtime"
