"""Requests are checked against the service model and refused in AWS's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError

from local.sagemaker.api.validation import matches, service_model, validate
from local.sagemaker.common.errors import InvalidRequestError, ServiceError

VARIANT = {"VariantName": "v", "ModelName": "m", "ServerlessConfig": {"MemorySizeInMB": 4096, "MaxConcurrency": 10}}


def message(action: str, **params: Any) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        validate(action, params)
    return refused.value.message


def test_range() -> None:
    """A number out of range is refused with path, value and limit."""
    variant = {**VARIANT, "ServerlessConfig": {"MemorySizeInMB": 512, "MaxConcurrency": 10}}
    assert message("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant]) == (
        "1 validation error detected: Value '512' at 'productionVariants.1.member.serverlessConfig.memorySizeInMB' "
        "failed to satisfy constraint: Member must have value greater than or equal to 1024"
    )


def test_missing_member() -> None:
    """A required member that is missing, or null, is refused as null."""
    expected = (
        "1 validation error detected: Value null at 'endpointConfigName' failed to satisfy constraint: "
        "Member must not be null"
    )
    assert message("CreateEndpoint", EndpointName="e") == expected
    assert message("CreateEndpoint", EndpointName="e", EndpointConfigName=None) == expected


def test_pattern() -> None:
    """A name of the wrong form is refused with the service model's own pattern."""
    pattern = service_model().shape_for("TrainingJobName").metadata["pattern"]
    assert message("DescribeTrainingJob", TrainingJobName="a_b") == (
        "1 validation error detected: Value 'a_b' at 'trainingJobName' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}"
    )


def test_pattern_covers_the_whole_value() -> None:
    """A line break after a valid name is refused."""
    assert "regular expression" in message("DescribeTrainingJob", TrainingJobName="good\n")


def test_length() -> None:
    """A name that is too long is refused for its length; one with a bad form as well for both."""
    assert "Member must have length less than or equal to 63" in message("DescribeEndpoint", EndpointName="e" * 64)
    assert message("DescribeEndpoint", EndpointName="_" * 64).startswith("2 validation errors detected: ")


def test_enum() -> None:
    """A word outside an enumeration is refused with the allowed words."""
    assert message("ListModels", SortOrder="Up") == (
        "1 validation error detected: Value 'Up' at 'sortOrder' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Ascending, Descending]"
    )


def test_map_entries() -> None:
    """Keys and values of maps are checked against their own constraints."""
    container = {"Image": "i", "Environment": {"1BAD": "x" * 1025}}
    text = message("CreateModel", ModelName="m", PrimaryContainer=container)
    assert "at 'primaryContainer.environment' failed to satisfy constraint: Map keys must satisfy constraint: [" in text
    assert "Map value must satisfy constraint: [Member must have length less than or equal to 1024]" in text


def test_list_size() -> None:
    """A list that must not be empty is refused for its length."""
    text = message("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[])
    assert "Member must have length greater than or equal to 1" in text


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("DescribeTrainingJob", {"TrainingJobName": 5}),
        ("ListModels", {"MaxResults": "5"}),
        ("ListModels", {"MaxResults": True}),
        ("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": {}}),
        ("ListModels", {"CreationTimeAfter": "yesterday-ish"}),
    ],
)
def test_wrong_json_type(action: str, params: dict[str, Any]) -> None:
    """A value of the wrong JSON type is a SerializationException."""
    with pytest.raises(ServiceError) as refused:
        validate(action, params)
    assert refused.value.code == "SerializationException"


def test_unknown_member_is_named() -> None:
    """A member that the service model lacks is refused by name, because it is probably misspelt."""
    assert message("DescribeEndpoint", EndpointName="e", Endpointname="e").startswith("Unknown parameter: Endpointname")


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]}),
        ("ListModels", {"CreationTimeAfter": 1.7e9, "CreationTimeBefore": "2026-08-01T00:00:00Z"}),
    ],
)
def test_good_requests_pass(action: str, params: dict[str, Any]) -> None:
    """Requests within the constraints are accepted, time filters in either form; with one member more they are not."""
    validate(action, params)
    assert message(action, **params, Unknown=1).startswith("Unknown parameter: Unknown")


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("create_endpoint", {"EndpointName": "e"}),
        ("create_model", {"ModelName": "m", "PrimaryContainer": {"Image": 3}}),
        ("list_models", {"MaxResults": 0}),
        ("create_endpoint_config", {"EndpointConfigName": "c", "ProductionVariants": []}),
    ],
)
def test_agrees_with_botocore(action: str, params: dict[str, Any]) -> None:
    """What botocore's own validator refuses before sending is refused here, too."""
    client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(ParamValidationError):
        getattr(client, action)(**params)
    with pytest.raises(ServiceError):
        validate(client.meta.method_to_api_mapping[action], params)


def test_unicode_classes_of_java() -> None:
    """Java's Unicode classes work: letters of any script match, control characters do not."""
    tag = service_model().shape_for("TagValue").metadata["pattern"]
    assert matches(tag, "größe 3/日本")
    assert not matches(tag, "a\x00b")
    assert not matches(tag, "a;b")


def test_every_pattern_of_the_implemented_calls_is_usable() -> None:
    """No pattern of the service model that needs translating is silently skipped for tags or descriptions."""
    description = service_model().shape_for("EntityDescription").metadata["pattern"]
    assert matches(description, "A model (v2) — 98 % helpful!")
    assert not matches(description, "bell \x07")


def test_unknown_action(cloud: Any) -> None:
    """The errors for an unknown action and for one that is not implemented differ."""
    with pytest.raises(ServiceError) as unknown:
        cloud.call("MakeCoffee")
    assert unknown.value.message == "SageMaker has no operation MakeCoffee."
    with pytest.raises(ServiceError) as missing:
        cloud.call("CreateAutoMLJob")
    assert missing.value.message == "The local cloud does not implement sagemaker:CreateAutoMLJob."


def test_every_action_is_one_of_aws(start_cloud: Callable[..., Any]) -> None:
    """All handlers have the name of an operation of the real service."""
    assert start_cloud().service._handlers.keys() <= set(service_model().operation_names)
