"""Hyperparameters as the sagemaker-training toolkit hands them to a script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_FRAMEWORK_PREFIX = "sagemaker_"


def decode(raw: Mapping[str, str]) -> dict[str, Any]:
    """Each value read as JSON if it is JSON (``"5"``, ``"\\"train.py\\""``), else taken as it is (``train.py``)."""
    return {name: _decoded(value) for name, value in raw.items()}


def split(decoded: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(those for the script, those for the toolkit, whose names begin with ``sagemaker_``)."""
    script = {name: value for name, value in decoded.items() if not name.startswith(_FRAMEWORK_PREFIX)}
    toolkit = {name: value for name, value in decoded.items() if name.startswith(_FRAMEWORK_PREFIX)}
    return script, toolkit


def arguments(values: Mapping[str, Any]) -> list[str]:
    """Command-line arguments: ``--name value``, in the order of the names; ``-n value`` for one letter."""
    result = []
    for name in sorted(values):
        result += [f"-{name}" if len(name) == 1 else f"--{name}", str(values[name])]
    return result


def as_variable(value: Any) -> str:
    """A value as the toolkit writes it into an SM_… variable: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
