"""Entry point: deletes the packages of a group on ``Delete``, does nothing on ``Create`` and ``Update``."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

RESPONSE_TIMEOUT_SECONDS = 30


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda handler. CloudFormation waits an hour for an answer, so every path sends one."""
    import boto3

    respond(event, context.log_stream_name, boto3.client("sagemaker"), _put)


def respond(event: dict[str, Any], log_stream: str, registry: Any, put: Callable[[str, bytes], None]) -> None:
    """Do the work and tell CloudFormation how it went.

    Args:
        event: the custom resource's request.
        log_stream: named in the answer, so that a failure can be looked up.
        registry: SageMaker client.
        put: sends a body to a URL.
    """
    group = event["ResourceProperties"]["ModelPackageGroupName"]
    status, reason = "SUCCESS", ""
    try:
        if event["RequestType"] == "Delete":
            logger.info("deleted %d packages of %s", empty_group(registry, group), group)
    except Exception as error:  # whatever it is, an unanswered request blocks the stack
        logger.exception("could not empty %s", group)
        status, reason = "FAILED", f"could not empty {group}: {error} (log stream {log_stream})"
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": f"{group}-contents",
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    put(event["ResponseURL"], json.dumps(answer).encode())


def empty_group(registry: Any, group: str) -> int:
    """Delete every package of a group.

    Returns:
        How many there were.
    """
    arns = [
        package["ModelPackageArn"]
        for page in registry.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        for package in page["ModelPackageSummaryList"]
    ]
    for arn in arns:
        registry.delete_model_package(ModelPackageName=arn)
    return len(arns)


def _put(url: str, body: bytes) -> None:
    # The pre-signed URL is signed for an empty content type.
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=RESPONSE_TIMEOUT_SECONDS):
        pass
