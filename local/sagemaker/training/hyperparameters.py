"""Hyperparameters as the sagemaker-training toolkit passes them to a script."""

import json
from collections.abc import Mapping
from typing import Any

_TOOLKIT_PREFIX = "sagemaker_"


def of(job: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the decoded hyperparameters of a job: those for the script, and those for the toolkit (`sagemaker_…`).

    A value is read as JSON if it is JSON (a number, or text in quotation marks), else taken as it is (`train.py`).
    """
    decoded = {name: _decoded(value) for name, value in job.get("HyperParameters", {}).items()}
    script = {name: value for name, value in decoded.items() if not name.startswith(_TOOLKIT_PREFIX)}
    return script, {name: value for name, value in decoded.items() if name not in script}


def arguments(values: Mapping[str, Any]) -> list[str]:
    """Return `--name value` for each value, or `-n value` for a name of one letter, sorted by name."""
    pairs = ((f"-{name}" if len(name) == 1 else f"--{name}", str(values[name])) for name in sorted(values))
    return [word for pair in pairs for word in pair]


def as_variable(value: Any) -> str:
    """Return a value as the toolkit writes it into an SM_… variable: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
