"""Step Functions' AWS SDK integrations on boto3: names, values and errors as the service passes them on.

`sagemaker:create…Job.sync` also waits for the job, and stops it when nobody waits any longer.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody

BOTO3_NAMES = {
    "sfn": "stepfunctions",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sagemakerruntime": "sagemaker-runtime",
}
"""boto3's names of the services that Step Functions names differently (after the Java SDK)."""

_PREFIXES = (
    "CloudFormation CloudWatch CloudWatchLogs DynamoDb EventBridge Lambda S3 SageMaker SageMakerRuntime SecretsManager "
    "Sfn Sns Sqs Ssm Sts"
)
ERROR_PREFIXES = {prefix.lower(): prefix for prefix in _PREFIXES.split()}
"""The supported services, with the prefix of their errors."""

GENERAL_ERROR = "AmazonSageMakerException"
"""SageMaker's name of errors that its model does not know: its own integration uses version 1 of the Java SDK."""

SYNC_JOBS = {
    f"create{kind}Job": f"{kind}Job" for kind in ("Training", "Transform", "Processing", "HyperParameterTuning")
}
"""The actions that can be waited for, with the API's noun: Create<noun>, <noun>Name, <noun>Status."""

_POLL_SECONDS = 0.3
_ENDED = ("Completed", "Failed", "Stopped")


class TaskError(Exception):
    """A failed task: the error's name, as Retry and Catch match it, and its text."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def call(client: Any, service: str, action: str, parameters: Mapping[str, Any], *, general_error: str = "") -> Any:
    """Make one call as a state's task does. Raises TaskError.

    `service` (a key of ERROR_PREFIXES) and `action` are the resource ARN's; `parameters` has the Java SDK's names.
    `general_error`: name of errors that the service's model does not know; by default `<Service>Exception`.
    """
    operation = action[:1].upper() + action[1:]
    prefix = ERROR_PREFIXES[service]
    model = client.meta.service_model
    if operation not in model.operation_names:
        raise TaskError("States.Runtime", f"The action {action} of {service} does not exist.")
    shapes = model.operation_model(operation)
    try:
        answer = client._make_api_call(operation, _request(dict(parameters), shapes.input_shape))
    except ClientError as error:
        name = _modelled_error(error, shapes) or general_error or f"{prefix}Exception"
        raise TaskError(f"{prefix}.{name}", _cause(prefix, error)) from error
    except ParamValidationError as error:
        raise TaskError("States.Runtime", str(error)) from error
    answer.pop("ResponseMetadata", None)
    return _result(answer, shapes.output_shape)


def run_job(client: Any, action: str, parameters: Mapping[str, Any], abandoned: Callable[[], bool]) -> dict[str, Any]:
    """Create a job, wait until it ends, and return its description. Raises TaskError unless it completes.

    `action`: a key of SYNC_JOBS. `abandoned` returns whether nobody waits any longer; the job is stopped then.
    """
    noun = SYNC_JOBS[action]
    try:
        call(client, "sagemaker", action, parameters, general_error=GENERAL_ERROR)
        job = _await_end(client, noun, parameters[f"{noun}Name"], abandoned)
    except ClientError as error:
        raise TaskError(f"SageMaker.{GENERAL_ERROR}", str(error)) from error
    description = json.dumps(job, default=lambda moment: int(moment.timestamp() * 1000))
    if job[f"{noun}Status"] != "Completed":
        # As on AWS, the cause is the whole description; FailureReason is one member of it.
        raise TaskError("States.TaskFailed", description)
    result: dict[str, Any] = json.loads(description)
    return result


def _await_end(client: Any, noun: str, name: str, abandoned: Callable[[], bool]) -> dict[str, Any]:
    wanted = {f"{noun}Name": name}
    stopping = False
    while True:
        job: dict[str, Any] = client._make_api_call(f"Describe{noun}", wanted)
        if job[f"{noun}Status"] in _ENDED:
            job.pop("ResponseMetadata", None)
            return job
        if not stopping and abandoned():
            client._make_api_call(f"Stop{noun}", wanted)
            stopping = True
        time.sleep(_POLL_SECONDS)


def sdk_name(member: str) -> str:
    """Return a member's name in Step Functions, after the Java SDK: runs of capitals become words, as in `DbArn`."""
    words = re.sub(r"(?<=[A-Z])[A-Z](?![a-z])", lambda letter: letter.group().lower(), member)
    return words[:1].upper() + words[1:]


def _modelled_error(error: ClientError, operation: Any) -> str:
    """Return the name of the error's class if the service's model knows it, else an empty string."""
    code = error.response["Error"]["Code"]
    for shape in operation.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return shape.name if shape.name.endswith("Exception") else f"{shape.name}Exception"
    return ""


def _cause(prefix: str, error: ClientError) -> str:
    metadata = error.response.get("ResponseMetadata", {})
    message = error.response["Error"].get("Message", "")
    code, request = metadata.get("HTTPStatusCode", 0), metadata.get("RequestId", "")
    return f"{message} (Service: {prefix}, Status Code: {code}, Request ID: {request})"


def _request(value: Any, shape: Any) -> Any:
    if shape is None:
        return {}
    if shape.type_name == "structure" and isinstance(value, Mapping):
        by_sdk_name = {sdk_name(member): member for member in shape.members}
        renamed = {by_sdk_name.get(name, name): item for name, item in value.items()}
        return {
            name: _request(item, shape.members[name]) if name in shape.members else item
            for name, item in renamed.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_request(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: _request(item, shape.value) for name, item in value.items()}
    if shape.type_name in ("blob", "string") and isinstance(value, (dict, list)):
        return json.dumps(value)  # e.g. a payload or a message body given as JSON
    return value


def _result(value: Any, shape: Any) -> Any:
    if isinstance(value, StreamingBody):
        return value.read().decode("utf-8", errors="replace")
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    kind = shape.type_name if shape is not None else ""
    if kind == "structure" and isinstance(value, Mapping):
        return {sdk_name(name): _result(item, shape.members.get(name)) for name, item in value.items()}
    if kind == "map" and isinstance(value, Mapping):
        return {name: _result(item, shape.value) for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_result(item, shape.member) for item in value]
    return value
