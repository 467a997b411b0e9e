"""What the workflows share: their documents filled in, retrying, reasons of errors, and data written as JSONata."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_CAUSE = """(
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
)"""
"""The readable reason of an error: what a processing job said, SageMaker's FailureReason of another failed job, the
message of a failed Lambda.

They arrive wrapped in JSON; a refused call arrives as plain text.
"""

# What SageMaker has no exception for, throttling included, arrives under these names (SDK and .sync integrations).
_SAGEMAKER_UNNAMED = ("SageMaker.SageMakerException", "SageMaker.AmazonSageMakerException")


def retry_sagemaker(*more: str, repeatable: bool = True) -> list[dict[str, Any]]:
    """Retry when SageMaker throttles. An exceeded quota is not retried: waiting does not raise it.

    `more`: further errors after which to retry. `repeatable`: whether the same call twice creates nothing twice: it
    changes or removes, or the call names what it creates. Only then is it repeated after an error that doesn't say what
    happened.
    """
    return retry("SageMaker.ThrottlingException", *(_SAGEMAKER_UNNAMED if repeatable else ()), *more)


def retry(*errors: str, seconds: int = 2, attempts: int = 4) -> list[dict[str, Any]]:
    """Retry after 2, 4, 8 and 16 seconds; or after others, each twice the one before."""
    return [{"ErrorEquals": list(errors), "IntervalSeconds": seconds, "MaxAttempts": attempts, "BackoffRate": 2}]


SHARED = {
    "cause": _CAUSE,
    # Only when Lambda itself failed; an error that the function raised is final.
    "retry_lambda": retry(
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ),
    "retry_topic": retry("SNS.ThrottledException", "SNS.InternalErrorException"),
    # Throttling has no exception of its own here: it arrives under the name that refusals have too.
    "retry_cloudformation": retry("CloudFormation.CloudFormationException", "CloudFormation.SdkClientException"),
    # Where the next state examines a refusal.
    "retry_unanswered": retry("CloudFormation.SdkClientException"),
    # To stop or delete. Few and quick: there may be nothing, which SageMaker says under the name of throttling, too.
    "retry_briefly": retry(
        "SageMaker.ThrottlingException", *_SAGEMAKER_UNNAMED, "SageMaker.SdkClientException", seconds=1, attempts=2
    ),
}
"""What each document may use, beside what is its own."""


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


def filled(document: Path, parts: object, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a YAML document in Amazon States Language with a value for each `${name}`.

    Names are those of its `Expressions`, of `values`, of the attributes of `parts`, and of `SHARED`. A value that
    stands alone keeps its type; a member whose value is None is left out.

    Raises ValueError: a name has no value, or nothing uses one of the expressions or values.
    """
    machine: dict[str, Any] = yaml.safe_load(document.read_text(encoding="utf-8"))
    own = machine.pop("Expressions") | values
    known, used = SHARED | vars(parts) | own, set[str]()

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            members = ((key, fill(value)) for key, value in part.items())
            return {key: value for key, value in members if value is not None}
        if isinstance(part, list):
            return [fill(value) for value in part]
        if not isinstance(part, str):
            return part
        alone = re.fullmatch(r"\$\{(\w+)\}", part)
        return look_up(alone) if alone else re.sub(r"\$\{(\w+)\}", lambda found: str(look_up(found)), part)

    def look_up(found: re.Match[str]) -> Any:
        if found[1] not in known:
            raise ValueError(f"{document}: {found[0]} has no value; add it to Expressions or in definition.py")
        used.add(found[1])
        return fill(known[found[1]])

    machine = fill(machine)
    if unused := own.keys() - used:
        raise ValueError(f"{document}: nothing uses {', '.join(sorted(unused))}; remove it")
    return machine
