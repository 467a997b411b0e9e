"""From an execution's input to everything that the later steps of the workflow read."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from launch.execution_input import parse
from launch.finished_job import finished_job
from launch.settings import Settings


def run(event: Any, environment: Mapping[str, str], sagemaker: Callable[[], Any]) -> dict[str, Any]:
    """Check the input of an execution and decide what the workflow does.

    `sagemaker` returns a boto3 client; it is called only when it is needed, because creating one takes a while.

    Returns `mode` (`train` a new job, `tune` with several, `judge` a finished one, or `check` alone), `job_name` (the
    tuning job's in mode `tune`), `data_source`, `hyperparameters`, `tuning`, `compute`, `gate`, `approval`, and
    `training`: the description of the finished job, None in the other modes. Raises FunctionError: The input or the
    deployment is wrong, or SageMaker did not describe the named job.
    """
    settings = Settings.from_environment(environment)

    def instance_types() -> tuple[str, ...]:
        """Return the types that the AWS SDK of this runtime knows."""
        return tuple(sagemaker().meta.service_model.shape_for("TrainingInstanceType").enum)

    wanted = parse(event, settings.defaults, instance_types)
    training = None
    if wanted.training_job is not None:
        training = finished_job(wanted.training_job, settings.job_name_prefix, settings.artifacts_uri, sagemaker())
    # Six random digits distinguish two jobs of the same second.
    new_name = f"{settings.job_name_prefix}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    if wanted.tuning:  # SageMaker allows 32 characters
        new_name = f"{settings.tuning_name_prefix}-{secrets.token_hex(4)}"
    return {
        "mode": "check" if wanted.dry_run else "judge" if training else "tune" if wanted.tuning else "train",
        "job_name": training["job_name"] if training else new_name,
        "data_source": wanted.data_source,
        "hyperparameters": training["hyperparameters"] if training else wanted.hyperparameters,
        "tuning": wanted.tuning,
        "compute": asdict(wanted.compute),
        "gate": wanted.gate,
        "approval": wanted.approval,
        "training": training,
    }
