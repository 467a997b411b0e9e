"""Before an approval: does the model that the verdict compared with still serve?"""

import json

from stacks.common.states_language import CAUSE, States, as_jsonata, catch, choose, retry, task, when
from stacks.serving.champion import PENDING, STACK_CHAMPION, STACK_STATUS
from stacks.training.workflow import state_names as names
from stacks.training.workflow.parts import WorkflowParts

MAX_LOOKS = 60
"""A stack that is still changing after so many looks is left to a person."""
MAX_PLANS = 5
"""How often a model is compared anew because the champion has changed."""

# As in lambda/shared/champion.py: the resources of such a stack were never created, or are deleted.
_NOTHING_SERVES = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "REVIEW_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_IN_PROGRESS",
)
_NO_STACK = "no stack"

_SERVING = f'{{% {as_jsonata(STACK_STATUS)} in {json.dumps(_NOTHING_SERVES)} ? "" : {as_jsonata(STACK_CHAMPION)} %}}'
_MISSED = f"""{{% (
  $said := {as_jsonata(CAUSE)};
  $contains($said, "does not exist") ? "{_NO_STACK}" : "unreadable: " & $said
) %}}"""

_CHANGING = f"({PENDING} and $not($stack in {json.dumps(_NOTHING_SERVES)}))"
_SAME = '$serving = ($plan.champion = null ? "" : $plan.champion.package_arn)'
_LEFT_TO_A_PERSON = """{% $merge([$verdict, {
  "status": "PendingManualApproval",
  "summary": $substring("PendingManualApproval: the model that serves could not be settled (serving stack: "
    & $substring($stack, 0, 200) & "; serves: " & ($serving = "" ? "none" : $serving)
    & "), so a person decides. Judged before: " & $verdict.summary, 0, 1000)
}]) %}"""


def champion_states(parts: WorkflowParts) -> States:
    """Return the states between verdict and registration. Only an approval needs them; other verdicts pass through.

    They count in the variables `looks` (set to 0 by a plan) and `plans`.
    """
    looked = "{% $looks + 1 %}"
    return {
        names.LOOK: {
            **task(parts.partition, "aws-sdk:cloudformation:describeStacks", {"StackName": parts.serving_stack}),
            "Assign": {"looks": looked, "stack": STACK_STATUS, "serving": _SERVING},
            "Output": {},
            "Retry": retry("CloudFormation.SdkClientException"),
            "Catch": catch(names.COMPARE, output={}, assign={"looks": looked, "stack": _MISSED, "serving": ""}),
            "Next": names.COMPARE,
        },
        names.COMPARE: choose(
            when('$verdict.status != "Approved"', names.REGISTER),
            when(f"{_CHANGING} and $looks < {MAX_LOOKS}", names.WAIT),
            when(f"$not({_CHANGING}) and {_SAME}", names.REGISTER),
            when(f"$not({_CHANGING}) and $plans < {MAX_PLANS}", names.PLAN),
            otherwise=names.REGISTER,
            verdict=_LEFT_TO_A_PERSON,
        ),
        names.WAIT: {"Type": "Wait", "Seconds": parts.poll_seconds, "Next": names.LOOK},
    }
