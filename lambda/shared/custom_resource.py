"""Answering CloudFormation's requests to a custom resource."""

import json
import logging
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)

TIMEOUT_SECONDS = 10
_REASON_LENGTH = 1500  # CloudFormation accepts 4 kB in all


def send(url: str, body: bytes) -> None:
    """PUT an answer to CloudFormation's pre-signed URL, which is signed for an empty content type."""
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
        pass


def respond(
    event: Mapping[str, Any],
    log_stream: str,
    work: Callable[[], str],
    *,
    physical_id: str,
    failure: str,
    put: Callable[[str, bytes], None] = send,
) -> None:
    """Do the work and report to CloudFormation, which would wait an hour for an answer that is never sent.

    `work` does what is asked, and returns what it did. The report of its failure begins with `failure` and names the
    `log_stream`. Another `physical_id` than before would make CloudFormation delete the old resource.
    """
    try:
        status, reason = "SUCCESS", work()
        if reason:
            logger.info(reason)
    except Exception as error:  # an unanswered request blocks the stack, whatever the error is
        logger.exception(failure)
        status, reason = "FAILED", f"{failure}: {error} (log stream {log_stream})"
    answer = {
        "Status": status,
        "Reason": reason[:_REASON_LENGTH],
        "PhysicalResourceId": physical_id,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    put(event["ResponseURL"], json.dumps(answer).encode())
