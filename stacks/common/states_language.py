"""What the states of a workflow share: catching, retrying, invoking a Lambda, and JSONata written as plain data."""

from __future__ import annotations

import json
from typing import Any

FAILED = "Report failure"
"""Name of the state in which a workflow fails."""

NULL = "{% null %}"
"""JSON's null; a plain one would be dropped on its way through CDK."""

CAUSE = """{% (
  $cause := $states.errorOutput.Cause;
  $details := $substring($cause, 0, 1) = "{" and $substring($cause, -1) = "}" ? $parse($cause) : {};
  $status := $exists($details.TransformJobStatus) ? $details.TransformJobStatus : $details.TrainingJobStatus;
  $reason := $exists($details.FailureReason) ? $details.FailureReason
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
"""The reason as a person would tell it: of a failed job SageMaker's FailureReason, of a failed Lambda its message.

Both arrive wrapped in JSON; a refused call arrives as plain text.
"""

_LAMBDA_PASSES = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
_SAGEMAKER_PASSES = ("SageMaker.ThrottlingException",)
# What SageMaker has no exception for, throttling among it, arrives under these names (SDK and .sync integrations).
_SAGEMAKER_UNNAMED = ("SageMaker.SageMakerException", "SageMaker.AmazonSageMakerException")


def catch(then: str = FAILED, output: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Go on in another state after any error, by default with `Error` and a readable `Cause`."""
    told = {"Error": "{% $states.errorOutput.Error %}", "Cause": CAUSE}
    return [{"ErrorEquals": ["States.ALL"], "Output": told if output is None else output, "Next": then}]


def retry_lambda() -> list[dict[str, Any]]:
    """Ask again when Lambda itself stumbled; an error that the function raised is final."""
    return retry(*_LAMBDA_PASSES)


def retry_sagemaker(*more: str, repeatable: bool = True) -> list[dict[str, Any]]:
    """Ask again when SageMaker was asked too often; an exceeded quota is none of these, waiting does not raise it.

    Args:
        more: further errors after which to ask again.
        repeatable: whether the same call twice makes nothing twice: it changes or removes, or the call names what it
            creates. Only then is it repeated after an error that doesn't say what happened.
    """
    return retry(*_SAGEMAKER_PASSES, *(_SAGEMAKER_UNNAMED if repeatable else ()), *more)


def retry(*errors: str) -> list[dict[str, Any]]:
    """Ask again after 2, 4, 8 and 16 seconds."""
    return [{"ErrorEquals": list(errors), "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}]


def report_failure() -> dict[str, Any]:
    """The state `FAILED`."""
    return {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}"}


def lambda_task(
    partition: str, function_arn: str, payload: Any, *, assign: dict[str, Any], then: str
) -> dict[str, Any]:
    """A task that asks a Lambda; its answer becomes the state's output.

    Args:
        partition: AWS partition.
        function_arn: the function.
        payload: what it is asked, expressions included.
        assign: variable → value.
        then: name of the next state.
    """
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Arguments": {"FunctionName": function_arn, "Payload": payload},
        "Assign": assign,
        "Output": "{% $states.result.Payload %}",
        "Retry": retry_lambda(),
        "Catch": catch(),
        "Next": then,
    }


def as_jsonata(value: Any, indent: str = "") -> str:
    """Plain data with ``{% … %}`` in it as the text of one JSONata expression, without the brackets around it."""
    deeper = indent + "  "
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    if isinstance(value, dict) and value:
        members = [f"{deeper}{json.dumps(name)}: {as_jsonata(item, deeper)}" for name, item in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[" + ", ".join(as_jsonata(item, indent) for item in value) + "]"
    return json.dumps(value)
