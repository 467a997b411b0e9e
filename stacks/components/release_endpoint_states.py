"""The middle of a release: CloudFormation changes the endpoint's model, and the endpoint is asked."""

from __future__ import annotations

from typing import Any

from stacks.components import release_names as names
from stacks.components.release_parts import (
    STACK_CHAMPION,
    STACK_STATUS,
    ReleaseParts,
    catch,
    longer_than,
)
from stacks.components.release_request_states import outcome
from stacks.components.states_language import CAUSE, retry_lambda

UPDATE_SECONDS = 90 * 60
"""An endpoint that isn't up by then is given up; the state machine's own limit leaves time to put the champion back."""

_IN_PROGRESS = '{% $contains($stack, "_IN_PROGRESS") %}'
_USABLE = '$stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"]'
_NO_CHANGE = '{% $contains($refusal, "No updates are to be performed") %}'
BUSY = "/state and can ?not be updated|Rate exceeded|Throttl/"
"""Pattern of the refusals after which it is worth looking again, at the stack's status to begin with."""

_MEND = (
    " Nobody but a person can mend it: CloudFormation console, Stack actions, Continue update rollback; then start the "
    "release again."
)


def compare(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states that find out which package serves, and wait while the stack is being changed."""
    seen = {"stack": STACK_STATUS, "champion": STACK_CHAMPION}
    return {
        names.CHAMPION: {
            **parts.describe_stack(),
            "Assign": seen,
            "Output": seen,
            "Catch": catch(
                names.RECORD_FAILURE,
                {"reason": f'{{% "The serving stack {parts.serving_stack} can not be read: " & {_cause()} %}}'},
            ),
            "Next": names.COMPARE,
        },
        names.COMPARE: {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": f'{{% $contains($stack, "_IN_PROGRESS") and {longer_than(UPDATE_SECONDS)} %}}',
                    "Assign": {"reason": '{% "The serving stack was still " & $stack & ". Next: see in CloudFormation '
                               'what goes on there, then approve this version again." %}'},
                    "Next": names.RECORD_FAILURE,
                },
                {"Condition": _IN_PROGRESS, "Next": names.WAIT_STACK},
                {
                    "Condition": f"{{% $not({_USABLE}) %}}",
                    "Assign": {"reason": f'{{% "The serving stack is " & $stack & ".{_MEND}" %}}'},
                    "Next": names.RECORD_FAILURE,
                },
                {
                    "Condition": "{% $champion = $package %}",
                    "Output": outcome("already serving"),
                    "Next": names.NOTHING,
                },
            ],
            "Default": names.UPDATE,
        },
        names.WAIT_STACK: parts.wait(names.CHAMPION),
    }  # fmt: skip


def update(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states that change the champion and follow CloudFormation until the endpoint is up or rolled back."""
    seen = {"stack": STACK_STATUS, "serving": STACK_CHAMPION}
    return {
        names.UPDATE: {
            **parts.update_stack("{% $package %}"),
            "Catch": catch(names.REFUSED_UPDATE, {"refusal": CAUSE}),
            "Next": names.WAIT_UPDATE,
        },
        names.REFUSED_UPDATE: {
            "Type": "Choice",
            "Choices": [
                {"Condition": _NO_CHANGE, "Next": names.LOOK},
                {"Condition": f"{{% $contains($refusal, {BUSY}) %}}", "Next": names.WAIT_STACK},
            ],
            "Assign": {"reason": '{% "CloudFormation refused the update: " & $refusal %}'},
            "Default": names.RECORD_FAILURE,
        },
        names.WAIT_UPDATE: parts.wait(names.LOOK),
        names.LOOK: {
            **parts.describe_stack(),
            "Assign": seen,
            "Output": seen,
            "Catch": catch(
                names.RECORD_FAILURE,
                {"reason": f'{{% "The update could not be followed: " & {_cause()} & " Next: see in CloudFormation '
                 'what became of it." %}'},
            ),
            "Next": names.UPDATED,
        },
        names.UPDATED: {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": f'{{% $contains($stack, "_IN_PROGRESS") and {longer_than(UPDATE_SECONDS)} %}}',
                    "Assign": {"reason": f'{{% "After {UPDATE_SECONDS // 60} minutes the serving stack was still " & '
                               '$stack & ". Next: see in CloudFormation what it waits for." %}'},
                    "Next": names.RECORD_FAILURE,
                },
                {"Condition": _IN_PROGRESS, "Next": names.WAIT_UPDATE},
                {
                    "Condition": '{% $stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE"] and $serving = $package %}',
                    "Next": names.ASK,
                },
                {
                    "Condition": '{% $stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE"] %}',
                    "Assign": {"reason": "Somebody else changed the serving stack in the meantime. Next: approve this "
                               "version again if it is still wanted."},
                    "Next": names.RECORD_FAILURE,
                },
            ],
            "Default": names.FIND_REASON,
        },
        names.FIND_REASON: {
            **parts.sdk_task("cloudformation", "describeStackEvents", {"StackName": parts.serving_stack}),
            "Assign": {"reason": _reason()},
            "Output": {},
            "Catch": catch(
                names.RECORD_FAILURE,
                {"reason": f'{{% "The serving stack is " & $stack & "; why could not be read: " & {_cause()} %}}'},
            ),
            "Next": names.RECORD_FAILURE,
        },
        names.ASK: ask(parts, "{% $package %}", on_error=names.PUT_BACK, reason=CAUSE, then=names.RECORD),
    }  # fmt: skip


def ask(parts: ReleaseParts, package: str, *, on_error: str, reason: str, then: str) -> dict[str, Any]:
    """Let the smoke test ask the endpoint real questions.

    Args:
        parts: the surroundings.
        package: expression of the ARN of the package that should answer.
        on_error: next state if the answers are wrong.
        reason: what the variable `reason` becomes then.
        then: next state otherwise.
    """
    return {
        "Type": "Task",
        "Resource": f"arn:{parts.partition}:states:::lambda:invoke",
        "Arguments": {"FunctionName": parts.smoke_test_function_arn, "Payload": {"model_package_arn": package}},
        "Output": "{% $states.result.Payload %}",
        "Retry": retry_lambda(),
        "Catch": catch(on_error, {"reason": reason}),
        "Next": then,
    }


def _cause() -> str:
    return CAUSE[2:-2].strip()


def _reason() -> str:
    """The first failure since the update began; what was merely cancelled after it is no reason."""
    return f"""{{% (
  $events := $states.result.StackEvents;
  $begins := $events[ResourceType = "AWS::CloudFormation::Stack" and ResourceStatus = "UPDATE_IN_PROGRESS"];
  $began := $exists($begins) ? $max($begins.$toMillis(Timestamp)) : 0;
  $failures := $events[$contains(ResourceStatus, "_FAILED") and $exists(ResourceStatusReason)
    and $toMillis(Timestamp) >= $began][$not($contains(ResourceStatusReason, /cancel/i))]^($toMillis(Timestamp));
  $why := $exists($failures)
    ? $failures[0].LogicalResourceId & ": " & $failures[0].ResourceStatusReason
    : "CloudFormation gave no reason";
  $stack = "UPDATE_ROLLBACK_COMPLETE" ? $why : "The serving stack is " & $stack & ".{_MEND} " & $why
) %}}"""
