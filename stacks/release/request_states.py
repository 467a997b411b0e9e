"""The beginning of a release: is the request valid, is it its turn, and is there anything to do?"""

from typing import Any

from stacks.common.states_language import CAUSE, NULL, States, catch, choose, when
from stacks.release import state_names as names
from stacks.release.parts import NOW, VERSION, ReleaseParts, longer_than

TURN_SECONDS = 45 * 60
"""A request that hasn't had its turn by then gives up, so that somebody looks at the ones before it."""

_START = "$toMillis($states.context.Execution.StartTime)"
_AHEAD_SECONDS = 5 * 60  # by which the clocks of an event and of the workflow may differ


def check_request(parts: ReleaseParts) -> States:
    """Return the states that pass valid requests on and refuse others with what is allowed."""
    example = f'{{"model_package_arn": "{parts.package_arn_prefix}7"}}'
    return {
        names.CHECK: choose(
            when(
                _valid(parts.package_arn_prefix),
                # The list of executions lags behind; two that start at once have to see each other.
                names.WAIT_TURN,
                package="{% $states.input.model_package_arn %}",
                # Only the rule sends it; a person's request has none.
                approved_at="{% $exists($states.input.approved_at) ? $states.input.approved_at : null %}",
                champion=NULL,
                stack="",
                serving="",
                reason="",
            ),
            otherwise=names.REFUSED,
        ),
        names.REFUSED: {
            "Type": "Fail",
            "Error": "InvalidRequest",
            "Cause": "The input is not a request for a version of this model package group. Allowed: "
            f"{example}, the number being the version; from the rule also approved_at, a time that has passed. Next: "
            "start again with the ARN of a package of the group (SageMaker console, Model Registry; or make releases).",
        },
    }


def wait_for_turn(parts: ReleaseParts) -> States:
    """Return the states that let one release run at a time, in the order of their start."""
    # Of two that started in the same millisecond the ARN decides, the same way in both.
    first = "($states.result.Executions^($toMillis(StartDate), ExecutionArn))[0].ExecutionArn"
    return {
        names.TURN: {
            **parts.sdk_task(
                "sfn",
                "listExecutions",
                {
                    "StateMachineArn": "{% $states.context.StateMachine.Id %}",
                    "StatusFilter": "RUNNING",
                    "MaxResults": 1000,
                },
            ),
            # Not yet listed: not yet the turn.
            "Assign": {"my_turn": f"{{% {first} = $states.context.Execution.Id %}}"},
            "Output": {"my_turn": f"{{% {first} = $states.context.Execution.Id %}}"},
            "Catch": catch(names.TELL_FAILURE, assign={"reason": CAUSE}),
            "Next": names.MY_TURN,
        },
        names.MY_TURN: choose(
            when("$my_turn", names.PACKAGE, since=NOW),
            when(
                longer_than(TURN_SECONDS, _START),
                # The package keeps its approval: nothing is wrong with it, and it may be the one under release.
                names.TELL_FAILURE,
                reason=f"Its turn had not come after {TURN_SECONDS // 60} minutes; others were under way. "
                "Next: look at them, then start this release again.",
            ),
            otherwise=names.WAIT_TURN,
        ),
        names.WAIT_TURN: parts.wait(names.TURN),
    }


def describe_package(parts: ReleaseParts) -> States:
    """Return the states that check the package: only an approved one is released, and only once per approval."""
    metadata = "$states.result.CustomerMetadataProperties"
    dealt_with, replaces = f"{metadata}.release_approved_at", f"{metadata}.replaces"
    return {
        names.PACKAGE: {
            **parts.sdk_task("sagemaker", "describeModelPackage", {"ModelPackageName": "{% $package %}"}),
            "Assign": {
                "approval": "{% $states.result.ModelApprovalStatus %}",
                "dealt_with": f"{{% $exists({dealt_with}) ? {dealt_with} : null %}}",
                "released": f'{{% $exists({metadata}.release) ? {metadata}.release = "released" : false %}}',
                "replaces": f'{{% $exists({replaces}) ? ({replaces} = "none" ? "" : {replaces}) : null %}}',
            },
            "Output": {"approval": "{% $states.result.ModelApprovalStatus %}"},
            "Catch": catch(names.TELL_FAILURE, assign={"reason": CAUSE}),
            "Next": names.DECIDE,
        },
        names.DECIDE: choose(
            when('$approval != "Approved" and $approved_at = null', names.NOT_APPROVED),
            # The approval was withdrawn before its turn came.
            when('$approval != "Approved"', names.NOTHING, output=outcome("nothing to release")),
            when(
                "$approved_at = null or $dealt_with = null ? false : $toMillis($approved_at) <= $toMillis($dealt_with)",
                names.NOTHING,
                output=outcome("duplicate"),
            ),
            otherwise=names.ARCHIVE,
        ),
        # Before anything changes. An archive that can't be read is not the package's fault; another archive is.
        names.ARCHIVE: {
            **parts.ask_function({"model_package_arn": "{% $package %}", "archive": True}),
            "Assign": {"archive": "{% $states.result.Payload.archive %}"},
            "Catch": [
                {"ErrorEquals": ["ArchiveChangedError"], "Assign": {"reason": CAUSE}, "Next": names.RECORD_FAILURE},
                *catch(names.NOTE_FAILURE, assign={"reason": CAUSE}),
            ],
            "Next": names.CHAMPION,
        },
        names.NOT_APPROVED: {
            "Type": "Fail",
            "Error": "NotApproved",
            "Cause": f'{{% "Version " & {VERSION} & " is " & $approval & ". Only an approved version is released. '
            'Next: approve it first (SageMaker console, Model Registry), which releases it by itself." %}',
        },
        names.NOTHING: {"Type": "Succeed"},
    }


def outcome(what: str) -> dict[str, Any]:
    """Return the output of an execution that changes nothing."""
    return {"outcome": what, "version": f"{{% {VERSION} %}}", "replaced": NULL}


def _valid(prefix: str) -> str:
    """Return the condition that the input names a version of the group and holds nothing unknown."""
    known = '["model_package_arn", "approved_at", "Comment"]'
    time = r"/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?Z$/"
    return f"""(
  $prefix := "{prefix}";
  $arn := $states.input.model_package_arn;
  $time := $states.input.approved_at;
  $named := $type($arn) = "string"
    ? $substring($arn, 0, $length($prefix)) = $prefix and $contains($substring($arn, $length($prefix)), /^[1-9][0-9]*$/)
    : false;
  $timed := $exists($time) ? ($type($time) = "string" ? $contains($time, {time}) : false) : true;
  $passed := $timed and $exists($time) ? $toMillis($time) <= $millis() + {_AHEAD_SECONDS * 1000} : $timed;
  $named and $passed and $count($keys($states.input)[$not($ in {known})]) = 0
)"""
