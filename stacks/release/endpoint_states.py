"""The middle of a release: CloudFormation changes the endpoint's model, and the smoke test asks the endpoint."""

from typing import Any

from stacks.common.states_language import CAUSE, States, as_jsonata, catch, choose, when
from stacks.release import state_names as names
from stacks.release.parts import DEALT_WITH, LOOK_AGAIN, NO_CHANGE, NOW, REFUSAL, USABLE, ReleaseParts, longer_than
from stacks.release.request_states import outcome
from stacks.serving.champion import NO_ENDPOINT, PENDING

SETTLE_SECONDS = 30 * 60
"""How long to wait for a stack that somebody else is changing."""
CLEAR_SECONDS = 15 * 60
"""How long to wait until a missing endpoint is out of the stack."""
UPDATE_SECONDS = 60 * 60
"""How long to wait for an endpoint's update before the champion is restored."""

_MEND = (
    " Nobody but a person can mend it: CloudFormation console, Stack actions, Continue update rollback; then start the "
    "release again."
)
_START_AGAIN = " Next: see in CloudFormation what goes on there, then start this release again."

_NO_CONFIG = (
    '{% $reason & " Somebody deleted it, and without it the endpoint can only be made anew. Next: delete the endpoint, '
    'which answers until then, and start this release again." %}'
)

_GONE = '$endpoint in ["missing", "Failed"]'
"""Condition: there is no endpoint, or one that neither answers nor can be updated."""

# Why an endpoint does not come up, where the model is not the reason.
_PLATFORM = (
    "/ResourceLimitExceeded|LimitExceeded|[Tt]hrottl|Rate exceeded|InternalFailure|InternalError|ServiceUnavailable|"
    "Could not find endpoint|already existing|AccessDenied|not authorized|[Cc]apacity|No space left/"
)


def compare(parts: ReleaseParts) -> States:
    """Return the states that find out which package serves, and wait while the stack is changing.

    A failure in them is not the package's fault; it keeps its approval.
    """
    dealt_with = parts.note({"release_approved_at": DEALT_WITH})
    already = outcome("already serving")
    unseen = '{% $contains($states.errorOutput.Cause, "Could not find") ? "missing" : "unknown" %}'
    return {
        names.CHAMPION: parts.look_at_stack(names.ENDPOINT),
        names.ENDPOINT: {
            **parts.sdk_task("sagemaker", "describeEndpoint", {"EndpointName": parts.endpoint}),
            "Assign": {"endpoint": "{% $states.result.EndpointStatus %}"},
            "Output": {"endpoint": "{% $states.result.EndpointStatus %}"},
            "Catch": catch(names.COMPARE, assign={"endpoint": unseen}),
            "Next": names.COMPARE,
        },
        names.COMPARE: choose(
            # The answer to UpdateStack was lost: its update is under way.
            when(f"{PENDING} and $champion != null and $serving = $package", names.WAIT_UPDATE, since=NOW),
            when(
                f"{PENDING} and ({longer_than(SETTLE_SECONDS)} "
                'or $champion = null and $contains($stack, "unreadable"))',
                names.NOTE_FAILURE,
                reason=f'{{% "The serving stack {parts.serving_stack} is " & $stack & ".{_START_AGAIN}" %}}',
            ),
            when(PENDING, names.WAIT_STACK),
            when(
                f"$not({USABLE})", names.NOTE_FAILURE, reason=f'{{% "The serving stack is " & $stack & ".{_MEND}" %}}'
            ),
            *_gone(parts),
            when("$serving = $package and $champion = null and $released", names.NOTE_APPROVAL),
            # An interrupted release: nobody has asked this package yet.
            when("$serving = $package and $champion = null", names.ASK, champion="{% $replaces %}"),
            when("$serving = $package", names.ASK),
            otherwise=names.NOTE_RELEASE,
            champion="{% $serving %}",
        ),
        names.WAIT_STACK: parts.wait(names.CHAMPION),
        names.NOTE_APPROVAL: {
            **dealt_with,
            "Output": already,
            "Catch": catch(names.NOTHING, output=already),
            "Next": names.NOTHING,
        },
    }


def _gone(parts: ReleaseParts) -> list[dict[str, Any]]:
    """Return the rules for an endpoint that is missing or Failed though the stack names what it serves."""
    # Without a hub model, a stack that names no package has no endpoint yet.
    lost = _GONE if parts.hub_model else f'{_GONE} and $serving != ""'
    return [
        when(f"{lost} and $serving = $package", names.CLEAR, champion="{% $replaces %}"),
        when(lost, names.CLEAR, champion="{% $serving %}"),
    ]


