"""The rollback: an endpoint that came up and answers wrongly gets its champion back."""

from stacks.common.states_language import CAUSE, States, as_jsonata, catch, choose, when
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
        names.MAY_PUT_BACK: choose(
            when(f"{PENDING} and {_IN_TIME}", names.WAIT_RETRY),
            when(
                f"{USABLE} and $serving = $package and $champion = null",
                names.RECORD_FAILURE,
                reason='{% $reason & " It still serves, as it is not known what served before it. Next: release a '
                'former package (make rollback)." %}',
            ),
            when(f"{USABLE} and $serving = $package", names.PUT_BACK),
            when(
                f"{USABLE} and $serving != $champion",
                names.NOTE_FAILURE,
                reason='{% $reason & " Somebody else changed the serving stack meanwhile; it is left as it is." %}',
            ),
            otherwise=names.IS_BACK,
        ),
        names.PUT_BACK: {
            **parts.update_stack("{% $champion %}"),
            "Catch": catch(names.REFUSED_BACK, assign=REFUSAL),
            "Next": names.WAIT_BACK,
        },
        names.REFUSED_BACK: choose(
            when(NO_CHANGE, names.LOOK_BACK),
            when(f"{LOOK_AGAIN} and {_IN_TIME}", names.WAIT_RETRY),
            otherwise=names.RECORD_FAILURE,
            reason=f'{{% $reason & "{_NOT_BACK}" & $refusal & "{_NEXT}" %}}',
        ),
        names.WAIT_RETRY: parts.wait(names.LOOK_FIRST),
        names.WAIT_BACK: parts.wait(names.LOOK_BACK),
        names.LOOK_BACK: parts.look_at_stack(names.IS_BACK),
        names.IS_BACK: choose(
            when(f"{PENDING} and {_IN_TIME}", names.WAIT_BACK),
            when(f'{USABLE} and $serving = $champion and $champion = ""', names.RECORD_FAILURE),
            when(f"{USABLE} and $serving = $champion", names.ASK_CHAMPION),
            otherwise=names.RECORD_FAILURE,
            reason=f'{{% $reason & "{_NOT_BACK}the serving stack is " & $stack & ".{_NEXT}" %}}',
        ),
        names.ASK_CHAMPION: parts.ask(
            "{% $champion %}",
            on_error=names.RECORD_FAILURE,
            assign={
                "reason": f'{{% $reason & " The champion is back, but it was asked too: " & {as_jsonata(CAUSE)} %}}'
            },
            then=names.RECORD_FAILURE,
        ),
    }
