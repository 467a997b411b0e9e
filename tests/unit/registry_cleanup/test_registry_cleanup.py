"""The custom resource that empties a model package group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from registry_cleanup.handler import respond


class FakeRegistry:
    """SageMaker's registry with packages of one group, served in pages of two."""

    def __init__(self, versions: int, *, refuses: bool = False) -> None:
        self.packages = [f"arn:aws:sagemaker:us-east-1:1:model-package/g/{n + 1}" for n in range(versions)]
        self.refuses = refuses

    def get_paginator(self, operation: str) -> FakeRegistry:
        assert operation == "list_model_packages"
        return self

    def paginate(self, *, ModelPackageGroupName: str) -> Iterator[dict[str, Any]]:
        arns = list(self.packages)
        for start in range(0, max(len(arns), 1), 2):
            yield {"ModelPackageSummaryList": [{"ModelPackageArn": arn} for arn in arns[start : start + 2]]}

    def delete_model_package(self, *, ModelPackageName: str) -> None:
        if self.refuses:
            raise PermissionError("not authorized")
        self.packages.remove(ModelPackageName)


def send(registry: FakeRegistry, request_type: str) -> dict[str, Any]:
    """What CloudFormation is answered."""
    sent: list[tuple[str, bytes]] = []
    event = {
        "RequestType": request_type,
        "ResponseURL": "https://example.com/answer",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Empty",
        "ResourceProperties": {"ModelPackageGroupName": "g"},
    }
    respond(event, "log-stream", registry, lambda url, body: sent.append((url, body)))
    ((url, body),) = sent
    assert url == event["ResponseURL"]
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_delete_removes_every_package() -> None:
    """On Delete all packages go, over all pages."""
    registry = FakeRegistry(versions=5)
    assert send(registry, "Delete")["Status"] == "SUCCESS"
    assert registry.packages == []


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_other_requests_leave_the_packages(request_type: str) -> None:
    """Deploying never deletes a model."""
    registry = FakeRegistry(versions=2)
    assert send(registry, request_type)["Status"] == "SUCCESS"
    assert len(registry.packages) == 2


def test_failure_is_answered_with_its_reason() -> None:
    """A refused deletion is told at once, not left to CloudFormation's hour-long timeout."""
    answer = send(FakeRegistry(versions=1, refuses=True), "Delete")
    assert answer["Status"] == "FAILED"
    assert "not authorized" in answer["Reason"] and "log-stream" in answer["Reason"]


def test_identity_stays_the_same() -> None:
    """The physical id follows the group alone, so that an update never looks like a replacement."""
    identities = {send(FakeRegistry(versions=0), kind)["PhysicalResourceId"] for kind in ("Create", "Update", "Delete")}
    assert identities == {"g-contents"}
