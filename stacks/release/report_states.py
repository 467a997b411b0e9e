"""The end of a release: what became of it stands on the package and goes to the topic."""

from __future__ import annotations

from typing import Any

from stacks.common.states_language import NULL, as_jsonata, retry
from stacks.release import state_names as names
from stacks.release.parts import DEALT_WITH, REPLACED, USABLE, VERSION, ReleaseParts, catch

_DESCRIPTION_LENGTH, _METADATA_LENGTH = 1024, 256  # limits of the registry

# What the last look showed, and nothing where it showed a stack that is not at rest.
_SEEN = f"""({USABLE}
  ? "The serving stack names " & ($serving = "" ? "no version" : "version " & $split($serving, "/")[-1]) & ".\\n"
  : "")"""


def report(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states after the champion has changed. Nothing in here undoes a release: it is done."""
    return {
        names.RECORD: {
            **parts.note(
                {
                    "release": "released",
                    "released_at": "{% $now() %}",
                    "release_approved_at": DEALT_WITH,
                    "replaced": f"{{% {REPLACED} %}}",
                    "release_reason": "none",
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


def report_failure(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states after a failure.

    A package that was tried is rejected with the reason: approving it anew tries again. One that was not keeps its
    approval: starting its release again tries it.
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


def _publish(parts: ReleaseParts, *, subject: str, message: str, then: str) -> dict[str, Any]:
    """Tell the topic's subscribers; a message lost changes nothing about the release."""
    return {
        "Type": "Task",
        "Resource": f"arn:{parts.partition}:states:::sns:publish",
        "Arguments": {"TopicArn": parts.topic_arn, "Subject": subject, "Message": message},
        "Output": {},
        "Retry": retry("SNS.ThrottledException", "SNS.InternalErrorException"),
        "Catch": catch(then),
        "Next": then,
    }
