"""Hyperparameters as the sagemaker-training toolkit reads them."""

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


def _decoded(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value
