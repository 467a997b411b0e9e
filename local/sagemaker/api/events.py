"""The state-change events of model packages on EventBridge, with the details that AWS documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.common.names import Key
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record


def model_package_changed(context: Context, key: Key, package: Record, updated: Sequence[str] = ()) -> None:
    """Announce a new package, or the members of a package that were `updated`."""
    fields = {"UpdatedModelPackageFields": list(updated)} if updated else {}
    detail = {**_in_milliseconds(package), **fields}
    context.outbox.event(key.scope, "SageMaker Model Package State Change", detail, key.arn)


def _in_milliseconds(value: Any) -> Any:
    """Convert the API's epoch seconds to the epoch milliseconds of events."""
    if isinstance(value, Mapping):
        return {
            name: int(item * 1000) if name.endswith("Time") and isinstance(item, float) else _in_milliseconds(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_in_milliseconds(item) for item in value]
    return value
