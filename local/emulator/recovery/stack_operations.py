"""Keeps the journal of every stack operation while ministack carries it out, and saves the stacks at both ends."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, stacks

from local.emulator.access import stack_roles
from local.emulator.recovery.operation_journal import Operation, OperationJournal
from local.emulator.state import persistence

_STACK = "AWS::CloudFormation::Stack"
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def install(journal: OperationJournal) -> None:
    """Wrap deployments, their events and their deletions."""
    deploy, add_event, delete_resource = stacks._deploy_stack_async, stacks._add_event, stacks._delete_resource

    def _deploy_stack_async(
        stack_name: str,
        stack_id: str,
        template: dict,
        param_values: dict,
        disable_rollback: bool,
        tags: list,
        is_update: bool = False,
        previous_stack: dict | None = None,
        **rest: Any,
    ) -> Coroutine[Any, Any, None]:
        role = stack_roles.current_role()
        journal.begin(Operation(stack_name, stack_id, role, template, param_values, previous_stack))
        persistence.save_state(["cloudformation"])

        async def run() -> None:
            await deploy(
                stack_name, stack_id, template, param_values, disable_rollback, tags, is_update, previous_stack, **rest
            )
            # Not in a finally clause: the journal of what was cut off has to stay.
            persistence.save_state(["cloudformation"])
            journal.end(stack_name)
            persistence.note_change(persistence.EVERYTHING)

        return run()

    def _add_event(
        stack_id: str, stack_name: str, logical_id: str, resource_type: str, status: str, *rest: Any, **more: Any
    ) -> None:
        add_event(stack_id, stack_name, logical_id, resource_type, status, *rest, **more)
        persistence.note_change("cloudformation")
        if resource_type == _STACK and logical_id == stack_name:
            if "ROLLBACK" in status:
                journal.going_back(stack_name)
        elif status in _DONE:
            stack = cloudformation._stacks.get(stack_name) or {}
            if record := stack.get("_resources", {}).get(logical_id):
                journal.done(stack_name, logical_id, record)

    def _delete_resource(
        resource_type: str, physical_id: str, props: dict, stack_name: str = "", logical_id: str = ""
    ) -> None:
        journal.cleaning(stack_name)
        delete_resource(resource_type, physical_id, props, stack_name, logical_id)

    stacks._delete_resource = _delete_resource
    for module in (stacks, handlers, changesets):
        for name, replacement in (("_deploy_stack_async", _deploy_stack_async), ("_add_event", _add_event)):
            if hasattr(module, name):
                setattr(module, name, replacement)
