"""Deleting a stack: what a resource depends on stays while that resource cannot be deleted.

ministack goes on with the dependencies, e.g. the function behind a custom resource whose delete has just failed, so
that a second attempt could never succeed. CloudFormation leaves them.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers, stacks

from local.emulator.common.errors import ResourceFailed

_held: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("local_cloudformation_held", default=None)


def install() -> None:
    """Wrap the deletion of stacks, and of a resource within it."""
    delete_stack, delete_resource = stacks._delete_stack_async, stacks._delete_resource

    async def _delete_stack_async(*args: Any, **kwargs: Any) -> None:
        _held.set({})  # the operation's own task, so its own context
        await delete_stack(*args, **kwargs)

    def _delete_resource(
        resource_type: str, physical_id: str, props: dict, stack_name: str = "", logical_id: str = ""
    ) -> None:
        held = _held.get()
        if held is not None and logical_id in held:
            raise ResourceFailed(f"It stays, because {held[logical_id]} needs it and could not be deleted.")
        try:
            delete_resource(resource_type, physical_id, props, stack_name, logical_id)
        except Exception:
            if held is not None:
                template = (cloudformation._stacks.get(stack_name) or {}).get("_template") or {}
                held.update(dict.fromkeys(dependencies(template.get("Resources", {}), logical_id), logical_id))
            raise

    stacks._delete_resource = _delete_resource
    for module in (stacks, handlers):
        module._delete_stack_async = _delete_stack_async


def dependencies(definitions: Mapping[str, Any], logical_id: str) -> set[str]:
    """Everything that a resource of a template depends on, directly or through others."""
    found: set[str] = set()
    pending = [logical_id]
    while pending:
        definition = definitions.get(pending.pop())
        fresh = set(engine._extract_deps(definition, set(definitions))) - found if definition else set()
        found |= fresh
        pending += fresh
    return found - {logical_id}
