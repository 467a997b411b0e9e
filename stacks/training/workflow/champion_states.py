"""Before an approval: does the model that the verdict compared with still serve?"""

from __future__ import annotations

import json
from typing import Any

from stacks.common.states_language import CAUSE, as_jsonata, retry
from stacks.release.parts import PENDING, STACK_CHAMPION, STACK_STATUS

LOOK = "Look at champion"
COMPARE = "Is it still the champion?"
WAIT = "Wait for the serving stack"

MAX_LOOKS = 60
"""A stack that is still being changed after so many looks is left to a person."""
MAX_PLANS = 5
"""So often is a model compared anew with a champion that has changed meanwhile."""

# As in the gate's own look (lambda/shared/champion.py): the resources of such a stack were never made, or go.
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

_GOING = f"({PENDING} and $not($stack in {json.dumps(_NOTHING_SERVES)}))"
_SAME = '$serving = ($plan.champion = null ? "" : $plan.champion.package_arn)'
_LEFT_TO_A_PERSON = """{% $merge([$verdict, {
  "status": "PendingManualApproval",
  "summary": $substring("PendingManualApproval: the model that serves could not be settled (serving stack: "
    & $substring($stack, 0, 200) & "; serves: " & ($serving = "" ? "none" : $serving)
    & "), so a person decides. Judged before: " & $verdict.summary, 0, 1000)
}]) %}"""


def champion_states(
    partition: str, *, serving_stack: str, poll_seconds: int, replan: str, then: str
) -> dict[str, dict[str, Any]]:
    """The states between verdict and registration. Only an approval needs them; any other verdict passes through.

    They count in the variables `looks` (set to 0 by a plan) and `plans`.

    Args:
        partition: AWS partition.
        serving_stack: name of the stack whose parameter says which package is the champion.
        poll_seconds: pause between two looks.
        replan: name of the state that plans the evidence, for a champion that has changed.
        then: name of the next state.
    """
    return {
        LOOK: {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::aws-sdk:cloudformation:describeStacks",
            "Arguments": {"StackName": serving_stack},
            "Assign": {"looks": "{% $looks + 1 %}", "stack": STACK_STATUS, "serving": _SERVING},
            "Output": {},
            "Retry": retry("CloudFormation.SdkClientException"),
            "Catch": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "Assign": {"looks": "{% $looks + 1 %}", "stack": _MISSED, "serving": ""},
                    "Output": {},
                    "Next": COMPARE,
                }
            ],
            "Next": COMPARE,
        },
        COMPARE: {
            "Type": "Choice",
            "Choices": [
                {"Condition": '{% $verdict.status != "Approved" %}', "Next": then},
                {"Condition": f"{{% {_GOING} and $looks < {MAX_LOOKS} %}}", "Next": WAIT},
                {"Condition": f"{{% $not({_GOING}) and {_SAME} %}}", "Next": then},
                {"Condition": f"{{% $not({_GOING}) and $plans < {MAX_PLANS} %}}", "Next": replan},
            ],
            "Assign": {"verdict": _LEFT_TO_A_PERSON},
            "Default": then,
        },
        WAIT: {"Type": "Wait", "Seconds": poll_seconds, "Next": LOOK},
    }
