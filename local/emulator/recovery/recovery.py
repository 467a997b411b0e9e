"""Finishes interrupted stack operations once the services answer again.

An update that had not begun to delete what it replaced is rolled back; one that had is completed, because a rollback
is no longer possible. In both cases the endpoint runs what the stack says, and every resource belongs to the stack.
"""

import copy
import json
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from local.emulator.access import front_door, stack_roles
from local.emulator.access.identity import scope_of
from local.emulator.common.errors import LocalCloudError
from local.emulator.common.patching import Record
from local.emulator.recovery import interrupted
from local.emulator.recovery.interrupted import REASON
from local.emulator.recovery.stack_operations import JOURNAL, STACK_TYPE, Operation
from local.emulator.sagemaker_bridge import endpoint_states
from local.emulator.state import persistence

logger = logging.getLogger("local.recovery")

_ENDPOINT = "AWS::SageMaker::Endpoint"


async def finish_operations() -> None:
    """Finish one after the other. Never raises; a failure is logged, and the stack's status shows it."""
    for operation in list(interrupted.unfinished):
        with request_scope(*scope_of(operation.stack_id)):
            stack_roles.ACTOR.set(operation.role)
            stack = cloudformation._stacks[operation.stack_name]
            try:
                await _finish(operation, stack)
            except Exception:  # whatever it is, the stack must not stay in progress
                logger.exception("The interrupted operation on stack %s was not undone.", operation.stack_name)
                interrupted.close(stack, "UPDATE_ROLLBACK_FAILED" if operation.previous else "ROLLBACK_FAILED")
            persistence.save_state()
            # No other operation can have begun: nothing was awaited since the stack's status became final.
            JOURNAL.end(operation.stack_name)


async def _finish(operation: Operation, stack: Record) -> None:
    await run_reentrant(_delete_leftovers, operation, stack)
    if operation.previous is None:
        interrupted.close(stack, interrupted.final_status(stack["StackStatus"]))
        return
    if operation.cleaning:
        await _complete(operation, operation.previous, stack)
    else:
        await _roll_back(operation, operation.previous, stack)
    logger.warning("Stack %s was being updated and is now %s.", operation.stack_name, stack["StackStatus"])


async def _roll_back(operation: Operation, previous: Record, stack: Record) -> None:
    nothing_failed: Record = {"failed_update": None, "failed_logical_id": None, "replaced_ids": [], "cancelled": False}
    undo = stacks._failed_operation(
        True,
        copy.deepcopy(previous),
        list(operation.records),
        template=operation.template,
        param_values=operation.parameters,
        retain_except_on_create=False,
        stack_tags=stack.get("Tags"),
        previous_tags=previous.get("Tags"),
        **nothing_failed,
    )
    try:
        await run_reentrant(_align_endpoints, previous.get("_resources", {}))
    except (LocalCloudError, ClientError, BotoCoreError) as error:
        logger.error("An endpoint of stack %s cannot be brought back: %s", operation.stack_name, error)
    await stacks._roll_back_operation(operation.stack_name, operation.stack_id, stack, undo, REASON)
    stack["StackStatusReason"] = stack.get("StackStatusReason") or REASON


async def _complete(operation: Operation, previous: Record, stack: Record) -> None:
    name, stack_id = operation.stack_name, operation.stack_id
    template, parameters = operation.template, operation.parameters
    conditions = stacks._evaluate_conditions(template, parameters)
    wanted = set(stacks._topological_sort(template.get("Resources", {}), conditions))
    current = {logical_id: record for logical_id, record in stack["_resources"].items() if logical_id in wanted}
    await run_reentrant(_align_endpoints, current)
    for logical_id, record in reversed(list(previous.get("_resources", {}).items())):
        if current.get(logical_id, {}).get("PhysicalResourceId") != record["PhysicalResourceId"]:
            await _delete(name, logical_id, record)
    defined, mappings = template.get("Outputs", {}), template.get("Mappings", {})
    outputs, exports = stacks._resolve_stack_outputs(defined, conditions, current, parameters, mappings, name, stack_id)
    cloudformation._exports.update(exports)
    stack.update(
        _resources=current,
        _template=template,
        _template_body=json.dumps(template),
        _resolved_params=parameters,
        _conditions=conditions,
        Parameters=interrupted.parameter_list(parameters),
        Outputs=outputs,
        StackStatus="UPDATE_COMPLETE",
    )
    stacks._add_event(stack_id, name, name, STACK_TYPE, "UPDATE_COMPLETE", REASON, stack_id)


async def _delete(stack_name: str, logical_id: str, record: Record) -> None:
    kind, physical_id, properties = record["ResourceType"], record["PhysicalResourceId"], record.get("Properties", {})
    try:
        await run_reentrant(stacks._delete_resource, kind, physical_id, properties, stack_name, logical_id)
    except Exception as error:  # every type's handler raises errors of its own
        logger.warning("%s of stack %s was not deleted: %s", logical_id, stack_name, error)


def _align_endpoints(resources: Record) -> None:
    for record in resources.values():
        if record["ResourceType"] == _ENDPOINT:
            name = record["Attributes"]["EndpointName"]
            endpoint_states.align(_client(), name, record["Properties"]["EndpointConfigName"])


def _delete_leftovers(operation: Operation, stack: Record) -> None:
    """Delete what the operation was creating when it was interrupted: it is not in the stack's record."""
    known = {record["PhysicalResourceId"].rsplit("/", 1)[-1] for record in stack["_resources"].values()}
    client = _client()
    for noun, name in reversed(operation.made):
        if name in known:
            continue
        try:
            if noun == "Endpoint" and not endpoint_states.settled(client, name):
                continue
            client._make_api_call(f"Delete{noun}", {f"{noun}Name": name})
            if noun == "Endpoint":
                endpoint_states.settled(client, name)
        except (LocalCloudError, ClientError) as error:
            logger.info("%s %s was not left behind: %s", noun, name, error)


def _client() -> Any:
    return front_door.client("sagemaker", stack_roles.actor_credentials())
