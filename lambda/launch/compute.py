"""What a training job runs on, and for how long: the execution's wishes on top of the configuration's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from launch.errors import InvalidExecutionInput
from launch.words import nearest, shown

FIELDS = ("instance_type", "instance_count", "volume_gb", "max_runtime_minutes", "spot")
"""Keys of an input that a configuration has a default for."""

_WAIT = "max_wait_minutes"


@dataclass(frozen=True, kw_only=True)
class Compute:
    """The machines of a run. ``max_wait_seconds``: waiting and running together, for spot machines only."""

    instance_type: str
    instance_count: int
    volume_gb: int
    max_runtime_seconds: int
    spot: bool
    max_wait_seconds: int | None


def merged(
    defaults: Mapping[str, Any], given: Mapping[str, Any], instance_types: Callable[[], Collection[str]]
) -> Compute:
    """The machines of a run.

    Args:
        defaults: a value for each of ``FIELDS``.
        given: the execution's input, checked against the schema.
        instance_types: what SageMaker trains on; asked only if the execution names a type.

    Raises:
        InvalidExecutionInput: no such type, or a wait that does not fit the rest.
    """
    chosen = {name: given.get(name, defaults[name]) for name in FIELDS}
    if "instance_type" in given:
        _check_type(given["instance_type"], instance_types())
    runtime = int(chosen["max_runtime_minutes"])
    wait = given.get(_WAIT)
    if wait is not None and not chosen["spot"]:
        raise InvalidExecutionInput(_WAIT, "is given without spot", 'with "spot": true only, or leave it out')
    if wait is not None and wait < runtime:
        raise InvalidExecutionInput(
            _WAIT,
            f"is {shown(wait)}, less than max_runtime_minutes",
            f"a whole number from {runtime}, which is max_runtime_minutes",
        )
    return Compute(
        instance_type=chosen["instance_type"],
        instance_count=int(chosen["instance_count"]),
        volume_gb=int(chosen["volume_gb"]),
        max_runtime_seconds=runtime * 60,
        spot=chosen["spot"],
        max_wait_seconds=int(runtime * 2 if wait is None else wait) * 60 if chosen["spot"] else None,
    )


def _check_type(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise InvalidExecutionInput(
            "instance_type",
            f"is {shown(name)}{nearest(name, known)}",
            "a training instance type of SageMaker, such as ml.g4dn.xlarge or ml.m5.xlarge",
        )
