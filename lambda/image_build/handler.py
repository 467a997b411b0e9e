"""Entry point: builds the image on ``Create`` and ``Update``. On ``Delete`` it does nothing: the repository decides."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

from image_build.build import ImageRequest, ensure_image

logger = logging.getLogger("image_build")
logger.setLevel(logging.INFO)

RESPONSE_TIMEOUT_SECONDS = 10
_REASON_LENGTH = 1500  # CloudFormation takes an answer of 4 kB


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda handler. CloudFormation waits an hour for an answer, so every path sends one."""
    import boto3

    clients = {service: boto3.client(service) for service in ("codebuild", "ecr")}

    def build(request: ImageRequest) -> str:
        return ensure_image(request, **clients, seconds_left=lambda: context.get_remaining_time_in_millis() / 1000)

    respond(event, context.log_stream_name, build, _put)


def respond(
    event: dict[str, Any],
    log_stream: str,
    build: Callable[[ImageRequest], str],
    put: Callable[[str, bytes], None],
) -> None:
    """Do the work and tell CloudFormation how it went.

    Args:
        event: the custom resource's request.
        log_stream: named in the answer, so that a failure can be looked up.
        build: makes sure that there is an image, and says what it did.
        put: sends a body to a URL.
    """
    status, reason = "SUCCESS", ""
    try:
        wanted = event["ResourceProperties"]
        request = ImageRequest(
            project=wanted["Project"], repository=wanted["Repository"], tag=wanted["Tag"], token=event["RequestId"]
        )
        if event["RequestType"] != "Delete":
            reason = build(request)
            logger.info(reason)
    except Exception as error:  # whatever it is, an unanswered request blocks the stack
        logger.exception("there is no image")
        status, reason = "FAILED", f"no serving image: {error} (log stream {log_stream})"
    answer = {
        "Status": status,
        "Reason": reason[:_REASON_LENGTH],
        # The same for every tag: an image is never deleted because another one was built.
        "PhysicalResourceId": "serving-image",
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    put(event["ResponseURL"], json.dumps(answer).encode())


def _put(url: str, body: bytes) -> None:
    # The pre-signed URL is signed for an empty content type.
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=RESPONSE_TIMEOUT_SECONDS):
        pass
