"""UpdateStack on a stack that cannot be updated is refused in CloudFormation's words, which callers match."""

from __future__ import annotations

from ministack.services.cloudformation import handlers, helpers

_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
_GONE = "DELETE_COMPLETE"


def install() -> None:
    """Wrap UpdateStack."""
    update = handlers._ACTION_HANDLERS["UpdateStack"]

    def _update_stack(params: dict) -> tuple:
        stack = handlers._resolve_stack(helpers._p(params, "StackName")) or {"StackStatus": _GONE}
        if stack["StackStatus"] in (*_UPDATABLE, _GONE):
            return update(params)
        return helpers._error(
            "ValidationError", f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated."
        )

    handlers._ACTION_HANDLERS["UpdateStack"] = _update_stack
