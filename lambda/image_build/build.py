"""One image: looked for, else built, and waited for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

POLL_SECONDS = 5
LAST_SECONDS = 30
"""Kept back for stopping a build that takes too long, and for saying so."""


class BuildFailed(Exception):
    """There is no image; the message says why and where the log is."""


@dataclass(frozen=True, kw_only=True)
class ImageRequest:
    """What the stack wants."""

    project: str
    """CodeBuild project that builds the image."""
    repository: str
    """ECR repository that it pushes to."""
    tag: str
    """Hash of the source; the same tag is the same image."""
    token: str
    """Names this request: a repeated one follows the build that is under way instead of starting another."""


def ensure_image(
    request: ImageRequest,
    *,
    codebuild: Any,
    ecr: Any,
    seconds_left: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Build the image unless it is there already.

    Args:
        request: what is wanted.
        codebuild: boto3 client.
        ecr: boto3 client.
        seconds_left: until this function's own process is ended.
        sleep: waits.

    Returns:
        What was done.

    Raises:
        BuildFailed: the build ended without an image, or not in time.
    """
    if _is_there(request, ecr):
        return f"{request.repository}:{request.tag} is there already: nothing to build"
    build = codebuild.start_build(projectName=request.project, idempotencyToken=request.token)["build"]
    logger.info("build %s started", build["id"])
    while build["buildStatus"] == "IN_PROGRESS":
        if seconds_left() < LAST_SECONDS:
            codebuild.stop_build(id=build["id"])
            raise BuildFailed(f"the build {build['id']} was stopped: it would have taken too long. {_log(build)}")
        sleep(POLL_SECONDS)
        build = codebuild.batch_get_builds(ids=[build["id"]])["builds"][0]
    said = " ".join(_said(build))
    if build["buildStatus"] != "SUCCEEDED":
        raise BuildFailed(f"the build {build['id']} ended as {build['buildStatus']}. {said} {_log(build)}")
    return f"{request.repository}:{request.tag} was built by {build['id']}. {said}".rstrip()


def _is_there(request: ImageRequest, ecr: Any) -> bool:
    try:
        found = ecr.describe_images(repositoryName=request.repository, imageIds=[{"imageTag": request.tag}])
    except ecr.exceptions.ImageNotFoundException:
        return False
    return bool(found["imageDetails"])


def _said(build: Any) -> list[str]:
    """What CodeBuild remarked on the phases of a build: of a failed command, which one."""
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
