"""What the workflows share: their documents filled in, retrying, reasons of errors, and data written as JSONata."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CAUSE = """{% (
  $cause := $states.errorOutput.Cause;
  $details := $substring($cause, 0, 1) = "{" and $substring($cause, -1) = "}" ? $parse($cause) : {};
  $status := $lookup($details, $keys($details)[$contains($, /^[A-Za-z]+JobStatus$/)][0]);
  $reason := $exists($details.ExitMessage) ? $details.ExitMessage
    : $exists($details.FailureReason) ? $details.FailureReason
    : $exists($details.errorMessage) ? $details.errorMessage
    : $exists($status) ? "the job ended as " & $status
    : $exists($cause) and $cause != "" ? $cause
    : $states.errorOutput.Error = "States.Timeout" ? "it took longer than this step is given (TimeoutSeconds)"
    : "no cause was given";
  $contains($states.errorOutput.Error & " " & $reason, "ResourceLimitExceeded")
    ? $reason & " Next: ask for a higher quota in the console under Service Quotas (Amazon SageMaker), or start again "
      & "with another instance_type."
    : $reason
) %}"""
"""The readable reason of an error: what a processing job said, SageMaker's FailureReason of another failed job, the
message of a failed Lambda.

Both arrive wrapped in JSON; a refused call arrives as plain text.
"""

LAMBDA_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
TOPIC_ERRORS = ("SNS.ThrottledException", "SNS.InternalErrorException")
_SAGEMAKER_ERRORS = ("SageMaker.ThrottlingException",)
# What SageMaker has no exception for, throttling included, arrives under these names (SDK and .sync integrations).
_SAGEMAKER_UNNAMED = ("SageMaker.SageMakerException", "SageMaker.AmazonSageMakerException")


def retry_sagemaker(*more: str, repeatable: bool = True) -> list[dict[str, Any]]:
    """Retry when SageMaker throttles. An exceeded quota is not retried: waiting does not raise it.

    `more`: further errors after which to retry. `repeatable`: whether the same call twice creates nothing twice: it
    changes or removes, or the call names what it creates. Only then is it repeated after an error that doesn't say what
    happened.
    """
    return retry(*_SAGEMAKER_ERRORS, *(_SAGEMAKER_UNNAMED if repeatable else ()), *more)


def retry(*errors: str) -> list[dict[str, Any]]:
    """Retry after 2, 4, 8 and 16 seconds."""
    return [{"ErrorEquals": list(errors), "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}]


def as_jsonata(value: Any, indent: str = "") -> str:
    """Write plain data with `{% … %}` in it as the text of one JSONata expression, without the brackets around it."""
    deeper = indent + "  "
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    if isinstance(value, dict) and value:
        members = [f"{deeper}{json.dumps(name)}: {as_jsonata(item, deeper)}" for name, item in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[" + ", ".join(as_jsonata(item, indent) for item in value) + "]"
    return json.dumps(value)


def filled(document: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a YAML document in Amazon States Language with `values`, or its `Expressions`, for each `${name}`."""
    machine: dict[str, Any] = yaml.safe_load(document.read_text(encoding="utf-8"))
    found: dict[str, Any] = _filled(machine, machine.pop("Expressions") | values)
    return found


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    """Replace each `${name}` in a part of the document, and in what replaces it; one that is alone keeps its type."""
    if isinstance(part, dict):
        return {key: _filled(value, values) for key, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, values) for value in part]
    if not isinstance(part, str):
        return part
    alone = re.fullmatch(r"\$\{(\w+)\}", part)
    if alone:
        return _filled(values[alone[1]], values)
    return re.sub(r"\$\{(\w+)\}", lambda found: str(_filled(values[found[1]], values)), part)
