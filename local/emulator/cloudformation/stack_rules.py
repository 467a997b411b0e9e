"""Rules of CloudFormation that ministack leaves out: joins in conditions, busy stacks, the order of deletions."""

import contextvars
from typing import Any

from ministack.core.responses import get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, handlers, helpers, provisioners, stacks

from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record
from local.emulator.recovery.stack_operations import JOURNAL

_FIRST_REGION = "us-east-1"  # names there are as they always were
# {resource that has to stay: the resource that needs it and was not deleted}, in the task of a stack's deletion.
_held: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("local_cloudformation_held", default=None)


def evaluate_conditions(original: Original, template: Record, params: Record) -> Any:
    """Resolve `Fn::Join` in conditions, which ministack takes for a constant (CDK's bootstrap template uses it)."""
    return original({**template, "Conditions": _without_joins(template.get("Conditions", {}), params)}, params)


def _without_joins(node: Any, params: Record) -> Any:
    if isinstance(node, list):
        return [_without_joins(item, params) for item in node]
    if not isinstance(node, dict) or "Fn::Join" in node:
        return engine._resolve_refs(node, {}, params, {}, {}, "", "")
    return {key: _without_joins(value, params) for key, value in node.items()}


def physical_name(original: Original, *of: str, **options: Any) -> Any:
    """Let names that CloudFormation makes up differ between regions, as AWS's do by chance: roles are the account's."""
    seed = provisioners._NAME_SEED.get()
    token = provisioners._NAME_SEED.set(seed if get_region() == _FIRST_REGION else f"{seed}{get_region()}")
    try:
        return original(*of, **options)
    finally:
        provisioners._NAME_SEED.reset(token)


def update_stack(original: Original, params: Record) -> Any:
    """Refuse UpdateStack for a stack that cannot be updated, in CloudFormation's words: callers match them."""
    stack = handlers._resolve_stack(helpers._p(params, "StackName"))
    status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
    if status.endswith("_COMPLETE") and status != "ROLLBACK_COMPLETE":
        return original(params)
    message = f"Stack:{stack['StackId']} is in {status} state and can not be updated."
    return helpers._error("ValidationError", message)


async def delete_stack(original: Original, *args: Any, **kwargs: Any) -> None:
    """Delete a stack; `delete_resource` keeps what a resource needs that could not be deleted."""
    _held.set({})  # the operation has a task, and so a context, of its own
    await original(*args, **kwargs)


def delete_resource(
    original: Original, resource_type: str, physical_id: str, props: Record, stack_name: str = "", logical_id: str = ""
) -> None:
    """Note in the journal that the operation deletes; keep the dependencies of a resource whose deletion failed.

    ministack goes on to delete them, e.g. the function behind a custom resource, so that a second attempt could never
    succeed.
    """
    JOURNAL.note(stack_name, {"cleaning": True})
    held = _held.get()
    if held is not None and logical_id in held:
        raise ResourceFailedError(f"The resource is kept because {held[logical_id]} needs it and could not be deleted.")
    try:
        original(resource_type, physical_id, props, stack_name, logical_id)
    except Exception:
        if held is not None:
            template = (cloudformation._stacks.get(stack_name) or {}).get("_template") or {}
            definitions = template.get("Resources", {})
            needed = stacks._with_dependencies([logical_id], definitions, set(definitions)) - {logical_id}
            held |= dict.fromkeys(needed, logical_id)
        raise
