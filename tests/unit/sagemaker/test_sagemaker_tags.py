"""Tags of resources."""

from __future__ import annotations

from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group/reviews"


@pytest.fixture
def tagged(cloud: Any) -> Any:
    """A cloud with a tagged resource."""
    cloud.call("CreateModelPackageGroup", ModelPackageGroupName="reviews", Tags=[{"Key": "a", "Value": "1"}])
    return cloud


def tags(cloud: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in cloud.call("ListTags", ResourceArn=ARN)["Tags"]}


def test_tags_of_creation(tagged: Any) -> None:
    """Tags given when a resource is made are its tags."""
    assert tags(tagged) == {"a": "1"}


def test_add_and_delete(tagged: Any) -> None:
    """AddTags adds and overwrites, DeleteTags removes and ignores unknown keys."""
    tagged.call("AddTags", ResourceArn=ARN, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    assert tags(tagged) == {"a": "2", "b": "3"}
    tagged.call("DeleteTags", ResourceArn=ARN, TagKeys=["a", "nothing"])
    assert tags(tagged) == {"b": "3"}


def test_tags_go_with_their_resource(tagged: Any) -> None:
    """A resource with the name of a deleted one has none of its tags."""
    tagged.call("DeleteModelPackageGroup", ModelPackageGroupName="reviews")
    tagged.call("CreateModelPackageGroup", ModelPackageGroupName="reviews")
    assert tags(tagged) == {}


@pytest.mark.parametrize("arn", [ARN.replace("reviews", "nobody"), ARN.replace("us-east-1", "eu-west-1")])
def test_unknown_resource(tagged: Any, arn: str) -> None:
    """Tags of a resource that does not exist here are refused with its ARN."""
    with pytest.raises(ServiceError) as missing:
        tagged.call("ListTags", ResourceArn=arn)
    assert arn in missing.value.message


def test_at_most_fifty(tagged: Any) -> None:
    """The fifty-first tag is refused."""
    tagged.call("AddTags", ResourceArn=ARN, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])
    with pytest.raises(ServiceError):
        tagged.call("AddTags", ResourceArn=ARN, Tags=[{"Key": "one-more", "Value": ""}])
