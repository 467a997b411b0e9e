"""The way back: an endpoint that came up and answers wrongly gets its champion back."""

from __future__ import annotations

from typing import Any

from stacks.components import release_names as names
from stacks.components.release_endpoint_states import BUSY, ask
from stacks.components.release_parts import STACK_CHAMPION, STACK_STATUS, ReleaseParts, catch, longer_than
from stacks.components.states_language import CAUSE

PUT_BACK_SECONDS = 115 * 60
"""Until then the champion is tried to be put back."""

_CAUSE = CAUSE[2:-2].strip()
_NOT_BACK = " THE CHAMPION IS NOT BACK: "
_NEXT = " Next: release the former package again (make rollback), or see in CloudFormation what is wrong."


def put_back(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states that set the former value, wait, and ask the champion."""
    seen = {"stack": STACK_STATUS, "serving": STACK_CHAMPION}
    return {
        names.PUT_BACK: {
            **parts.update_stack("{% $champion %}"),
            "Catch": catch(names.REFUSED_BACK, {"refusal": CAUSE}),
            "Next": names.WAIT_BACK,
        },
        names.REFUSED_BACK: {
            "Type": "Choice",
            "Choices": [
                {"Condition": '{% $contains($refusal, "No updates are to be performed") %}', "Next": names.LOOK_BACK},
                {
                    "Condition": f"{{% $contains($refusal, {BUSY}) "
                    f"and $not({longer_than(PUT_BACK_SECONDS)}) %}}",
                    "Next": names.WAIT_RETRY,
                },
            ],
            "Assign": {"reason": f'{{% $reason & "{_NOT_BACK}" & $refusal & "{_NEXT}" %}}'},
            "Default": names.RECORD_FAILURE,
        },
        names.WAIT_RETRY: parts.wait(names.PUT_BACK),
        names.WAIT_BACK: parts.wait(names.LOOK_BACK),
        names.LOOK_BACK: {
            **parts.describe_stack(),
            "Assign": seen,
            "Output": seen,
            "Catch": catch(
                names.RECORD_FAILURE, {"reason": f'{{% $reason & "{_NOT_BACK}" & {_CAUSE} & "{_NEXT}" %}}'}
            ),
            "Next": names.IS_BACK,
        },
        names.IS_BACK: {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": f'{{% $contains($stack, "_IN_PROGRESS") and $not({longer_than(PUT_BACK_SECONDS)}) %}}',
                    "Next": names.WAIT_BACK,
                },
                {
                    "Condition": '{% $stack = "UPDATE_COMPLETE" and $serving = $champion and $champion = "" %}',
                    "Next": names.RECORD_FAILURE,
                },
                {
                    "Condition": '{% $stack = "UPDATE_COMPLETE" and $serving = $champion %}',
                    "Next": names.ASK_CHAMPION,
                },
            ],
            "Assign": {"reason": f'{{% $reason & "{_NOT_BACK}the serving stack is " & $stack & ".{_NEXT}" %}}'},
            "Default": names.RECORD_FAILURE,
        },
        names.ASK_CHAMPION: ask(
            parts,
            "{% $champion %}",
            on_error=names.RECORD_FAILURE,
            reason=f'{{% $reason & " The champion is back, but it was asked too: " & {_CAUSE} %}}',
            then=names.RECORD_FAILURE,
        ),
    }
