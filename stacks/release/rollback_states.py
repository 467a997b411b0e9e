"""The rollback: an endpoint that came up and answers wrongly gets its champion back."""

from __future__ import annotations

from stacks.common.states_language import CAUSE, States, as_jsonata, catch
from stacks.release import state_names as names
from stacks.release.parts import LOOK_AGAIN, NO_CHANGE, REFUSAL, USABLE, ReleaseParts, longer_than
from stacks.serving.champion import PENDING

PUT_BACK_SECONDS = 60 * 60
"""Keep trying to restore the champion for this long after a release has failed."""

_NOT_BACK = " THE CHAMPION IS NOT BACK: "
_NEXT = " Next: release the former package again (make rollback), or see in CloudFormation what is wrong."
_IN_TIME = f"$not({longer_than(PUT_BACK_SECONDS)})"


def put_back(parts: ReleaseParts) -> States:
    """Return the states that set the former value, wait, and ask the champion; another's change is left alone."""
    return {
        names.LOOK_FIRST: parts.look_at_stack(names.MAY_PUT_BACK),
        names.MAY_PUT_BACK: {
            "Type": "Choice",
            "Choices": [
                {"Condition": f"{{% {PENDING} and {_IN_TIME} %}}", "Next": names.WAIT_RETRY},
                {
                    "Condition": f"{{% {USABLE} and $serving = $package and $champion = null %}}",
                    "Assign": {
                        "reason": '{% $reason & " It still serves, as it is not known what served before it. '
                        'Next: release a former package (make rollback)." %}'
                    },
                    "Next": names.RECORD_FAILURE,
                },
                {"Condition": f"{{% {USABLE} and $serving = $package %}}", "Next": names.PUT_BACK},
                {
                    "Condition": f"{{% {USABLE} and $serving != $champion %}}",
                    "Assign": {
                        "reason": '{% $reason & " Somebody else changed the serving stack meanwhile; it is left '
                        'as it is." %}'
                    },
                    "Next": names.NOTE_FAILURE,
                },
            ],
            "Default": names.IS_BACK,
        },
        names.PUT_BACK: {
            **parts.update_stack("{% $champion %}"),
            "Catch": catch(names.REFUSED_BACK, assign=REFUSAL),
            "Next": names.WAIT_BACK,
        },
        names.REFUSED_BACK: {
            "Type": "Choice",
            "Choices": [
                {"Condition": f"{{% {NO_CHANGE} %}}", "Next": names.LOOK_BACK},
                {"Condition": f"{{% {LOOK_AGAIN} and {_IN_TIME} %}}", "Next": names.WAIT_RETRY},
            ],
            "Assign": {"reason": f'{{% $reason & "{_NOT_BACK}" & $refusal & "{_NEXT}" %}}'},
            "Default": names.RECORD_FAILURE,
        },
        names.WAIT_RETRY: parts.wait(names.LOOK_FIRST),
        names.WAIT_BACK: parts.wait(names.LOOK_BACK),
        names.LOOK_BACK: parts.look_at_stack(names.IS_BACK),
        names.IS_BACK: {
            "Type": "Choice",
            "Choices": [
                {"Condition": f"{{% {PENDING} and {_IN_TIME} %}}", "Next": names.WAIT_BACK},
                {
                    "Condition": f'{{% {USABLE} and $serving = $champion and $champion = "" %}}',
                    "Next": names.RECORD_FAILURE,
                },
                {"Condition": f"{{% {USABLE} and $serving = $champion %}}", "Next": names.ASK_CHAMPION},
            ],
            "Assign": {"reason": f'{{% $reason & "{_NOT_BACK}the serving stack is " & $stack & ".{_NEXT}" %}}'},
            "Default": names.RECORD_FAILURE,
        },
        names.ASK_CHAMPION: parts.ask(
            "{% $champion %}",
            on_error=names.RECORD_FAILURE,
            assign={
                "reason": f'{{% $reason & " The champion is back, but it was asked too: " & {as_jsonata(CAUSE)} %}}'
            },
            then=names.RECORD_FAILURE,
        ),
    }
