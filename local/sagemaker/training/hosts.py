"""The instances of a training job: processes of this machine that torchrun starts together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker.training import hyperparameters

TORCHRUN_HYPERPARAMETER = "sagemaker_torch_distributed_enabled"
"""With `true` the toolkit starts the script through torchrun, with one process for each instance without GPUs."""


def instance_count(job: Mapping[str, Any]) -> int:
    """Return the number of instances."""
    return int(job["ResourceConfig"].get("InstanceCount", 1))


def hosts(job: Mapping[str, Any]) -> list[str]:
    """Return the names of the instances as on AWS. A single process runs on the first."""
    return [f"algo-{number}" for number in range(1, instance_count(job) + 1)]


def uses_torchrun(job: Mapping[str, Any]) -> bool:
    """Return whether torchrun starts the script."""
    _, toolkit = hyperparameters.of(job)
    return str(toolkit.get(TORCHRUN_HYPERPARAMETER)).lower() == "true"
