"""`sagemaker:create…Job.sync` of Step Functions: start a job, wait for it, stop it when nobody waits any longer."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.emulator.common.patching import Record
from local.emulator.workflows import sdk_calls

GENERAL_ERROR = "AmazonSageMakerException"
"""Name of errors that the service's model does not know: the optimized integration uses version 1 of the Java SDK."""

SYNC_JOBS = {"createTrainingJob": "TrainingJob", "createTransformJob": "TransformJob"}
"""The actions that can be waited for, with the API's noun: Create<noun>, <noun>Name, <noun>Status."""

_POLL_SECONDS = 0.3
_ENDED = ("Completed", "Failed", "Stopped")


def run(client: Any, action: str, parameters: Mapping[str, Any], abandoned: Callable[[], bool]) -> Record:
    """Create a job, wait until it ends, and return its description. Raises TaskError unless it completes.

    `action`: a key of SYNC_JOBS. `abandoned` returns whether nobody waits any longer; the job is stopped then.
    """
    noun = SYNC_JOBS[action]
    try:
        sdk_calls.call(client, "sagemaker", action, parameters, general_error=GENERAL_ERROR)
        job = _await_end(client, noun, parameters[f"{noun}Name"], abandoned)
    except ClientError as error:
        raise sdk_calls.TaskError(f"SageMaker.{GENERAL_ERROR}", str(error)) from error
    description = json.dumps(job, default=lambda moment: int(moment.timestamp() * 1000))
    if job[f"{noun}Status"] != "Completed":
        # As on AWS, the cause is the whole description; FailureReason is one member of it.
        raise sdk_calls.TaskError("States.TaskFailed", description)
    result: Record = json.loads(description)
    return result


def _await_end(client: Any, noun: str, name: str, abandoned: Callable[[], bool]) -> Record:
    wanted = {f"{noun}Name": name}
    stopping = False
    while True:
        job: Record = client._make_api_call(f"Describe{noun}", wanted)
        if job[f"{noun}Status"] in _ENDED:
            job.pop("ResponseMetadata", None)
            return job
        if not stopping and abandoned():
            client._make_api_call(f"Stop{noun}", wanted)
            stopping = True
        time.sleep(_POLL_SECONDS)
