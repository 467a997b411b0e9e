"""The instances of a training job: here each is a process of this machine, started together by torchrun."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.sagemaker.common.errors import ValidationException
from local.sagemaker.processes.child_environment import cpu_count

TORCHRUN_HYPERPARAMETER = "sagemaker_torch_distributed_enabled"
"""With ``true`` the toolkit starts the script through torchrun, one process on each instance without GPUs."""

MAX_INSTANCES = 4
"""Processes at a time; they share the processors of one machine."""

_WORKER = Path(__file__).with_name("worker.py")
_LOOPBACK = "lo" if sys.platform == "linux" else "lo0"


def instance_count(job: Mapping[str, Any]) -> int:
    """Instances that the request asks for."""
    return int(job["ResourceConfig"].get("InstanceCount", 1))


def hosts(job: Mapping[str, Any]) -> list[str]:
    """Names of the instances as AWS gives them; the first is the one a single process runs on."""
    return [f"algo-{number}" for number in range(1, instance_count(job) + 1)]


def uses_torchrun(job: Mapping[str, Any]) -> bool:
    """Whether the script is started through torchrun."""
    raw = job.get("HyperParameters", {}).get(TORCHRUN_HYPERPARAMETER, "false")
    try:
        value = json.loads(raw)
    except ValueError:
        value = raw
    return str(value).lower() == "true"


def check_instances(job: Mapping[str, Any]) -> None:
    """Raises ValidationException for more instances than can be had here, or than would work together."""
    count = instance_count(job)
    if count > MAX_INSTANCES:
        raise ValidationException(
            f"The local cloud does not support ResourceConfig.InstanceCount {count}: its instances are processes of "
            f"one machine, at most {MAX_INSTANCES}."
        )
    if count > 1 and not uses_torchrun(job):
        raise ValidationException(
            f"The local cloud does not support ResourceConfig.InstanceCount {count} without the hyperparameter "
            f"{TORCHRUN_HYPERPARAMETER}=true: on AWS each instance would then run the whole script for itself."
        )


def launcher(job: Mapping[str, Any], python: str) -> list[str]:
    """What stands before the script on its command line."""
    if not uses_torchrun(job):
        return [python]
    processes = ["--nnodes", "1", "--nproc-per-node", str(instance_count(job))]
    # Standalone: on a port that is free, where AWS has one machine for each instance and always the same port.
    torchrun = [python, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", *processes]
    return [*torchrun, "--no-python", python, str(_WORKER)]


def variables(job: Mapping[str, Any]) -> dict[str, str]:
    """What processes that train together need besides the contract: the loopback, and their share of the processors."""
    if not uses_torchrun(job):
        return {}
    threads = max(1, cpu_count() // instance_count(job))
    return {"GLOO_SOCKET_IFNAME": _LOOPBACK, "OMP_NUM_THREADS": str(threads)}
