"""Create, describe and stop tuning jobs, and list the training jobs of one."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.resources import Handler, answer_members, page, pick
from local.sagemaker.common.names import Scope
from local.sagemaker.jobs.calls import RUNNING, Jobs
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record
from local.sagemaker.training.jobs import TrainingJobs
from local.sagemaker.tuning.run import TuningRun, objective
from local.sagemaker.tuning.study import new_study

_TRAININGS = "ListTrainingJobsForHyperParameterTuningJob"
_REACHED = "FinalHyperParameterTuningJobObjectiveMetric"


class TuningJobs(Jobs):
    """The tuning part of the control plane."""

    kind = "hyper-parameter-tuning-job"
    noun = "HyperParameterTuningJob"
    taken = "Hyperparameter tuning job names must be unique; a job with this name already exists ({arn})"
    run_class = TuningRun

    def __init__(self, context: Context, trainings: TrainingJobs) -> None:
        super().__init__(context)
        self._trainings = trainings

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each action."""
        return {**super().handlers(), _TRAININGS: self.list_trainings}

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateHyperParameterTuningJob."""
        new_study(params)  # which refuses what can't be
        key = self.key(scope, params)
        return self._begin(key, params, lambda record: TuningRun(self._context, record, self._trainings))

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DescribeHyperParameterTuningJob."""
        answer, trainings = super().describe(scope, params), self._summaries(scope, params)
        status, reached = (Counter(one[name] for one in trainings) for name in ("TrainingJobStatus", "ObjectiveStatus"))
        jobs = {"Completed": status["Completed"], "Stopped": status["Stopped"], "NonRetryableError": status["Failed"]}
        jobs |= {"InProgress": sum(status[one] for one in RUNNING), "RetryableError": 0}
        done = [one for one in trainings if one["TrainingJobStatus"] == "Completed" and _REACHED in one]
        done.sort(key=lambda one: one[_REACHED]["Value"] * (-1 if one[_REACHED]["Type"] == "Maximize" else 1))
        return {
            **answer,
            "TrainingJobStatusCounters": jobs,
            "ObjectiveStatusCounters": {name: reached[name] for name in ("Succeeded", "Pending", "Failed")},
            **({"BestTrainingJob": done[0]} if done else {}),
        }

    def list_trainings(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ListTrainingJobsForHyperParameterTuningJob."""
        found, token = page(self._summaries(scope, params), params, "TrainingJob", newest_first=False)
        return {"TrainingJobSummaries": found, **token}

    def _summaries(self, scope: Scope, params: Mapping[str, Any]) -> list[Record]:
        key = self.key(scope, params)
        goal = self.get(key)["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        members = answer_members(_TRAININGS)["TrainingJobSummaries"].member.members
        jobs = (job for _, job in self._store.all("training-job", scope) if job.get("TuningJobArn") == key.arn)
        return [{**pick(job, *members), **_reached(job, goal)} for job in jobs]


def _reached(job: Record, goal: Mapping[str, str]) -> Record:
    value = objective(job, goal)
    if job["TrainingJobStatus"] in RUNNING:
        return {"ObjectiveStatus": "Pending"}
    if value is None or job["TrainingJobStatus"] == "Failed":
        return {"ObjectiveStatus": "Failed"}
    return {"ObjectiveStatus": "Succeeded", _REACHED: {**goal, "Value": value}}
