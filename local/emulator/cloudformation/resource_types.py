"""How a resource type is added to ministack's CloudFormation, or one of its own changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from local.emulator.common.patching import Original, Record

Created = tuple[str, Record]
"""Physical id and attributes of a resource."""

_on_worker: set[str] = set()


def register(
    type_name: str,
    *,
    create: Callable[[str, Record, str], Created],
    update: Callable[[str, Record, Record, str], Created],
    delete: Callable[[str, Record], None],
    on_worker: bool = False,
) -> None:
    """Have ministack call these handlers for a type.

    Args:
        type_name: e.g. `AWS::S3::Bucket`.
        create: Takes (logical id, properties, stack name).
        update: Takes (physical id, old properties, new properties, stack name).
        delete: Takes (physical id, properties).
        on_worker: The handlers block (they call this server, or wait) and leave the event loop.
    """
    handlers: dict[str, Any] = provisioners._RESOURCE_HANDLERS.setdefault(type_name, {})
    handlers.update(create=create, update=update, delete=delete)
    if on_worker:
        _on_worker.add(type_name)


def runs_on_worker_thread(original: Original, type_name: str) -> bool:
    """Add the types registered with `on_worker` to ministack's own."""
    return type_name in _on_worker or original(type_name)
