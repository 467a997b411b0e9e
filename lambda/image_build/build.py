"""Builds one image, unless it exists already, and waits for the build to end."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

POLL_SECONDS = 5
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
"""The one kind of image that SageMaker pulls: neither OCI's, nor an index of several."""
LAST_SECONDS = 30
"""Time reserved for stopping a build that takes too long and for reporting it."""


class BuildFailedError(Exception):
    """The image could not be built. The message says why, and where the log is."""


@dataclass(frozen=True, kw_only=True)
class ImageRequest:
    """The image that the stack asks for."""

    project: str
    """CodeBuild project that builds the image."""
    repository: str
    """ECR repository that it pushes to."""
    tag: str
    """Hash of the source; the same tag is the same image."""
    token: str
    """Identifies this request: a repeated one follows the running build instead of starting another."""


def ensure_image(
    request: ImageRequest,
    *,
    codebuild: Any,
    ecr: Any,
    seconds_left: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Build the image unless it exists, with boto3 clients, and return what was done.

    `seconds_left` is the time until Lambda stops this function. Raises BuildFailedError: The build failed, did not end
    in time, or pushed what SageMaker cannot pull.
    """
    if _is_there(request, ecr):
        return f"{request.repository}:{request.tag} exists already: nothing to build"
    build = codebuild.start_build(projectName=request.project, idempotencyToken=request.token)["build"]
    logger.info("build %s started", build["id"])
    while build["buildStatus"] == "IN_PROGRESS":
        if seconds_left() < LAST_SECONDS:
            codebuild.stop_build(id=build["id"])
            raise BuildFailedError(f"the build {build['id']} was stopped because it takes too long. {_log(build)}")
        sleep(POLL_SECONDS)
        build = codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]
    remarks = " ".join(_remarks(build))
    if build["buildStatus"] != "SUCCEEDED":
        raise BuildFailedError(f"the build {build['id']} ended as {build['buildStatus']}. {remarks} {_log(build)}")
    _is_there(request, ecr)  # and of the right kind
    return f"{request.repository}:{request.tag} was built by {build['id']}. {remarks}".rstrip()


def _is_there(request: ImageRequest, ecr: Any) -> bool:
    try:
        found = ecr.describe_images(repositoryName=request.repository, imageIds=[{"imageTag": request.tag}])
    except ecr.exceptions.ImageNotFoundException:
        return False
    kinds = {image.get("imageManifestMediaType") for image in found["imageDetails"]}
    if kinds - {MANIFEST}:
        raise BuildFailedError(
            f"{request.repository}:{request.tag} is of the kind {kinds.pop()}; SageMaker pulls {MANIFEST} alone. "
            "Delete this image from the repository and deploy again."
        )
    return bool(kinds)


def _remarks(build: Any) -> list[str]:
    """Return CodeBuild's remarks on the phases of a build, such as the command that failed."""
    return [
        f"{phase['phaseType']}: {context['message']}"
        for phase in build.get("phases", [])
        for context in phase.get("contexts", [])
        if context.get("message")
    ]


def _log(build: Any) -> str:
    logs = build.get("logs", {})
    where = logs.get("deepLink") or "log group {} stream {}".format(logs.get("groupName"), logs.get("streamName"))
    return f"Its log: {where}"
