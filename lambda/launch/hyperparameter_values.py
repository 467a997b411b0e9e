"""Hyperparameters of an execution on top of the configured ones, as the strings that SageMaker wants."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from classifier.errors import HyperparameterError
from classifier.job.hyperparameters import Hyperparameters, fields
from launch.errors import InvalidExecutionInput
from launch.words import shown

_MAX_EXACT = 10**15  # floats below are whole numbers without doubt
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def merged(defaults: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, str]:
    """The hyperparameters of a run.

    Args:
        defaults: the configured ones.
        given: those of the execution, names known and values strings, numbers or booleans.

    Raises:
        InvalidExecutionInput: a value that the training job would refuse.
    """
    values = {**defaults, **{name: as_text(name, value) for name, value in given.items()}}
    try:
        Hyperparameters.parse(values)
    except HyperparameterError as error:
        raise refused(error.name, f"is {shown(given.get(error.name, error.value))}") from error
    return values


def as_text(name: str, value: Any) -> str:
    """One value as SageMaker wants it.

    Raises:
        InvalidExecutionInput: nothing that a program could read back.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if _CONTROL.search(value):
            raise refused(name, "has characters that cannot be printed")
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_EXACT:
            raise refused(name, f"is {shown(value)}")
        return str(value)
    if not math.isfinite(value):
        raise refused(name, f"is {shown(value)}")
    # Some JSON writers make 3.0 of 3, which would not be taken for a whole number.
    return str(int(value)) if value.is_integer() and abs(value) < _MAX_EXACT else repr(value)


def refused(name: str, problem: str) -> InvalidExecutionInput:
    """The error for a hyperparameter that exists, with what it may be."""
    return InvalidExecutionInput(f"hyperparameters.{name}", problem, fields()[name].rule.allowed)
