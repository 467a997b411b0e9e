"""Keeps the journal of every stack operation while ministack carries it out, and saves the stacks at both ends."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from ministack.core.persistence import STATE_DIR
from ministack.services import cloudformation

from local.emulator.access import stack_roles
from local.emulator.common.patching import Original
from local.emulator.recovery.operation_journal import Operation, OperationJournal
from local.emulator.state import persistence

JOURNAL = OperationJournal(Path(STATE_DIR) / "stack-operations")  # the journal of this cloud's stack operations
STACK_TYPE = "AWS::CloudFormation::Stack"
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def deploy_stack(original: Original, *operation: Any, **options: Any) -> Coroutine[Any, Any, None]:
    """Open the journal before the operation's task starts, and close it when the result is saved."""
    stack_name, stack_id, template, parameters, *_ = operation
    previous = options.get("previous_stack")
    JOURNAL.begin(Operation(stack_name, stack_id, stack_roles.ACTOR.get(), template, parameters, previous))
    persistence.save_state(["cloudformation"])

    async def run() -> None:
        await original(*operation, **options)
        # Not in a finally clause: the journal of an interrupted operation has to stay.
        persistence.save_state(["cloudformation"])
        JOURNAL.end(stack_name)
        persistence.note_change(persistence.EVERYTHING)

    return run()


def add_event(original: Original, *event: Any, **more: Any) -> None:
    """Note what an event says: a resource is done, or a rollback has begun."""
    original(*event, **more)
    persistence.note_change("cloudformation")
    _, stack_name, logical_id, resource_type, status, *_ = event
    if resource_type == STACK_TYPE and logical_id == stack_name:
        if "ROLLBACK" in status:
            JOURNAL.going_back(stack_name)
    elif status in _DONE:
        stack = cloudformation._stacks.get(stack_name) or {}
        if record := stack.get("_resources", {}).get(logical_id):
            JOURNAL.note(stack_name, {"done": [logical_id, record]})
