"""Create, describe, list and stop training jobs."""

import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.names import Key, Scope
from local.sagemaker.jobs.calls import RUNNING, Jobs
from local.sagemaker.jobs.job import JobRecord
from local.sagemaker.training.request import DEFAULT_RUNTIME_SECONDS, check
from local.sagemaker.training.run import TrainingRun

_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}
_STATUSES = {name: name for name in ("Completed", "Stopping", "Stopped", "Failed")} | {"MaxRuntimeExceeded": "Stopped"}
"""TrainingJobStatus of a phase; the other phases do not change it."""


class TrainingRecord(JobRecord):
    """The phases of a training job are its SecondaryStatus."""

    def finish(self, phase: str, reason: str = "", **changes: Any) -> None:
        """End the job with its last phase; `reason` explains a failure."""
        if started := self.read().get("TrainingStartTime"):
            seconds = max(1, round(time.time() - started))
            changes |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        super().finish(phase, reason, **changes)

    def _phase_members(self, phase: str) -> dict[str, Any]:
        now = time.time()
        transitions = self.read().get("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        transitions.append({"Status": phase, "StartTime": now, "StatusMessage": _MESSAGES[phase]})
        status = {"TrainingJobStatus": _STATUSES[phase]} if phase in _STATUSES else {}
        return {"SecondaryStatus": phase, "SecondaryStatusTransitions": transitions, **status}


class TrainingJobs(Jobs):
    """The training part of the control plane."""

    kind = "training-job"
    noun = "TrainingJob"
    newest_first = False
    taken = (
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        "exists ({arn})"
    )
    record_class = TrainingRecord
    run_class = TrainingRun
    first_phase = "Starting"

    def create(self, scope: Scope, params: Mapping[str, Any], **tuned: Any) -> dict[str, Any]:
        """Answer CreateTrainingJob; `tuned`: what the record says of the tuning job that starts it."""
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
                {**defaults, **params, "StoppingCondition": condition, **tuned},
                lambda record: TrainingRun(self._context, record),
            )

    def running(self, scope: Scope) -> int:
        """Return how many training jobs run."""
        return sum(job["TrainingJobStatus"] in RUNNING for _, job in self._store.all(self.kind, scope))

    def reported(self, key: Key, metric: str) -> list[float]:
        """Return the values of a metric so far, of a job that runs."""
        with self._lock:
            run = self._runs.get(key)
        return [*run.metrics.values.get(metric, ())] if isinstance(run, TrainingRun) else []

    def _check_limit(self, scope: Scope, instance_type: str) -> None:
        limit, running = self._context.settings.max_training_jobs, self.running(scope)
        if running >= limit:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{instance_type} for training job usage' is {limit} Instances, with "
                f"current utilization of {running} Instances and a request delta of 1 Instances.",
            )
