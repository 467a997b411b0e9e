"""CloudFormation properties as API parameters."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from local.emulator.cloudformation.resource_types import tag_changes, to_parameters


@pytest.fixture(scope="module")
def shape() -> Any:
    """Input of CreateEndpointConfig, which has numbers, lists, structures and booleans."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    return model.operation_model("CreateEndpointConfig").input_shape


def test_strings_of_a_template_get_the_types_of_the_api(shape: Any) -> None:
    """Numbers and booleans that a template carries as text become numbers and booleans."""
    properties = {
        "EnableNetworkIsolation": "true",
        "ProductionVariants": [
            {"InitialVariantWeight": "1", "ServerlessConfig": {"MaxConcurrency": "5", "MemorySizeInMB": 2048.0}}
        ],
    }
    assert to_parameters(properties, shape) == {
        "EnableNetworkIsolation": True,
        "ProductionVariants": [
            {"InitialVariantWeight": 1.0, "ServerlessConfig": {"MaxConcurrency": 5, "MemorySizeInMB": 2048}}
        ],
    }


def test_properties_only_cloudformation_knows_are_left_out(shape: Any) -> None:
    """A member that the API does not have, or that is null, is not sent."""
    assert to_parameters({"RetainDeploymentConfig": True, "KmsKeyId": None}, shape) == {}


def test_a_string_member_takes_a_number(shape: Any) -> None:
    """A name that YAML read as a number is sent as text."""
    assert to_parameters({"EndpointConfigName": 2024}, shape) == {"EndpointConfigName": "2024"}


def test_tag_changes_are_what_differs() -> None:
    """Changed and new tags are set, missing ones removed, equal ones left alone."""
    old = [{"Key": "same", "Value": "1"}, {"Key": "changed", "Value": "1"}, {"Key": "gone", "Value": "1"}]
    new = [{"Key": "same", "Value": "1"}, {"Key": "changed", "Value": "2"}, {"Key": "new", "Value": "1"}]
    assert tag_changes(old, new) == ([{"Key": "changed", "Value": "2"}, {"Key": "new", "Value": "1"}], ["gone"])


def test_no_tags_on_either_side_is_no_change() -> None:
    """A resource without tags needs no call."""
    assert tag_changes(None, None) == ([], [])
