"""AWS::S3::Bucket properties as parameters of the S3 API."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from local.emulator.cloudformation.buckets import CONFIGURATIONS, encryption, lifecycle
from local.emulator.cloudformation.resource_types import to_parameters

LIFECYCLE = {
    "Rules": [
        {
            "Id": "all",
            "Status": "Enabled",
            "Prefix": "logs/",
            "ExpirationInDays": "30",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": "2"},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 10}],
        }
    ]
}
EXAMPLES = {
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": "true"}
        ]
    },
    "LifecycleConfiguration": LIFECYCLE,
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
}


def shape(operation: str) -> Any:
    """The parameters of an operation of S3."""
    return botocore.session.get_session().get_service_model("s3").operation_model(operation).input_shape


def sent(operation: str, translated: dict[str, Any]) -> dict[str, Any]:
    """What reaches the API."""
    return to_parameters(translated, shape(operation))


def sent_rule(properties: dict[str, Any]) -> dict[str, Any]:
    """The first lifecycle rule that reaches the API."""
    return sent("PutBucketLifecycleConfiguration", lifecycle(properties))["LifecycleConfiguration"]["Rules"][0]


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda entry: entry[0])
def test_every_translation_is_a_valid_request(configuration: Any) -> None:
    """What comes out passes botocore's own validation of the call it is meant for."""
    name, translate, operation, _ = configuration
    report = ParamValidator().validate({"Bucket": "b", **sent(operation, translate(EXAMPLES[name]))}, shape(operation))
    assert not report.has_errors(), report.generate_report()


def test_a_lifecycle_rule_keeps_its_meaning() -> None:
    """Days, prefix, versions and uploads arrive as numbers under the API's names."""
    rule = sent_rule(LIFECYCLE)
    assert rule["Filter"] == {"Prefix": "logs/"}
    assert rule["Expiration"] == {"Days": 30}
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 5, "NewerNoncurrentVersions": 2}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rule["Transitions"] == [{"Days": 10, "StorageClass": "GLACIER"}]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"TagFilters": [{"Key": "a", "Value": "b"}]}, {"Tag": {"Key": "a", "Value": "b"}}),
        (
            {"Prefix": "p", "TagFilters": [{"Key": "a", "Value": "b"}]},
            {"And": {"Prefix": "p", "Tags": [{"Key": "a", "Value": "b"}]}},
        ),
        ({}, {"Prefix": ""}),
    ],
)
def test_a_lifecycle_filter_combines_prefix_and_tags(rule: dict[str, Any], expected: dict[str, Any]) -> None:
    """One tag alone, both together, or everything."""
    properties = {"Rules": [{"Status": "Enabled", "ExpirationInDays": 1, **rule}]}
    assert sent_rule(properties) == {"Status": "Enabled", "Expiration": {"Days": 1}, "Filter": expected}


def test_an_encryption_rule_without_a_bucket_key_names_none() -> None:
    """The bucket key is not set where the template is silent."""
    default = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    translated = sent("PutBucketEncryption", encryption({"ServerSideEncryptionConfiguration": [default]}))
    rules = translated["ServerSideEncryptionConfiguration"]
    assert rules == {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