def clear(parts: ReleaseParts) -> States:
    """Return the states that take a missing or Failed endpoint out of the stack, so that the update makes a new one.

    CloudFormation cannot update what is not there, and SageMaker updates no Failed endpoint. Nobody is served
    meanwhile, and nobody was before. A failure in these states is not the package's fault; it keeps its approval.
    """
    stays = f'"The endpoint {parts.endpoint} could not be made anew: the serving stack is " & $stack & ".{_MEND}"'
    return {
        names.CLEAR: {
            **parts.update_stack(NO_ENDPOINT),
            "Assign": {"since": NOW},
            "Catch": catch(names.REFUSED_CLEAR, assign=REFUSAL),
            "Next": names.WAIT_CLEARED,
        },
        # A release that ended after its clearing left nothing to clear.
        names.REFUSED_CLEAR: choose(when(NO_CHANGE, names.LOOK_CLEARED, since=NOW), otherwise=names.REFUSED_UPDATE),
        names.WAIT_CLEARED: parts.wait(names.LOOK_CLEARED),
        names.LOOK_CLEARED: parts.look_at_stack(names.CLEARED),
        names.CLEARED: choose(
            when(f"{PENDING} and $not({longer_than(CLEAR_SECONDS)})", names.WAIT_CLEARED),
            when(f'{USABLE} and $serving = "" and $champion = null', names.UPDATE, champion=""),
            when(f'{USABLE} and $serving = ""', names.NOTE_RELEASE),
            otherwise=names.NOTE_FAILURE,
            reason=f"{{% {stays} %}}",
        ),
    }


def update(parts: ReleaseParts) -> States:
    """Return the states that change the champion and follow CloudFormation until the endpoint is up or rolled back."""
    former = '{% $champion = "" ? "none" : $champion %}'
    return {
        names.NOTE_RELEASE: {
            # After a crash this shows that the package in service was not asked yet, and what was before it.
            **parts.note({"release": "under way", "replaces": former}),
            "Output": {},
            "Catch": catch(
                names.NOTE_FAILURE,
                assign={
                    "reason": f'{{% "The release could not be noted on the package: " & {as_jsonata(CAUSE)} & '
                    '" Next: start this release again." %}'
                },
            ),
            "Next": names.UPDATE,
        },
        names.UPDATE: {
            **parts.update_stack("{% $package %}"),
            "Assign": {"since": NOW},
            "Catch": catch(names.REFUSED_UPDATE, assign=REFUSAL),
            "Next": names.WAIT_UPDATE,
        },
        names.REFUSED_UPDATE: choose(
            when(NO_CHANGE, names.LOOK, since=NOW),
            when(f"{LOOK_AGAIN} and $not({longer_than(SETTLE_SECONDS)})", names.WAIT_STACK),
            otherwise=names.NOTE_FAILURE,
            reason=f'{{% "CloudFormation refused the update: " & $refusal & "{_START_AGAIN}" %}}',
        ),
        names.WAIT_UPDATE: parts.wait(names.LOOK),
        names.LOOK: parts.look_at_stack(names.UPDATED),
        names.UPDATED: choose(
            when(
                # It may still come up by itself; ending here would let it serve unasked.
                f"{PENDING} and {longer_than(UPDATE_SECONDS)}",
                names.LOOK_FIRST,
                reason=f'{{% "After {UPDATE_SECONDS // 60} minutes the serving stack was still " & $stack & "." %}}',
                since=NOW,
            ),
            when(PENDING, names.WAIT_UPDATE),
            when('$stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE"] and $serving = $package', names.ASK),
            when(
                '$stack in ["CREATE_COMPLETE", "UPDATE_COMPLETE"]',
                names.NOTE_FAILURE,
                reason="Somebody else changed the serving stack in the meantime. Next: start this release again if it "
                "is still wanted.",
            ),
            otherwise=names.FIND_REASON,
        ),
        names.ASK: parts.ask(
            "{% $package %}", on_error=names.LOOK_FIRST, assign={"reason": CAUSE, "since": NOW}, then=names.RECORD
        ),
    }


def explain(parts: ReleaseParts) -> States:
    """Return the states after CloudFormation's own rollback: why it was, and what follows from that."""
    unread = f'{{% "The serving stack is " & $stack & "; why could not be read: " & {as_jsonata(CAUSE)} %}}'
    served_before = "" if parts.hub_model else ' and $champion != ""'
    return {
        names.FIND_REASON: {
            **parts.sdk_task("cloudformation", "describeStackEvents", {"StackName": parts.serving_stack}),
            "Assign": {"reason": _reason()},
            "Output": {},
            "Catch": catch(names.WHOSE_FAULT, assign={"reason": unread}),
            "Next": names.WHOSE_FAULT,
        },
        names.WHOSE_FAULT: choose(
            when('$contains($reason, "Could not find endpoint conf")', names.NOTE_FAILURE, reason=_NO_CONFIG),
            when(f"$contains($reason, {_PLATFORM})", names.NOTE_FAILURE),
            # The endpoint had been cleared away: CloudFormation's own rollback leads back to none.
            when(f'{USABLE} and $serving = "" and {_GONE}{served_before}', names.PUT_BACK),
            otherwise=names.RECORD_FAILURE,
        ),
    }


def _reason() -> str:
    """Return the first failure since the update began; what was only cancelled after it is not the reason."""
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
