"""How a resource type is added to ministack's CloudFormation, and how its properties become API parameters."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services.cloudformation import provisioners

from local.emulator.common.patching import Original, Record

Created = tuple[str, Record]  # physical id and attributes of a resource
Handler = Callable[..., Any]

_SCALARS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": lambda value: str(value).lower() == "true",
}
_on_worker: set[str] = set()


def register(type_name: str, *, create: Handler, update: Handler, delete: Handler, on_worker: bool = False) -> None:
    """Have ministack call these handlers for a type, e.g. `AWS::S3::Bucket`.

    `create` takes (logical id, properties, stack name), `update` (physical id, old properties, new properties, stack
    name), `delete` (physical id, properties). `on_worker`: they block (they call this server, or wait).
    """
    provisioners._RESOURCE_HANDLERS.setdefault(type_name, {}).update(create=create, update=update, delete=delete)
    if on_worker:
        _on_worker.add(type_name)


def runs_on_worker_thread(original: Original, type_name: str) -> bool:
    """Add the types registered with `on_worker` to ministack's own."""
    return type_name in _on_worker or original(type_name)


def to_parameters(properties: Any, shape: Any) -> Any:
    """Return `properties` with the members of `shape` only, and with its scalar types.

    Templates carry numbers and booleans as strings (a parameter is always one); the API wants the real type.
    `shape`: a botocore Shape.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(properties, Mapping):
        return {
            name: to_parameters(value, shape.members[name])
            for name, value in properties.items()
            if name in shape.members and value is not None
        }
    if kind == "list" and isinstance(properties, Sequence) and not isinstance(properties, str):
        return [to_parameters(item, shape.member) for item in properties]
    if kind == "map" and isinstance(properties, Mapping):
        return {str(name): to_parameters(value, shape.value) for name, value in properties.items()}
    if kind == "string" and isinstance(properties, (bool, int, float)):
        return str(properties).lower() if isinstance(properties, bool) else str(properties)
    return _SCALARS[kind](properties) if kind in _SCALARS else properties


def tag_changes(old: list[Record] | None, new: list[Record] | None) -> tuple[list[Record], list[str]]:
    """Return the tags to set and the keys to remove that turn the `Tags` property `old` into `new`."""
    before = {tag["Key"]: tag["Value"] for tag in old or []}
    after = {tag["Key"]: tag["Value"] for tag in new or []}
    changed = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
    return changed, sorted(before.keys() - after.keys())
