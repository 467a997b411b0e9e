"""The release workflow in Amazon States Language (query language JSONata), built as plain data.

Input: `model_package_arn`; from the rule also `approved_at` (ISO time of the approval).
Output: `outcome` (`released`, `already serving`, `duplicate`, `nothing to release`), `version`, `replaced` (version of
the champion before, or null).

Variables: `package`, `approved_at` (null for a person's request), `approval`, `dealt_with`, `released` and `replaces`
(of the package), `archive` (what its check found), `stack` and `serving` (the last look at the stack), `endpoint` (its
status, `missing` or `unknown`), `champion` (what to restore: "" for none, null while unknown), `since` (when the
present step began, in ms), `refusal` and `error` (of an update), `reason` (of a failure). States read variables; a
state's output is for people who read the execution.
"""

from typing import Any

from stacks.release import state_names as names
from stacks.release.endpoint_states import clear, compare, explain, update
from stacks.release.parts import ReleaseParts
from stacks.release.report_states import report, report_failure
from stacks.release.request_states import check_request, describe_package, wait_for_turn
from stacks.release.rollback_states import put_back

# Backstop timeout: every wait ends by itself before it.
TIMEOUT_SECONDS = 4 * 3600


def release_definition(parts: ReleaseParts) -> dict[str, Any]:
    """Return the whole state machine."""
    return {
        "Comment": "Puts an approved model package into service, asks the endpoint, and undoes what does not answer.",
        "QueryLanguage": "JSONata",
        "StartAt": names.CHECK,
        "TimeoutSeconds": TIMEOUT_SECONDS,
        "States": {
            **check_request(parts),
            **wait_for_turn(parts),
            **describe_package(parts),
            **compare(parts),
            **clear(parts),
            **update(parts),
            **explain(parts),
            **report(parts),
            **put_back(parts),
            **report_failure(parts),
        },
    }
