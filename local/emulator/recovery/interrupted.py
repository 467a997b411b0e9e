"""Stack operations and executions that a stop of the server interrupts.

Nothing resumes them, and a stack that stays "in progress" can neither be deployed nor deleted. A clean stop waits a
few seconds for them. When the state is loaded, every unfinished stack gets a status from which the CDK can continue,
and unfinished executions fail. `recovery` finishes the updates that have a journal, and deletes what an interrupted
creation left behind: both need services that answer.
"""

import asyncio
import json
import logging

from ministack.core.responses import request_scope
from ministack.services import cloudformation, stepfunctions
from ministack.services.cloudformation import stacks

from local.emulator.access.identity import scope_of
from local.emulator.common.patching import Original, Record
from local.emulator.recovery.stack_operations import JOURNAL, STACK_TYPE, Operation

logger = logging.getLogger("local.interrupted")

REASON = "The local cloud was stopped during the operation."  # the reason in the stack's record and in its events
unfinished: list[Operation] = []  # the operations that `recovery` has to finish
_REVIEW = "REVIEW_IN_PROGRESS"  # not an operation: a change set waits to be executed
_LOST = "States.ServiceRestart"  # ministack's error for an execution that was running when the server stopped
_CAUSE = "The local cloud was stopped while the execution was running. Start the execution again."


def load_persisted_state(original: Original) -> None:
    """Load the saved state, then end or take up everything in it that was interrupted."""
    original()
    unfinished[:] = _take_up()
    left_open = {operation.stack_id for operation in unfinished}
    for stack in cloudformation._stacks.all_values():
        if _in_progress(stack) and stack["StackId"] not in left_open:
            close(stack, final_status(stack["StackStatus"]))
    for execution in stepfunctions._executions.all_values():
        if execution.get("error") == _LOST:
            failure = {"error": "LocalCloud.Stopped", "cause": _CAUSE}
            execution.update(failure)
            stepfunctions._add_event(execution, "ExecutionFailed", {"executionFailedEventDetails": failure})
            logger.warning("Execution %s was running and is now FAILED.", execution["executionArn"])


async def wait_for_operations() -> None:
    """Wait until no stack operation runs, for 8 seconds at most."""
    for _ in range(40):
        if not any(map(_in_progress, cloudformation._stacks.all_values())):
            return
        await asyncio.sleep(0.2)


def close(stack: Record, status: str) -> None:
    """End a stack's interrupted operation with `status`, and an event with the reason."""
    before, stack["StackStatus"], stack["StackStatusReason"] = stack["StackStatus"], status, REASON
    _restore_template(stack)
    logger.warning("Stack %s was %s and is now %s.", stack["StackName"], before, status)
    name, stack_id = stack["StackName"], stack["StackId"]
    with request_scope(*scope_of(stack_id)):
        stacks._add_event(stack_id, name, name, STACK_TYPE, status, REASON, stack_id)


def final_status(status: str) -> str:
    """Return the status in which an interrupted operation ends: the CDK then deletes, repeats or retries."""
    if status.startswith("DELETE"):
        return "DELETE_FAILED"
    if status.startswith("UPDATE"):
        return "UPDATE_ROLLBACK_COMPLETE"
    return "ROLLBACK_FAILED"  # CREATE, ROLLBACK, IMPORT: the CDK deletes such a stack and creates it again


def parameter_list(parameters: Record) -> list[Record]:
    """Return resolved parameters as a stack's record lists them."""
    return [
        {"ParameterKey": name, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
        for name, value in parameters.items()
    ]


def _take_up() -> list[Operation]:
    """Return the operations to finish; their stacks show the resources that the journal knows of."""
    pending = []
    for operation in JOURNAL.unfinished():
        stack = cloudformation._stacks.get_scoped(*scope_of(operation.stack_id), operation.stack_name)
        if stack is None or stack["StackId"] != operation.stack_id or not (operation.frozen or _in_progress(stack)):
            JOURNAL.end(operation.stack_name)  # not begun yet, or over already
            continue
        if operation.previous is None and not operation.made:
            JOURNAL.end(operation.stack_name)  # what it created is in the record and is deleted with the stack
            stack["_resources"] = {**stack["_resources"], **operation.records}
            continue
        stack["_resources"] = {**(operation.previous or {}).get("_resources", {}), **operation.records}
        if operation.previous is None:
            stack["StackStatus"] = "ROLLBACK_IN_PROGRESS"
        else:
            stack["StackStatus"] = "UPDATE_IN_PROGRESS" if operation.cleaning else "UPDATE_ROLLBACK_IN_PROGRESS"
            _restore_template(stack)
        pending.append(operation)
    return pending


def _restore_template(stack: Record) -> None:
    """Show the template and parameters of the last completed operation, so that the CDK sees what is still to do."""
    if stack.get("_template"):
        stack["_template_body"] = json.dumps(stack["_template"])
        stack["Parameters"] = parameter_list(stack.get("_resolved_params", {}))


def _in_progress(stack: Record) -> bool:
    status = str(stack.get("StackStatus", ""))
    return status.endswith("_IN_PROGRESS") and status != _REVIEW
