"""What the states of the release workflow refer to, and the expressions that several of them share."""

from dataclasses import dataclass
from typing import Any

from stacks.common.states_language import CAUSE, State, as_jsonata, catch, lambda_task, retry, task
from stacks.serving.champion import PARAMETER, STACK_CHAMPION, STACK_STATUS

_RETRIED = {
    "cloudformation": ("CloudFormation.CloudFormationException", "CloudFormation.SdkClientException"),
    "sagemaker": ("SageMaker.SageMakerException", "SageMaker.ConflictException", "SageMaker.SdkClientException"),
    "sfn": ("Sfn.SfnException", "Sfn.SdkClientException"),
}


@dataclass(frozen=True, kw_only=True)
class ReleaseParts:
    """The surroundings of the workflow. Values may hold CDK tokens.

    Attributes:
        name: name of the model in messages.
        package_arn_prefix: ARN of a package of the group without its version: `…:model-package/<group>/`.
        serving_stack: name of the stack whose parameter says which package is the champion.
        endpoint: name of the endpoint.
        hub_model: whether the stack serves a hub model while it names no package.
        release_role_arn: role under which CloudFormation changes the endpoint.
        poll_seconds: pause between two looks at something that is under way.
    """

    partition: str
    name: str
    package_arn_prefix: str
    serving_stack: str
    endpoint: str
    hub_model: bool
    release_role_arn: str
    smoke_test_function_arn: str
    topic_arn: str
    poll_seconds: int

    def sdk_task(self, service: str, action: str, arguments: dict[str, Any]) -> State:
        """Return a task that makes one API call and retries it when the service throttles."""
        # Throttling has no exception of its own in these services: it arrives under the name that refusals have too.
        # A refused UpdateStack is examined instead, which repeats it where that helps.
        errors = _RETRIED[service] if action != "updateStack" else ("CloudFormation.SdkClientException",)
        return {**task(self.partition, f"aws-sdk:{service}:{action}", arguments), "Retry": retry(*errors)}

    def update_stack(self, package: str) -> State:
        """Return the call that changes the champion, and nothing else of the stack, to the package's ARN."""
        parameters = [{"ParameterKey": PARAMETER, "ParameterValue": package}]
        arguments = {"StackName": self.serving_stack, "UsePreviousTemplate": True, "Parameters": parameters}
        # The role's member is written as in the API: only acronyms at the beginning of a name are respelt.
        return self.sdk_task("cloudformation", "updateStack", {**arguments, "RoleARN": self.release_role_arn})

    def look_at_stack(self, then: str) -> State:
        """Return the state that reads the stack's status and its champion into variables; `then` decides on them."""
        return {
            **self.sdk_task("cloudformation", "describeStacks", {"StackName": self.serving_stack}),
            "Assign": _SEEN,
            "Output": _SEEN,
            "Catch": catch(then, assign=_UNREADABLE),
            "Next": then,
        }

    def note(self, metadata: dict[str, str], **more: str) -> State:
        """Return the call that writes metadata, and `more`, on the package under release."""
        arguments = {"ModelPackageArn": "{% $package %}", **more, "CustomerMetadataProperties": metadata}
        return self.sdk_task("sagemaker", "updateModelPackage", arguments)

    def ask(self, package: str, *, on_error: str, assign: dict[str, str], then: str) -> State:
        """Return the state in which the smoke test asks the endpoint real questions.

        `package`: expression of the ARN of the package that should answer.
        """
        return {
            **self.ask_function({"model_package_arn": package}),
            "Catch": catch(on_error, assign=assign),
            "Next": then,
        }

    def ask_function(self, payload: dict[str, Any]) -> State:
        """Return the beginning of a task that invokes the smoke test's function."""
        return lambda_task(self.partition, self.smoke_test_function_arn, payload)

    def wait(self, then: str) -> State:
        """Return the pause before the next look."""
        return {"Type": "Wait", "Seconds": self.poll_seconds, "Next": then}


_SEEN = {"stack": STACK_STATUS, "serving": STACK_CHAMPION}
_UNREADABLE = {"stack": f'{{% "unreadable: " & {as_jsonata(CAUSE)} %}}'}

USABLE = '$stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]'
"""Condition: the last look showed an endpoint at rest, which may be updated."""

LOOK_AGAIN = (
    '($contains($error, "SdkClientException") or '
    "$contains($refusal, /state and can ?not be updated|Rate exceeded|Throttl/))"
)
"""Condition: after this refusal of an update, or lost answer, the stack's status tells more."""
REFUSAL = {"refusal": CAUSE, "error": "{% $states.errorOutput.Error %}"}
"""Variables that a refused update sets."""
NO_CHANGE = '$contains($refusal, "No updates are to be performed")'

NOW = "{% $millis() %}"

VERSION = '$split($package, "/")[-1]'
"""Version of the package under release."""
REPLACED = '($champion = null ? "unknown" : $champion = "" ? "none" : $split($champion, "/")[-1])'
"""Version of the champion before it; "none" where there was none."""

DEALT_WITH = "{% $approved_at = null ? $states.context.Execution.StartTime : $approved_at %}"
"""Time up to which approvals have been handled, so that one approval is released once. A person's request has no time
of approval: it handles all approvals up to its start."""


def longer_than(seconds: int, since: str = "$since") -> str:
    """Return the condition that more than this has passed since the present step began; `since` in milliseconds."""
    return f"($millis() - {since}) / 1000 > {seconds}"
