"""The end of a release: its outcome is recorded on the package and sent to the topic."""

from stacks.common.states_language import NULL, State, States, as_jsonata, catch, publish_task
from stacks.release import state_names as names
from stacks.release.parts import DEALT_WITH, REPLACED, USABLE, VERSION, ReleaseParts

_DESCRIPTION_LENGTH, _METADATA_LENGTH = 1024, 256  # limits of the registry

# What the last look showed; nothing where the stack was not at rest.
_SEEN = f"""({USABLE}
  ? "The serving stack names " & ($serving = "" ? "no version" : "version " & $split($serving, "/")[-1]) & ".\\n"
  : "")"""


def report(parts: ReleaseParts) -> States:
    """Return the states after the champion has changed. No error in them undoes the release."""
    return {
        names.RECORD: {
            **parts.note(
                {
                    "release": "released",
                    "released_at": "{% $now() %}",
                    "release_approved_at": DEALT_WITH,
                    "replaced": f"{{% {REPLACED} %}}",
                    "release_reason": "none",
                    "archive": "{% $archive %}",
                }
            ),
            "Output": {},
            "Catch": catch(names.TELL),
            "Next": names.TELL,
        },
        names.TELL: _publish(
            parts,
            subject=f'{{% "{parts.name}: version " & {VERSION} & " released" %}}',
            message=f'{{% "Version " & {VERSION} & " serves now. Version before it: " & {REPLACED} & ".\\n'
            'Archive: " & $archive & ".\\n'
            'Model package: " & $package & "\\nTo go back, start this workflow with the former package." %}',
            then=names.RELEASED,
        ),
        names.RELEASED: {
            "Type": "Succeed",
            "Output": {
                "outcome": "released",
                "version": f"{{% {VERSION} %}}",
                "replaced": f'{{% $champion = "" or $champion = null ? {as_jsonata(NULL)} : {REPLACED} %}}',
            },
        },
    }


def report_failure(parts: ReleaseParts) -> States:
    """Return the states after a failure.

    A package that was tried is rejected with the reason; approving it again retries. A package that was not tried keeps
    its approval; starting its release again tries it.
    """
    described = f'$substring($replace("Release failed: " & $reason, /\\s+/, " "), 0, {_DESCRIPTION_LENGTH})'
    noted = f'$substring($replace($reason, /[^A-Za-z0-9 _.:\\/=+@-]/, "_"), 0, {_METADATA_LENGTH})'
    failed = {"release": "failed", "release_approved_at": DEALT_WITH, "release_reason": f"{{% {noted} %}}"}
    told = {"Output": {}, "Catch": catch(names.TELL_FAILURE), "Next": names.TELL_FAILURE}
    return {
        names.RECORD_FAILURE: {
            **parts.note(failed, ModelApprovalStatus="Rejected", ApprovalDescription=f"{{% {described} %}}"),
            **told,
        },
        names.NOTE_FAILURE: {**parts.note(failed), **told},
        names.TELL_FAILURE: _publish(
            parts,
            subject=f'{{% "{parts.name}: version " & {VERSION} & " NOT released" %}}',
            message=f'{{% "Version " & {VERSION} & " was not released: " & $reason & "\\n" & '
            f'{_SEEN} & "Model package: " & $package %}}',
            then=names.FAILED,
        ),
        names.FAILED: {"Type": "Fail", "Error": "ReleaseFailed", "Cause": "{% $reason %}"},
    }


def _publish(parts: ReleaseParts, *, subject: str, message: str, then: str) -> State:
    """Send a message to the topic; a lost message changes nothing about the release."""
    return {
        **publish_task(parts.partition, parts.topic_arn, subject=subject, message=message),
        "Output": {},
        "Catch": catch(then),
        "Next": then,
    }
