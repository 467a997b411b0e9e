"""Stack operations that a stop of the server cuts off.

Nothing resumes them, and a stack that stays "in progress" can neither be deployed nor deleted. A clean stop waits a
little for them; what is still unfinished when the state is loaded gets a status from which the CDK goes on.
"""

from __future__ import annotations

import asyncio
import json
import logging

from ministack import app
from ministack.core.responses import now_iso
from ministack.services import cloudformation

logger = logging.getLogger("local.interrupted")

_PATIENCE_SECONDS = 8.0
_REVIEW = "REVIEW_IN_PROGRESS"  # not an operation: a change set waits to be executed
_REASON = "The local cloud was stopped during the operation."


def install() -> None:
    """Close interrupted operations whenever saved state is loaded."""
    load = app._load_persisted_state

    def _load_persisted_state() -> None:
        load()
        close_operations()

    app._load_persisted_state = _load_persisted_state


async def finish_operations() -> None:
    """Wait until no stack operation runs, or patience ends."""
    waited = 0.0
    while waited < _PATIENCE_SECONDS and any(map(_in_progress, cloudformation._stacks.all_values())):
        await asyncio.sleep(0.2)
        waited += 0.2


def close_operations() -> None:
    """Give every stack whose operation was cut off its final status, with an event that says why."""
    for stack in cloudformation._stacks.all_values():
        if not _in_progress(stack):
            continue
        before, stack["StackStatus"] = stack["StackStatus"], final_status(stack["StackStatus"])
        stack["StackStatusReason"] = _REASON
        _restore_template(stack)
        logger.warning("Stack %s was %s and is now %s.", stack["StackName"], before, stack["StackStatus"])
        for events in cloudformation._stack_events.all_values():
            if events and events[0].get("StackId") == stack["StackId"]:
                ended = {"ResourceStatus": stack["StackStatus"], "ResourceStatusReason": _REASON}
                events.append({**events[-1], **ended, "Timestamp": now_iso(), **_as_stack(stack)})


def final_status(status: str) -> str:
    """Where an interrupted operation ends: creations are to be deleted, updates repeated, deletions retried."""
    if status.startswith("DELETE"):
        return "DELETE_FAILED"
    if status.startswith("UPDATE"):
        return "UPDATE_ROLLBACK_COMPLETE"
    return "ROLLBACK_FAILED"  # CREATE, ROLLBACK, IMPORT: the CDK deletes such a stack and makes it anew


def _restore_template(stack: dict) -> None:
    """Show the template and parameters of the last completed operation, so that the CDK sees what is still to do."""
    if stack.get("_template"):
        stack["_template_body"] = json.dumps(stack["_template"])
        stack["Parameters"] = [
            {"ParameterKey": name, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
            for name, value in stack.get("_resolved_params", {}).items()
        ]


def _in_progress(stack: dict) -> bool:
    status = stack.get("StackStatus", "")
    return status.endswith("_IN_PROGRESS") and status != _REVIEW


def _as_stack(stack: dict) -> dict[str, str]:
    return {
        "EventId": f"interrupted-{stack['StackName']}-{now_iso()}",
        "LogicalResourceId": stack["StackName"],
        "PhysicalResourceId": stack["StackId"],
        "ResourceType": "AWS::CloudFormation::Stack",
    }
