"""What CreateTransformJob refuses, how objects are split into records, and how answers are joined."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError
from local.sagemaker.transform.request import assemble, check, split

REQUEST: dict[str, Any] = {
    "TransformJobName": "batch",
    "ModelName": "m",
    "BatchStrategy": "SingleRecord",
    "TransformInput": {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}},
        "SplitType": "Line",
    },
    "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
}


def request(path: str = "", value: Any = None) -> dict[str, Any]:
    """The request with one member changed."""
    changed = copy.deepcopy(REQUEST)
    *parents, name = path.split(".")
    place = changed
    for parent in parents:
        place = place[parent]
    place[name] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("BatchStrategy", "MultiRecord", "set it to SingleRecord"),
        ("MaxPayloadInMB", 0, "set 1 to 100"),
        ("MaxPayloadInMB", 101, "MaxPayloadInMB 101; set 1 to 100"),
        ("TransformResources.InstanceCount", 5, "InstanceCount 5"),
        ("MaxConcurrentTransforms", 2, "MaxConcurrentTransforms above 1"),
        ("DataProcessing", {"JoinSource": "Input"}, "DataProcessing"),
        ("DataCaptureConfig", {"DestinationS3Uri": "s3://b"}, "DataCaptureConfig"),
        ("ModelClientConfig", {"InvocationsMaxRetries": 1}, "InvocationsMaxRetries above 0"),
        ("TransformInput.SplitType", "RecordIO", "use Line or None"),
        ("TransformInput.CompressionType", "Gzip", "store the input uncompressed"),
        ("TransformInput.DataSource.S3DataSource.S3DataType", "ManifestFile", "use S3Prefix"),
        ("TransformInput.DataSource.S3DataSource.S3Uri", "https://bucket/in", "use s3://bucket/prefix"),
        ("TransformOutput.S3OutputPath", "https://bucket/out", "use s3://bucket/prefix"),
    ],
)
def test_what_is_not_supported_is_refused(path: str, value: Any, words: str) -> None:
    """A feature that the local cloud lacks is a ValidationException that names it and what to use."""
    with pytest.raises(ServiceError) as refused:
        check(request(path, value))
    assert refused.value.code == "ValidationException"
    assert words in refused.value.message


def test_multi_record_is_the_default_that_has_to_be_changed() -> None:
    """Splitting by line without a BatchStrategy means MultiRecord on AWS, so it is refused, too."""
    without = {member: value for member, value in REQUEST.items() if member != "BatchStrategy"}
    with pytest.raises(ServiceError, match="BatchStrategy MultiRecord"):
        check(without)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("TransformJobName", "a_b", "transformJobName"),
        ("TransformInput.SplitType", "Lines", "transformInput.splitType"),
        ("TransformResources.InstanceType", "ml.none", "transformResources.instanceType"),
        ("TransformInput", {}, "transformInput.dataSource"),
    ],
)
def test_the_service_model_is_checked(cloud: Any, path: str, value: Any, words: str) -> None:
    """A value that AWS's model does not allow is refused with the member's path."""
    with pytest.raises(ServiceError) as refused:
        cloud.call("CreateTransformJob", **request(path, value))
    assert refused.value.code == "ValidationException"
    assert f"at '{words}' failed to satisfy constraint" in refused.value.message


def test_a_model_that_does_not_exist(cloud: Any) -> None:
    """The model has to be there when the job is made."""
    with pytest.raises(ServiceError, match=r'Could not find model "arn:aws:sagemaker:.*:model/m"'):
        cloud.call("CreateTransformJob", **REQUEST)


def test_names_are_unique(cloud: Any) -> None:
    """A second job of a name is ResourceInUse, in AWS's words."""
    cloud.transform([{}])
    cloud.transformed()
    with pytest.raises(ServiceError) as refused:
        cloud.call("CreateTransformJob", **(REQUEST | {"ModelName": "model-1"}))
    assert refused.value.code == "ResourceInUse"
    assert refused.value.message.startswith("Job name must be unique within an AWS account and region")


@pytest.mark.parametrize("action", ["DescribeTransformJob", "StopTransformJob"])
def test_a_job_that_does_not_exist(cloud: Any, action: str) -> None:
    """Describing or stopping an unknown job is refused."""
    with pytest.raises(ServiceError, match=r"Requested resource not found\."):
        cloud.call(action, TransformJobName="nobody")


@pytest.mark.parametrize(
    ("content", "split_type", "records"),
    [
        (b"a\nb\n", "Line", [b"a", b"b"]),
        (b"a\nb", "Line", [b"a", b"b"]),
        (b"a\r\nb\r\n", "Line", [b"a", b"b"]),
        (b"a\n\nb\n", "Line", [b"a", b"", b"b"]),
        (b"a\nb\n", "None", [b"a\nb\n"]),
        (b"", "Line", []),
        (b"", "None", []),
    ],
)
def test_records_of_an_object(content: bytes, split_type: str, records: list[bytes]) -> None:
    """A line is a record without its line ending, blank lines included, so that answers keep their line numbers."""
    assert split(content, split_type) == records


def test_answers_are_put_together() -> None:
    """Line puts a newline behind each answer, None nothing between them."""
    assert assemble([b"a", b"b"], "Line") == b"a\nb\n"
    assert assemble([b"a", b"b"], "None") == b"ab"
