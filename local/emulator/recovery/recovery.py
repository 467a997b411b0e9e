"""Brings interrupted stack operations to an end once the services answer again.

An update that had not begun to delete what it replaced is rolled back; one that had is completed, because there is no
way back. Either way the endpoint runs what the stack says, and nothing is left that the stack does not know.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import get_region, request_scope
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

from local.emulator.access import stack_roles
from local.emulator.access.front_door import FrontDoor
from local.emulator.access.identity import account_of
from local.emulator.common.errors import LocalCloudError
from local.emulator.recovery import endpoint_states, interrupted
from local.emulator.recovery.interrupted import REASON
from local.emulator.recovery.operation_journal import Operation, OperationJournal
from local.emulator.state import persistence

logger = logging.getLogger("local.recovery")

_STACK = "AWS::CloudFormation::Stack"
_ENDPOINT = "AWS::SageMaker::Endpoint"


class Recovery:
    """Finishes the operations that a start of the server found interrupted."""

    def __init__(self, journal: OperationJournal, front_door: FrontDoor, operations: Sequence[Operation]) -> None:
        self._journal = journal
        self._front_door = front_door
        self._operations = operations

    async def run(self) -> None:
        """Finish one after the other. Never raises; what fails is logged, and the stack's status says so."""
        for operation in list(self._operations):
            account, region = account_of(operation.stack_id), operation.stack_id.split(":")[3]
            with request_scope(account, region):
                stack_roles.act_for(operation.role)
                stack = cloudformation._stacks[operation.stack_name]
                try:
                    await self._finish(operation, stack)
                except Exception:  # whatever it is, the stack must not stay in progress
                    logger.exception("The interrupted operation on stack %s was not undone.", operation.stack_name)
                    interrupted.close(stack, "UPDATE_ROLLBACK_FAILED" if operation.previous else "ROLLBACK_FAILED")
                persistence.save_state()
                # No other operation can have begun: nothing was awaited since the stack's status became final.
                self._journal.end(operation.stack_name)

    def suspend(self) -> None:
        """The server goes down: what is still under way is left to the next start, as far as it has come by now."""
        self._journal.freeze()

    async def _finish(self, operation: Operation, stack: dict) -> None:
        await run_reentrant(self._remove_leftovers, operation, stack)
        if operation.previous is None:
            interrupted.close(stack, interrupted.final_status(stack["StackStatus"]))
            return
        if operation.cleaning:
            await self._complete(operation, stack)
        else:
            await self._go_back(operation, stack)
        logger.warning("Stack %s was being updated and is now %s.", operation.stack_name, stack["StackStatus"])

    async def _go_back(self, operation: Operation, stack: dict) -> None:
        previous = operation.previous or {}
        undo = stacks._failed_operation(
            True,
            copy.deepcopy(previous),
            list(operation.records),
            None,
            None,
            [],
            False,
            operation.template,
            operation.parameters,
            False,
            stack.get("Tags"),
            previous.get("Tags"),
        )
        try:
            await run_reentrant(self._align, previous.get("_resources", {}))
        except (LocalCloudError, ClientError, BotoCoreError) as error:
            logger.error("An endpoint of stack %s cannot be brought back: %s", operation.stack_name, error)
        await stacks._roll_back_operation(operation.stack_name, operation.stack_id, stack, undo, REASON)
        stack["StackStatusReason"] = stack.get("StackStatusReason") or REASON

    async def _complete(self, operation: Operation, stack: dict) -> None:
        previous = (operation.previous or {}).get("_resources", {})
        defined = operation.template.get("Resources", {})
        conditions = stacks._evaluate_conditions(operation.template, operation.parameters)
        wanted = set(stacks._topological_sort(defined, conditions))
        current = {name: record for name, record in stack["_resources"].items() if name in wanted}
        await run_reentrant(self._align, current)
        for name, record in reversed(list(previous.items())):
            if current.get(name, {}).get("PhysicalResourceId") != record["PhysicalResourceId"]:
                await self._delete(operation, name, record)
        outputs, exports = stacks._resolve_stack_outputs(
            operation.template.get("Outputs", {}),
            conditions,
            current,
            operation.parameters,
            operation.template.get("Mappings", {}),
            operation.stack_name,
            operation.stack_id,
        )
        cloudformation._exports.update(exports)
        stack.update(
            _resources=current,
            _template=operation.template,
            _template_body=json.dumps(operation.template),
            _resolved_params=operation.parameters,
            _conditions=conditions,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value["Value"], "NoEcho": value["NoEcho"]}
                for name, value in operation.parameters.items()
            ],
            Outputs=outputs,
            StackStatus="UPDATE_COMPLETE",
        )
        stacks._add_event(
            operation.stack_id,
            operation.stack_name,
            operation.stack_name,
            _STACK,
            "UPDATE_COMPLETE",
            REASON,
            operation.stack_id,
        )

    async def _delete(self, operation: Operation, logical_id: str, record: Mapping[str, Any]) -> None:
        try:
            await run_reentrant(
                stacks._delete_resource,
                record["ResourceType"],
                record["PhysicalResourceId"],
                record.get("Properties", {}),
                operation.stack_name,
                logical_id,
            )
        except Exception as error:  # every type's handler raises errors of its own
            logger.warning("%s of stack %s was not deleted: %s", logical_id, operation.stack_name, error)

    def _align(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        for record in resources.values():
            if record["ResourceType"] == _ENDPOINT:
                name = record["Attributes"]["EndpointName"]
                endpoint_states.align(self._client(), name, record["Properties"]["EndpointConfigName"])

    def _remove_leftovers(self, operation: Operation, stack: Mapping[str, Any]) -> None:
        """Delete what the operation was making when it was cut off: the stack does not know it."""
        known = {record["PhysicalResourceId"].rsplit("/", 1)[-1] for record in stack["_resources"].values()}
        client = self._client()
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

    def _client(self) -> Any:
        return self._front_door.client("sagemaker", stack_roles.actor_credentials(), get_region())
