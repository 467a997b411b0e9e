"""One tuning job from start to end: real training jobs, a few at a time, until there are enough."""

import contextlib
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from local.sagemaker.common.errors import FailedError, InvalidRequestError
from local.sagemaker.common.names import Key
from local.sagemaker.jobs.calls import RUNNING
from local.sagemaker.jobs.job import JobRecord, JobRun
from local.sagemaker.state.context import Context
from local.sagemaker.training.jobs import TrainingJobs
from local.sagemaker.tuning.study import new_study, training_job

_POLL_SECONDS = 0.3
_ATTEMPTS = 5
"""After so many failures without a success AWS gives up (github.com/aws/amazon-sagemaker-examples/issues/2437)."""


class TuningRun(JobRun):
    """Runs one tuning job."""

    folders = "tuning-jobs"

    def __init__(self, context: Context, record: JobRecord, trainings: TrainingJobs) -> None:
        super().__init__(context, record, record.key.name)
        self._trainings = trainings
        self._wake = threading.Event()
        self._config = self._job["HyperParameterTuningJobConfig"]
        self._trials: dict[Key, Any] = {}
        """Training job that runs → its trial in the study."""
        self._succeeded: list[bool] = []
        """Of each training job that has ended."""

    def _interrupt(self) -> None:
        self._wake.set()

    def _execute(self) -> str:
        study, distributions = new_study(self._job)
        limits, room = self._config["ResourceLimits"], self._context.settings.max_training_jobs
        while not self._wake.wait(_POLL_SECONDS):
            self._look(study)
            missing = limits["MaxNumberOfTrainingJobs"] - len(self._succeeded) - len(self._trials)
            if len(self._succeeded) >= _ATTEMPTS and not any(self._succeeded):
                missing = 0
            for _ in range(min(missing, limits["MaxParallelTrainingJobs"] - len(self._trials))):
                with self._context.store.lock:
                    if self._trainings.running(self._key.scope) < room:  # other jobs may take it
                        self._start(study.ask(distributions))
            if not missing and not self._trials:
                break
        self._end_all()
        if not any(self._succeeded):
            raise FailedError(
                f"No training job succeeded after {len(self._succeeded)} attempts. Please take a look at the training "
                "job failures to get more details."
            )
        return "Completed"

    def _start(self, trial: Any) -> None:
        name = f"{self._key.name}-{len(self._succeeded) + len(self._trials) + 1:03d}-{secrets.token_hex(4)}"
        values = {parameter: str(value) for parameter, value in trial.params.items()}
        tags = [{"Key": tag, "Value": value} for tag, value in self._context.tags.of(self._key).items()]
        params = {**training_job(self._job, name, values), "Tags": tags}
        self._trainings.create(self._key.scope, params, TuningJobArn=self._key.arn, TunedHyperParameters=values)
        self._trials[Key("training-job", self._key.scope, name)] = trial

    def _look(self, study: Any) -> None:
        """Take note of what has ended; with early stopping, stop what is worse than the earlier ones' median."""
        goal = self._config["HyperParameterTuningJobObjective"]
        for key, trial in list(self._trials.items()):
            job = self._context.store.get(key) or {}
            if job.get("TrainingJobStatus") not in RUNNING:
                value = objective(job, goal)
                study.tell(self._trials.pop(key), value)
                self._succeeded.append(value is not None and job["TrainingJobStatus"] == "Completed")
                continue
            for epoch, value in enumerate(self._trainings.reported(key, goal["MetricName"])):
                trial.report(value, epoch)
            if self._config.get("TrainingJobEarlyStoppingType") == "Auto" and trial.should_prune():
                self._stop(key)

    def _stop(self, key: Key) -> None:
        with contextlib.suppress(InvalidRequestError):  # it has ended, or ends already
            self._trainings.stop_job(key.scope, {"TrainingJobName": key.name})

    def _end_all(self) -> None:
        """Stop the training jobs that run, and raise _JobStoppedError, if this job was stopped."""
        for key in self._trials:
            self._leave_if_stopping()
            self._stop(key)
        while any((self._context.store.get(key) or {}).get("TrainingJobStatus") in RUNNING for key in self._trials):
            self._leave_if_stopping()
            self._context.stopping.wait(_POLL_SECONDS)
        self._leave_if_stopped()


def objective(job: Mapping[str, Any], goal: Mapping[str, str]) -> float | None:
    """Return the final value of the objective; None where the training job reported none."""
    metrics = {one["MetricName"]: one["Value"] for one in job.get("FinalMetricDataList", [])}
    return metrics.get(goal["MetricName"])
