"""Create, describe, list and stop training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.names import Scope
from local.sagemaker.jobs.jobs import RUNNING, Jobs
from local.sagemaker.training.record import TrainingRecord
from local.sagemaker.training.request import DEFAULT_RUNTIME_SECONDS, check
from local.sagemaker.training.run import TrainingRun


class TrainingJobs(Jobs):
    """The training part of the control plane."""

    kind = "training-job"
    noun = "TrainingJob"
    status_member = "TrainingJobStatus"
    newest_first = False
    taken = (
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        "exists ({arn})"
    )
    record_class = TrainingRecord
    run_class = TrainingRun
    first_phase = "Starting"

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateTrainingJob."""
        check(params)
        key = self.key(scope, params)
        condition = {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_SECONDS} | params.get("StoppingCondition", {})
        defaults = {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
        }
        with self._store.lock:
            if self._store.get(key) is None:
                self._check_limit(scope, params["ResourceConfig"].get("InstanceType", "instance"))
            return self._begin(
                key,
                {**defaults, **params, "StoppingCondition": condition},
                lambda record: TrainingRun(self._context, record),
            )

    def _check_limit(self, scope: Scope, instance_type: str) -> None:
        limit = self._context.settings.max_training_jobs
        running = sum(job["TrainingJobStatus"] in RUNNING for _, job in self._store.all(self.kind, scope))
        if running >= limit:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{instance_type} for training job usage' is {limit} Instances, with "
                f"current utilization of {running} Instances and a request delta of 1 Instances.",
            )
