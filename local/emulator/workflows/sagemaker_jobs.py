"""``sagemaker:create…Job.sync`` of Step Functions: start a job with the role's rights, wait for it, stop it in time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.emulator.workflows import sdk_calls

GENERAL_ERROR = "AmazonSageMakerException"
"""Errors outside the model: the optimized integration still speaks Java SDK v1."""

_POLL_SECONDS = 1.0
_ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class SyncJob:
    """One kind of job, in the words of its API."""

    noun: str
    """As in Create<noun>, <noun>Name, <noun>Status."""
    rule: str
    """The managed EventBridge rule with which ``.sync`` hears of the end; the role must be allowed to make it."""


SYNC_JOBS = {
    "createTrainingJob": SyncJob("TrainingJob", "StepFunctionsGetEventsForSageMakerTrainingJobsRule"),
    "createTransformJob": SyncJob("TransformJob", "StepFunctionsGetEventsForSageMakerTransformJobsRule"),
}
"""The actions that can be waited for."""


def run(client: Any, action: str, parameters: Mapping[str, Any], abandoned: Callable[[], bool]) -> dict[str, Any]:
    """Make a job and wait until it ends; its description. Raises TaskError unless it completes.

    Args:
        client: a boto3 client for SageMaker.
        action: a key of SYNC_JOBS.
        parameters: the request.
        abandoned: whether nobody waits any longer; the job is stopped then.
    """
    noun = SYNC_JOBS[action].noun
    try:
        sdk_calls.call(client, "sagemaker", action, parameters, general_error=GENERAL_ERROR)
        job = _await_end(client, noun, parameters[f"{noun}Name"], abandoned)
    except ClientError as error:
        raise sdk_calls.TaskError(f"SageMaker.{GENERAL_ERROR}", str(error)) from error
    description = json.dumps(job, default=_as_epoch_milliseconds)
    if job[f"{noun}Status"] != "Completed":
        # As on AWS, the cause is the whole description; FailureReason is one member of it.
        raise sdk_calls.TaskError("States.TaskFailed", description)
    return json.loads(description)


def _await_end(client: Any, noun: str, name: str, abandoned: Callable[[], bool]) -> dict[str, Any]:
    wanted = {f"{noun}Name": name}
    stopping = False
    while True:
        job = client._make_api_call(f"Describe{noun}", wanted)
        if job[f"{noun}Status"] in _ENDED:
            job.pop("ResponseMetadata", None)
            return job
        if not stopping and abandoned():
            client._make_api_call(f"Stop{noun}", wanted)
            stopping = True
        time.sleep(_POLL_SECONDS)


def _as_epoch_milliseconds(value: Any) -> int:
    return int(value.timestamp() * 1000)
