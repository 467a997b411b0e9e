"""What the states of the release workflow refer to, and the expressions that several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stacks.common.states_language import CAUSE, as_jsonata, retry

PARAMETER = "ModelPackageArn"
"""The serving stack's one parameter: the champion."""


@dataclass(frozen=True, kw_only=True)
class ReleaseParts:
    """The surroundings of the workflow. Values may hold CDK tokens."""

    partition: str
    name: str
    """What the model is called in messages."""
    packages_arn_prefix: str
    """ARN of a package of the group without its version: ``…:model-package/<group>/``."""
    serving_stack: str
    """Name of the stack whose parameter says which package is the champion."""
    release_role_arn: str
    """Role under which CloudFormation changes the endpoint."""
    smoke_test_function_arn: str
    topic_arn: str
    poll_seconds: int
    """Pause between two looks at something that is under way."""

    def sdk_task(self, service: str, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A task that makes one API call; patient where the service is asked too often."""
        # Throttling has no exception of its own in these services: it arrives under the name that refusals have too.
        # A refused UpdateStack is looked into instead, which repeats it where that helps.
        passes = _PASSES[service] if action != "updateStack" else ("CloudFormation.SdkClientException",)
        return {
            "Type": "Task",
            "Resource": f"arn:{self.partition}:states:::aws-sdk:{service}:{action}",
            "Arguments": arguments,
            "Retry": retry(*passes),
        }

    def update_stack(self, package: str) -> dict[str, Any]:
        """The call that changes the champion, and nothing else of the stack.

        Args:
            package: expression of the package's ARN.
        """
        # The role's member is written as in the API: only acronyms at the beginning of a name are respelt.
        return self.sdk_task(
            "cloudformation",
            "updateStack",
            {
                "StackName": self.serving_stack,
                "UsePreviousTemplate": True,
                "Parameters": [{"ParameterKey": PARAMETER, "ParameterValue": package}],
                "RoleARN": self.release_role_arn,
            },
        )

    def describe_stack(self) -> dict[str, Any]:
        """The call that tells the stack's status and its champion."""
        return self.sdk_task("cloudformation", "describeStacks", {"StackName": self.serving_stack})

    def note(self, metadata: dict[str, str], **more: str) -> dict[str, Any]:
        """The call that writes metadata, and `more`, on the package under release."""
        arguments = {"ModelPackageArn": "{% $package %}", **more, "CustomerMetadataProperties": metadata}
        return self.sdk_task("sagemaker", "updateModelPackage", arguments)

    def wait(self, then: str) -> dict[str, Any]:
        """Pause before the next look."""
        return {"Type": "Wait", "Seconds": self.poll_seconds, "Next": then}


_PASSES = {
    "cloudformation": ("CloudFormation.CloudFormationException", "CloudFormation.SdkClientException"),
    "sagemaker": ("SageMaker.SageMakerException", "SageMaker.ConflictException", "SageMaker.SdkClientException"),
    "sfn": ("Sfn.SfnException", "Sfn.SdkClientException"),
}

STACK_STATUS = "{% $states.result.Stacks[0].StackStatus %}"
STACK_CHAMPION = f"""{{% (
  $value := $states.result.Stacks[0].Parameters[ParameterKey = "{PARAMETER}"].ParameterValue;
  $exists($value) ? $value : ""
) %}}"""
"""The package that the stack serves or is about to serve; "" for none."""
SEEN = {"stack": STACK_STATUS, "serving": STACK_CHAMPION}
"""What a look at the stack assigns."""
UNREADABLE = {"stack": f'{{% "unreadable: " & {as_jsonata(CAUSE)} %}}'}
"""What a look assigns that failed."""
PENDING = "$contains($stack, /_IN_PROGRESS$|^unreadable/)"
"""Condition: the last look showed nothing final, or nothing at all."""
USABLE = '$stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]'
"""Condition: the last look showed an endpoint at rest, which may be updated."""

LOOK_AGAIN = (
    '($contains($error, "SdkClientException") or '
    "$contains($refusal, /state and can ?not be updated|Rate exceeded|Throttl/))"
)
"""Condition: after this refusal of an update, or lost answer, the stack's status tells more."""
REFUSAL = {"refusal": CAUSE, "error": "{% $states.errorOutput.Error %}"}
"""What a refused update assigns."""
NO_CHANGE = '$contains($refusal, "No updates are to be performed")'

NOW = "{% $millis() %}"

VERSION = '$split($package, "/")[-1]'
"""Version of the package under release."""
REPLACED = '($champion = null ? "unknown" : $champion = "" ? "none" : $split($champion, "/")[-1])'
"""Version of the champion before it; "none" where there was none."""

DEALT_WITH = "{% $approved_at = null ? $states.context.Execution.StartTime : $approved_at %}"
"""One approval is released once. A person's request has no time of approval: it deals with what was decided before."""


def longer_than(seconds: int, since: str = "$since") -> str:
    """Condition: more than this has passed since the present step began; `since` is in milliseconds."""
    return f"($millis() - {since}) / 1000 > {seconds}"


def catch(then: str, assign: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Go on in another state after any error, with variables that tell of it."""
    return [{"ErrorEquals": ["States.ALL"], **({"Assign": assign} if assign else {}), "Next": then}]
