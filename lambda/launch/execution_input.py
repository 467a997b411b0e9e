"""The input of an execution, checked before anything happens and completed from the configuration.

``{}`` is a valid input: everything has a default. People type this into the Step Functions console, so each message
names the field, what is wrong with it and what is allowed. ``docs/execution-input.md`` documents it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from launch import compute, data_source, hyperparameter_values, schema
from launch.compute import Compute
from launch.errors import InvalidExecutionInput
from launch.settings import Defaults


@dataclass(frozen=True, kw_only=True)
class ExecutionInput:
    """A checked input. ``data_source`` None: decided by the configuration; ``training_job`` None: train a new one."""

    data_source: str | None
    hyperparameters: dict[str, str]
    compute: Compute
    gate: dict[str, float]
    approval: str
    training_job: str | None


def parse(event: Any, defaults: Defaults, instance_types: Callable[[], Collection[str]]) -> ExecutionInput:
    """Checks the input of an execution and fills in what it leaves out.

    Args:
        event: the input as Step Functions passes it on, parsed from JSON.
        defaults: what the configuration says.
        instance_types: gives the names of SageMaker's training instance types.

    Raises:
        InvalidExecutionInput: naming the field and what is allowed.
    """
    schema.check(event)
    source = event.get("data_source")
    return ExecutionInput(
        data_source=None if source is None else data_source.checked(source),
        hyperparameters=hyperparameter_values.merged(defaults.hyperparameters, event.get("hyperparameters", {})),
        compute=compute.merged(defaults.compute, event, instance_types),
        gate=_gate(defaults.gate, event.get("gate", {})),
        approval=event.get("approval", defaults.approval),
        training_job=event.get("training_job"),
    )


def _gate(defaults: dict[str, float], given: dict[str, Any]) -> dict[str, float]:
    for name, value in given.items():
        if math.isnan(value):  # neither below a minimum nor above a maximum
            raise InvalidExecutionInput(f"gate.{name}", "is NaN", schema.allowed(f"gate.{name}"))
    return {**defaults, **{name: float(value) for name, value in given.items()}}
