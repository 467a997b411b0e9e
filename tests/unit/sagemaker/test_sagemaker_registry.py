"""Model package groups and packages, and models made from packages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from local.sagemaker.common.errors import ServiceError

PREFIX = "arn:aws:sagemaker:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/worker"


def register(cloud: Any, **params: Any) -> str:
    """A package in the group `reviews`; returns its ARN."""
    container = {
        "Image": "acct/serving:1",
        "ModelDataUrl": "s3://bucket/models/1/model.tar.gz",
        "Environment": {"A": "package", "B": "package"},
    }
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["application/json"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    request = {"ModelPackageGroupName": "reviews", "InferenceSpecification": specification, **params}
    return cloud.call("CreateModelPackage", **request)["ModelPackageArn"]


@pytest.fixture
def group(cloud: Any) -> Any:
    """A cloud with the group `reviews`."""
    cloud.call("CreateModelPackageGroup", ModelPackageGroupName="reviews")
    return cloud


def test_versions_count_up(group: Any) -> None:
    """Packages are numbered from 1, and the number of a deleted one is not used again."""
    assert register(group) == f"{PREFIX}:model-package/reviews/1"
    second = register(group)
    group.call("DeleteModelPackage", ModelPackageName=second)
    assert register(group) == f"{PREFIX}:model-package/reviews/3"


def test_description(group: Any) -> None:
    """A package is Completed and waits for approval unless told otherwise; what was given comes back."""
    arn = register(group, CustomerMetadataProperties={"git": "abc"})
    package = group.call("DescribeModelPackage", ModelPackageName=arn)
    assert package["ModelPackageStatus"] == "Completed"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert (package["ModelPackageGroupName"], package["ModelPackageVersion"]) == ("reviews", 1)
    assert package["CustomerMetadataProperties"] == {"git": "abc"}
    assert group.call("DescribeModelPackage", ModelPackageName="reviews/1") == package


def test_update_event_names_what_changed(group: Any) -> None:
    """The event of an update lists the changed members; an update without a change sends no event."""
    arn = register(group)
    group.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    group.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    group.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"note": "x"})
    group.until(lambda: len(group.surroundings.events), lambda count: count == 3)
    kinds, details = zip(*group.surroundings.events, strict=True)
    assert set(kinds) == {"SageMaker Model Package State Change"}
    assert [detail.get("UpdatedModelPackageFields") for detail in details] == [
        None,
        ["ModelApprovalStatus"],
        ["CustomerMetadataProperties"],
    ]
    assert [detail["ModelApprovalStatus"] for detail in details] == ["PendingManualApproval", "Approved", "Approved"]
    assert details[1]["ModelPackageArn"] == arn
    assert details[1]["CreationTime"] > 1e12, "events carry milliseconds"


def test_an_update_is_later_than_the_one_before_though_the_clock_was_set_back(group: Any) -> None:
    """By a second, as exactly as an event tells its time: a release takes an earlier approval for a duplicate."""
    arn = register(group)
    group.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    with time_machine.travel(timedelta(minutes=-4)):
        for status in ("Rejected", "Approved"):
            group.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus=status)
    group.until(lambda: len(group.surroundings.events), lambda count: count == 4)
    before, *later = [detail["LastModifiedTime"] for _, detail in group.surroundings.events[1:]]
    assert later == [pytest.approx(before + 1000, abs=1), pytest.approx(before + 2000, abs=1)]


def test_metadata_is_merged_and_removed(group: Any) -> None:
    """UpdateModelPackage adds metadata to what is there and removes what it names."""
    arn = register(group, CustomerMetadataProperties={"a": "1", "b": "2"})
    group.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    package = group.call("DescribeModelPackage", ModelPackageName=arn)
    assert package["CustomerMetadataProperties"] == {"b": "2", "c": "3"}


def test_list_of_a_group(group: Any) -> None:
    """ListModelPackages filters by group and approval, oldest first unless asked otherwise."""
    group.call("CreateModelPackageGroup", ModelPackageGroupName="other")
    register(group)
    approved = register(group, ModelApprovalStatus="Approved")
    register(group, ModelPackageGroupName="other")

    def versions(**params: Any) -> list[int]:
        answer = group.call("ListModelPackages", ModelPackageGroupName="reviews", **params)
        return [package["ModelPackageVersion"] for package in answer["ModelPackageSummaryList"]]

    assert versions() == [1, 2]
    assert versions(SortOrder="Descending") == [2, 1]
    assert versions(ModelApprovalStatus="Approved") == [2]
    assert approved.endswith("/2")


def test_group_with_packages_stays(group: Any) -> None:
    """A group is deleted only when it is empty."""
    arn = register(group)
    with pytest.raises(ServiceError) as refused:
        group.call("DeleteModelPackageGroup", ModelPackageGroupName="reviews")
    assert refused.value.code == "ConflictException"
    group.call("DeleteModelPackage", ModelPackageName=arn)
    group.call("DeleteModelPackageGroup", ModelPackageGroupName="reviews")
    with pytest.raises(ServiceError) as missing:
        group.call("DescribeModelPackageGroup", ModelPackageGroupName="reviews")
    assert missing.value.message == f"ModelPackageGroup {PREFIX}:model-package-group/reviews does not exist."


def test_group_by_arn(group: Any) -> None:
    """A group can be named by its ARN; internal members are not shown."""
    register(group, ModelPackageGroupName=f"{PREFIX}:model-package-group/reviews")
    described = group.call("DescribeModelPackageGroup", ModelPackageGroupName=f"{PREFIX}:model-package-group/reviews")
    assert described["ModelPackageGroupStatus"] == "Completed"
    assert not [member for member in described if member.startswith("_")]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"ModelPackageGroupName": "nobody"}, "model-package-group/nobody does not exist."),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "uses the tags of its group"),
        ({"ModelPackageName": "p"}, "not both"),
    ],
)
def test_refused_packages(group: Any, params: dict[str, Any], words: str) -> None:
    """A package without its group, with tags of its own or with two names is refused."""
    with pytest.raises(ServiceError) as refused:
        register(group, **params)
    assert words in refused.value.message


@pytest.mark.parametrize("name", [f"{PREFIX}:model-package/reviews/9", "reviews/9"])
def test_unknown_package(group: Any, name: str) -> None:
    """An unknown package is a ValidationException with its ARN."""
    with pytest.raises(ServiceError) as missing:
        group.call("DescribeModelPackage", ModelPackageName=name)
    assert missing.value.message == f"ModelPackage {PREFIX}:model-package/reviews/9 does not exist."


def test_model_of_a_package_serves_it(group: Any) -> None:
    """A model that names a package runs the package's image, artifact and environment; its own variables win."""
    group.put_model("1")
    arn = register(group)
    container = {"ModelPackageName": arn, "Environment": {"B": "model", "MODEL_VERSION": "7"}}
    group.call("CreateModel", ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    described = group.call("DescribeModel", ModelName="m")["PrimaryContainer"]
    assert described == container
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    group.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    group.call("CreateEndpoint", EndpointName="reviews", EndpointConfigName="c")
    assert group.endpoint()["EndpointStatus"] == "InService"
    seen = json.loads(group.invoke("reviews").body)
    assert (seen["version"], seen["environment"]["A"], seen["environment"]["B"]) == ("7", "package", "model")


def test_model_of_a_missing_package(group: Any) -> None:
    """A model of a package that does not exist is refused."""
    with pytest.raises(ServiceError) as refused:
        group.call(
            "CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": "reviews/1"}, ExecutionRoleArn=ROLE
        )
    assert "does not exist" in refused.value.message


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "a model without PrimaryContainer"),
        ({"Containers": [{"Image": "a"}, {"Image": "b"}]}, "such as an inference pipeline"),
        ({"PrimaryContainer": {"ModelDataUrl": "s3://b/m.tar.gz"}}, "either Image or ModelPackageName"),
        ({"PrimaryContainer": {"Image": "a", "Mode": "MultiModel"}}, "multi-model"),
    ],
)
def test_models_that_cannot_be_run(cloud: Any, params: dict[str, Any], words: str) -> None:
    """A model without one runnable container is refused with what is missing or unsupported."""
    with pytest.raises(ServiceError) as refused:
        cloud.call("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, **params)
    assert words in refused.value.message


def test_deleted_model_is_gone(cloud: Any) -> None:
    """DeleteModel removes the model from Describe and List."""
    cloud.call("CreateModel", ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "a"})
    assert [model["ModelName"] for model in cloud.call("ListModels")["Models"]] == ["m"]
    cloud.call("DeleteModel", ModelName="m")
    assert cloud.call("ListModels")["Models"] == []
    with pytest.raises(ServiceError) as missing:
        cloud.call("DescribeModel", ModelName="m")
    assert missing.value.message == f'Could not find model "{PREFIX}:model/m".'
