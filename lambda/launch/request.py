"""From an execution's input to everything that the later steps of the workflow read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from launch.execution_input import parse
from launch.finished_job import finished_job
from launch.settings import Settings


def prepare(
    event: Any, settings: Settings, sagemaker: Callable[[], Any], *, now: datetime, token: str
) -> dict[str, Any]:
    """Checks the input and says what is to be done.

    Args:
        event: the execution's input, parsed from JSON.
        settings: what the stack decides.
        sagemaker: gives a boto3 client; called only when it is needed, because making one takes a while.
        now: the time in UTC; becomes part of a new job's name.
        token: six hexadecimal digits that keep two jobs of one second apart.

    Returns:
        ``mode`` (``train`` a new job, or ``judge`` a finished one), ``job_name``, ``data_source``,
        ``hyperparameters``, ``compute``, ``gate``, ``approval``, and ``training``: what is known of the finished job,
        None in mode ``train``.

    Raises:
        InvalidExecutionInput: naming the field and what is allowed.
        TrainingJobUnreadable: SageMaker does not say what the named job is.
    """
    wanted = parse(event, settings.defaults, functools.partial(_instance_types, sagemaker))
    training = None
    if wanted.training_job is not None:
        training = finished_job(wanted.training_job, settings.artifacts_uri, sagemaker())
    return {
        "mode": "judge" if training else "train",
        "job_name": training["job_name"] if training else f"{settings.job_name_prefix}-{now:%Y%m%d-%H%M%S}-{token}",
        "data_source": wanted.data_source,
        "hyperparameters": training["hyperparameters"] if training else wanted.hyperparameters,
        "compute": asdict(wanted.compute),
        "gate": wanted.gate,
        "approval": wanted.approval,
        "training": training,
    }


def _instance_types(sagemaker: Callable[[], Any]) -> tuple[str, ...]:
    """The types that the AWS SDK of this runtime knows."""
    return tuple(sagemaker().meta.service_model.shape_for("TrainingInstanceType").enum)
