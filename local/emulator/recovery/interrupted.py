"""Stack operations that a stop of the server cuts off.

Nothing resumes them, and a stack that stays "in progress" can neither be deployed nor deleted. A clean stop waits a
little for them; what is still unfinished when the state is loaded gets a status from which the CDK goes on. An update
whose journal is there is brought to an end by `recovery`, which needs the services to answer; so is what a creation
left behind. Executions of state machines end as failed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection

from ministack import app
from ministack.core.responses import now_iso
from ministack.services import cloudformation, stepfunctions

from local.emulator.access.identity import account_of
from local.emulator.recovery.operation_journal import Operation, OperationJournal

logger = logging.getLogger("local.interrupted")

_PATIENCE_SECONDS = 8.0
_REVIEW = "REVIEW_IN_PROGRESS"  # not an operation: a change set waits to be executed
REASON = "The local cloud was stopped during the operation."
"""Why, in the stack's record and in its events."""

_LOST = "States.ServiceRestart"  # ministack's name for an execution it finds running when it starts
_EXECUTION_ERROR = "LocalCloud.Stopped"
_EXECUTION_CAUSE = "The local cloud was stopped while the execution was running. Start the execution again."


def install(journal: OperationJournal) -> list[Operation]:
    """Close what was interrupted whenever saved state is loaded; the list fills with what `recovery` has to finish."""
    load = app._load_persisted_state
    to_finish: list[Operation] = []

    def _load_persisted_state() -> None:
        load()
        to_finish[:] = take_up(journal)
        close_operations({operation.stack_id for operation in to_finish})
        close_executions()

    app._load_persisted_state = _load_persisted_state
    return to_finish


async def finish_operations() -> None:
    """Wait until no stack operation runs, or patience ends."""
    waited = 0.0
    while waited < _PATIENCE_SECONDS and any(map(_in_progress, cloudformation._stacks.all_values())):
        await asyncio.sleep(0.2)
        waited += 0.2


def take_up(journal: OperationJournal) -> list[Operation]:
    """The operations that have to be finished; their stacks show what the journal knows of the resources made."""
    pending = []
    for operation in journal.unfinished():
        account, region = account_of(operation.stack_id), operation.stack_id.split(":")[3]
        stack = cloudformation._stacks.get_scoped(account, region, operation.stack_name)
        if stack is None or stack["StackId"] != operation.stack_id or not (operation.frozen or _in_progress(stack)):
            journal.end(operation.stack_name)  # not begun yet, or over already
            continue
        if operation.previous is None and not operation.made:
            journal.end(operation.stack_name)  # what it made is in the record and goes with the stack
            stack["_resources"] = {**stack["_resources"], **operation.records}
            continue
        stack["_resources"] = {**((operation.previous or {}).get("_resources", {})), **operation.records}
        if operation.previous is None:
            stack["StackStatus"] = "ROLLBACK_IN_PROGRESS"
        else:
            stack["StackStatus"] = "UPDATE_IN_PROGRESS" if operation.cleaning else "UPDATE_ROLLBACK_IN_PROGRESS"
            _restore_template(stack)
        pending.append(operation)
    return pending


def close_operations(left_open: Collection[str] = ()) -> None:
    """Give every stack whose operation was cut off its final status, with an event that says why.

    `left_open`: ids of stacks whose operation is still going to be finished.
    """
    for stack in cloudformation._stacks.all_values():
        if _in_progress(stack) and stack["StackId"] not in left_open:
            close(stack, final_status(stack["StackStatus"]))


def close(stack: dict, status: str) -> None:
    """End a stack's interrupted operation with `status`, and an event that says why."""
    before, stack["StackStatus"], stack["StackStatusReason"] = stack["StackStatus"], status, REASON
    _restore_template(stack)
    logger.warning("Stack %s was %s and is now %s.", stack["StackName"], before, status)
    for events in cloudformation._stack_events.all_values():
        if events and events[0].get("StackId") == stack["StackId"]:
            ended = {"ResourceStatus": status, "ResourceStatusReason": REASON, "Timestamp": now_iso()}
            events.append({**events[-1], **ended, **_as_stack(stack)})


def close_executions() -> None:
    """Say in the record and in the history of every execution that was running why it failed."""
    for execution in stepfunctions._executions.all_values():
        if execution.get("error") != _LOST:
            continue
        execution.update(error=_EXECUTION_ERROR, cause=_EXECUTION_CAUSE)
        details = {"error": _EXECUTION_ERROR, "cause": _EXECUTION_CAUSE}
        stepfunctions._add_event(execution, "ExecutionFailed", {"executionFailedEventDetails": details})
        logger.warning("Execution %s was running and is now FAILED.", execution["executionArn"])


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
