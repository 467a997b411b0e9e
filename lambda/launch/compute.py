"""The machines of a training job: an execution's values on top of the configured ones."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from launch import schema
from shared.errors import InvalidExecutionInputError
from shared.words import nearest, shown

FIELDS = ("instance_type", "instance_count", "volume_gb", "max_runtime_minutes", "spot")
"""The keys of an input for which the configuration has a default."""

_ARM = re.compile(r"ml\.(a1|[a-z]+\d+g[a-z]*|[a-z0-9]+-gb\d+)\.")
_WAIT = "max_wait_minutes"


@dataclass(frozen=True, kw_only=True)
class Compute:
    """The machines of a run."""

    instance_type: str
    instance_count: int
    volume_gb: int
    max_runtime_seconds: int
    spot: bool
    max_wait_seconds: int | None
    """Waiting and running together; None unless `spot`."""


def merged(
    defaults: Mapping[str, Any], given: Mapping[str, Any], instance_types: Callable[[], Collection[str]]
) -> Compute:
    """Return the machines of a run; raise InvalidExecutionInputError.

    `defaults`: A value for each of `FIELDS`. `given`: The execution's input, checked against the schema.
    `instance_types`: Returns SageMaker's training instance types; called only if the execution names a type.
    """
    chosen = {name: given.get(name, defaults[name]) for name in FIELDS}
    name = chosen["instance_type"]
    if _ARM.match(name):
        problem = f"is {shown(name)}, which has an Arm processor (Graviton); the training image is built for x86-64"
        raise InvalidExecutionInputError("instance_type", problem, schema.allowed("instance_type"))
    if "instance_type" in given and name not in (known := instance_types()):
        problem = f"is {shown(name)}{nearest(name, known)}"
        raise InvalidExecutionInputError("instance_type", problem, schema.allowed("instance_type"))
    runtime = int(chosen["max_runtime_minutes"])
    wait = given.get(_WAIT)
    if wait is not None and not chosen["spot"]:
        raise InvalidExecutionInputError(_WAIT, "is given without spot", 'with "spot": true only, or leave it out')
    if wait is not None and wait < runtime:
        problem = f"is {shown(wait)}, less than max_runtime_minutes"
        raise InvalidExecutionInputError(_WAIT, problem, f"a whole number from {runtime}, which is max_runtime_minutes")
    return Compute(
        instance_type=name,
        instance_count=int(chosen["instance_count"]),
        volume_gb=int(chosen["volume_gb"]),
        max_runtime_seconds=runtime * 60,
        spot=chosen["spot"],
        max_wait_seconds=int(runtime * 2 if wait is None else wait) * 60 if chosen["spot"] else None,
    )
