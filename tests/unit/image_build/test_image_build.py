"""The custom resource that builds the slim serving image."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from image_build.build import MANIFEST, BuildFailedError, ImageRequest, ensure_image
from image_build.handler import respond

REQUEST = ImageRequest(project="p-image", repository="p-serving", tag="cafe", token="request-1")
LOG = "https://console.aws.amazon.com/log"


class ImageNotFound(Exception):
    """ECR's answer about a tag that it doesn't know."""


class FakeRegistry:
    """ECR with these tags; `later` is there when it is asked a second time."""

    exceptions = SimpleNamespace(ImageNotFoundException=ImageNotFound)

    def __init__(self, *tags: str, later: str = "", kind: str = MANIFEST) -> None:
        self.tags, self.later, self.kind = tags, later, kind

    def describe_images(self, *, repositoryName: str, imageIds: list[dict[str, str]]) -> Any:
        assert repositoryName == REQUEST.repository
        if imageIds[0]["imageTag"] not in self.tags:
            self.tags += (self.later,)
            raise ImageNotFound
        return {"imageDetails": [{"imageTags": list(self.tags), "imageManifestMediaType": self.kind}]}


class FakeBuilds:
    """CodeBuild with one build that goes through these statuses."""

    def __init__(self, *statuses: str, said: str = "") -> None:
        self.statuses = list(statuses)
        self.said = said
        self.started: list[dict[str, str]] = []
        self.stopped: list[str] = []

    def _build(self) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        phases = [{"phaseType": "BUILD", "contexts": [{"message": self.said}]}, {"phaseType": "COMPLETED"}]
        return {"id": "p-image:1", "buildStatus": status, "phases": phases, "logs": {"deepLink": LOG}}

    def start_build(self, **request: str) -> dict[str, Any]:
        self.started.append(request)
        return {"build": self._build()}

    def batch_get_builds(self, *, ids: list[str]) -> dict[str, Any]:
        assert ids == ["p-image:1"]
        return {"builds": [self._build()]}

    def stop_build(self, *, id: str) -> None:
        self.stopped.append(id)


def ensure(builds: FakeBuilds, registry: FakeRegistry, seconds: float = 600) -> str:
    return ensure_image(REQUEST, codebuild=builds, ecr=registry, seconds_left=lambda: seconds, sleep=lambda pause: None)


def test_an_unchanged_source_builds_nothing() -> None:
    """A tag is the hash of its source: one that is there is the image."""
    builds = FakeBuilds("SUCCEEDED")
    assert "nothing to build" in ensure(builds, FakeRegistry("cafe"))
    assert builds.started == []


def test_a_changed_source_is_built_and_waited_for() -> None:
    """The build is started once, under the request's own token, and its end is what is told."""
    builds = FakeBuilds("IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED")
    assert "was built by p-image:1" in ensure(builds, FakeRegistry("older", later="cafe"))
    assert builds.started == [{"projectName": "p-image", "idempotencyToken": "request-1"}]


@pytest.mark.parametrize("registry", [{"later": "cafe"}, {}], ids=["pushed", "there before"])
@pytest.mark.parametrize(
    "kind", ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"]
)
def test_an_image_that_sagemaker_cannot_pull_fails_the_deployment(kind: str, registry: dict[str, str]) -> None:
    """OCI manifests and indexes are refused, just pushed or from before, with the kind and the next step."""
    tags = () if registry else ("cafe",)
    with pytest.raises(BuildFailedError, match="Delete this image") as caught:
        ensure(FakeBuilds("SUCCEEDED"), FakeRegistry(*tags, kind=kind, **registry))
    assert kind in str(caught.value) and MANIFEST in str(caught.value)


@pytest.mark.parametrize("status", ["FAILED", "FAULT", "TIMED_OUT", "STOPPED"])
def test_a_failed_build_says_why_and_where_to_read_on(status: str) -> None:
    """The message has the status, the phase with its remark, and the link to the log."""
    with pytest.raises(BuildFailedError) as caught:
        ensure(FakeBuilds("IN_PROGRESS", status, said="docker build ... exit status 1"), FakeRegistry())
    assert all(part in str(caught.value) for part in (status, "BUILD: docker build ... exit status 1", LOG))


def test_a_build_that_takes_too_long_is_stopped() -> None:
    """Before its own time is over the function stops the build and says so, with the link to the log."""
    builds = FakeBuilds("IN_PROGRESS")
    with pytest.raises(BuildFailedError, match="too long") as caught:
        ensure(builds, FakeRegistry(), seconds=29)
    assert builds.stopped == ["p-image:1"] and LOG in str(caught.value)


def send(request_type: str, build: Any) -> dict[str, Any]:
    """What CloudFormation is answered."""
    sent: list[bytes] = []
    event = {
        "RequestType": request_type,
        "ResponseURL": "https://example.com/answer",
        "StackId": "stack",
        "RequestId": "request-1",
        "LogicalResourceId": "Image",
        "ResourceProperties": {"Project": "p-image", "Repository": "p-serving", "Tag": "cafe"},
    }
    respond(event, "log-stream", build, lambda url, body: sent.append(body))
    (body,) = sent
    answer: dict[str, Any] = json.loads(body)
    return answer


@pytest.mark.parametrize(("request_type", "builds"), [("Create", [REQUEST]), ("Update", [REQUEST]), ("Delete", [])])
def test_images_are_built_and_never_deleted(request_type: str, builds: list[ImageRequest]) -> None:
    """Deploying builds; destroying leaves the images to their repository. The resource's identity never changes."""
    asked: list[ImageRequest] = []
    answer = send(request_type, lambda request: asked.append(request) or "done")
    assert (asked, answer["Status"], answer["PhysicalResourceId"]) == (builds, "SUCCESS", "serving-image")


def test_a_failure_fails_the_deployment_with_its_reason() -> None:
    """The stack event shows the reason, cut to what CloudFormation takes."""

    def build(_: ImageRequest) -> str:
        raise BuildFailedError("no base image" + " and more" * 1000)

    answer = send("Create", build)
    assert answer["Status"] == "FAILED" and "no base image" in answer["Reason"]
    assert len(json.dumps(answer)) < 4096
