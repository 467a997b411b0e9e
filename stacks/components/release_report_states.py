"""The end of a release: what became of it stands on the package and goes to the topic."""

from __future__ import annotations

from typing import Any

from stacks.components import release_names as names
from stacks.components.release_parts import REPLACED, VERSION, ReleaseParts, catch
from stacks.components.states_language import NULL, retry

_DESCRIPTION_LENGTH, _METADATA_LENGTH = 1024, 256  # limits of the registry

# One approval is released once. A person's request has no time of approval: what was decided until then is dealt with.
_DEALT_WITH = "{% $approved_at = null ? $states.context.Execution.StartTime : $approved_at %}"
_SERVES = f"""({REPLACED} = "none" ? "No model had been released before." : "Version " & {REPLACED} & " serves.")"""


def report(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states after the champion has changed. Nothing in here undoes a release: it is done."""
    return {
        names.RECORD: {
            **parts.sdk_task(
                "sagemaker",
                "updateModelPackage",
                {
                    "ModelPackageArn": "{% $package %}",
                    "CustomerMetadataProperties": {
                        "release": "released",
                        "released_at": "{% $now() %}",
                        "release_approved_at": _DEALT_WITH,
                        "replaced": f"{{% {REPLACED} %}}",
                        "release_reason": "none",
                    },
                },
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
                "replaced": f'{{% $champion = "" ? {NULL[2:-2].strip()} : {REPLACED} %}}',
            },
        },
    }


def report_failure(parts: ReleaseParts) -> dict[str, dict[str, Any]]:
    """The states after a failure. The package is rejected with the reason: approving it anew tries again."""
    described = f'$substring($replace("Release failed: " & $reason, /\\s+/, " "), 0, {_DESCRIPTION_LENGTH})'
    noted = f'$substring($replace($reason, /[^A-Za-z0-9 _.:\\/=+@-]/, "_"), 0, {_METADATA_LENGTH})'
    return {
        names.RECORD_FAILURE: {
            **parts.sdk_task(
                "sagemaker",
                "updateModelPackage",
                {
                    "ModelPackageArn": "{% $package %}",
                    "ModelApprovalStatus": "Rejected",
                    "ApprovalDescription": f"{{% {described} %}}",
                    "CustomerMetadataProperties": {
                        "release": "failed",
                        "release_approved_at": _DEALT_WITH,
                        "release_reason": f"{{% {noted} %}}",
                    },
                },
            ),
            "Output": {},
            "Catch": catch(names.TELL_FAILURE),
            "Next": names.TELL_FAILURE,
        },
        names.TELL_FAILURE: _publish(
            parts,
            subject=f'{{% "{parts.name}: version " & {VERSION} & " NOT released" %}}',
            message=f'{{% "Version " & {VERSION} & " was not released: " & $reason & "\\n" & '
            f'($champion = "" or $champion = $package ? "" : {_SERVES} & "\\n") & "Model package: " & $package %}}',
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
