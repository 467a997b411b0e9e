"""Checks an execution's input before anything happens, and completes it from the configuration.

`{}` is a valid input: every key has a default. People type the input into the Step Functions console, so each message
names the field, what is wrong with it and what is allowed. `docs/execution-input.md` documents it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from launch import compute, data_source, hyperparameter_values, schema
from launch.compute import Compute
from launch.settings import Defaults
from shared.errors import InvalidExecutionInputError


@dataclass(frozen=True, kw_only=True)
class ExecutionInput:
    """A checked and completed input."""

    data_source: str | None
    """None: the configuration decides."""
    hyperparameters: dict[str, str]
    compute: Compute
    gate: dict[str, float]
    approval: str
    training_job: str | None
    """The finished job to judge; None: train a new one."""


def parse(event: Any, defaults: Defaults, instance_types: Callable[[], Collection[str]]) -> ExecutionInput:
    """Check the input of an execution and fill in what it omits; raise InvalidExecutionInputError.

    Args:
        event: The input, parsed from JSON.
        defaults: The values of the configuration.
        instance_types: Returns SageMaker's training instance types.
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
            raise InvalidExecutionInputError(f"gate.{name}", "is NaN", schema.allowed(f"gate.{name}"))
    return {**defaults, **{name: float(value) for name, value in given.items()}}
