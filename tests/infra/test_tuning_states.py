"""A training workflow that tunes: the tuning job's request, its trials, the best one, and what becomes of failures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import training_state_names as names
from aws_cdk import App, Stack
from states_interpreter import Execution, TaskFailed, execute
from workflow_samples import (
    BEST,
    CONTEXT,
    PARTS,
    TRIALS,
    TUNE_REQUEST,
    TUNING_JOB,
    all_is_well,
    answers,
)

from stacks.common.names import Names
from stacks.config.environment import load_config
from stacks.training.job.metrics import METRICS
from stacks.training.workflow.definition import OBJECTIVE, training_definition


def run(request: dict[str, Any] = TUNE_REQUEST, **tasks: Callable[[Any], Any]) -> Execution:
    return execute(training_definition(PARTS), {}, all_is_well() | {names.CHECK: answers(request)} | tasks, CONTEXT)


def failing(cause: Any, error: str = "States.TaskFailed") -> Callable[[Any], Any]:
    def fails(_: Any) -> Any:
        raise TaskFailed(error, cause if isinstance(cause, str) else json.dumps(cause))

    return fails


def test_tuning_takes_the_place_of_the_training_job() -> None:
    """After the ingest come tuning job, trials and the best one; then the way is that of any training job."""
    visited = run().visited
    begun = visited.index(names.HOW)
    way = [names.TUNE, names.LIST_TRIALS, names.FOUND, names.DESCRIBE_BEST, names.KEEP, names.PLAN]
    assert visited[begun + 1 :][: len(way)] == way
    assert names.TRAIN not in visited and visited[-1] == names.DONE


@pytest.mark.parametrize("spot", [False, True])
def test_request_is_valid(assert_valid: Callable[[str, str, Any], None], spot: bool) -> None:
    """The tuning job's request has the shape of SageMaker's API, also with spot."""
    compute = {**TUNE_REQUEST["compute"], "spot": spot, "max_wait_seconds": 14400 if spot else None}
    made = run({**TUNE_REQUEST, "compute": compute}).arguments(names.TUNE)
    assert_valid("sagemaker", "CreateHyperParameterTuningJob", made)
    assert ("CheckpointConfig" in made["TrainingJobDefinition"]) == spot


def test_jobs_are_those_of_the_workflow() -> None:
    """Each training job is what the workflow starts without `tune`, with fixed values and one metric more."""
    made = run().arguments(names.TUNE)
    job = execute(training_definition(PARTS), {}, all_is_well(), CONTEXT).arguments(names.TRAIN)
    definition = made["TrainingJobDefinition"]
    for member in (
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "Environment",
    ):
        assert definition[member] == job[member], member
    fixed = {**TUNE_REQUEST["hyperparameters"], **PARTS.job.entry_point}
    assert definition["StaticHyperParameters"] == fixed
    metrics = definition["AlgorithmSpecification"]["MetricDefinitions"]
    assert metrics[-1] == OBJECTIVE and len(metrics) == len(METRICS) + 1
    assert made["HyperParameterTuningJobName"] == TUNING_JOB
    config = made["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2}
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": OBJECTIVE["Name"]}
    assert config["ParameterRanges"] == TUNE_REQUEST["tuning"]["ranges"]
    assert made["Tags"] == [{"Key": "project", "Value": "text-classifier"}]


def test_best_training_job_is_judged_with_its_values() -> None:
    """What is kept, judged and registered is the best one; fixed and chosen values, and all trials, go along."""
    execution = run()
    training = execution.arguments(names.JUDGE)["Payload"]["training"]
    assert training["job_name"] == BEST
    assert training["hyperparameters"] == {"base_model": "some/model", "seed": "7", "epochs": "3"}
    assert training["tuning"] == {
        "job": TUNING_JOB,
        "metric": "tuning_objective",
        "values": {"epochs": "3"},
        "trials": [
            {
                "job": f"{TUNING_JOB}-001-0badcafe",
                "values": {"epochs": "8"},
                "status": "Failed",
                "reason": "AlgorithmError: the training diverged",
            },
            {"job": BEST, "values": {"epochs": "3"}, "objective": 0.87, "status": "Completed", "seconds": 90},
        ],
    }
    assert execution.output["tuned"] == {"epochs": "3"} and execution.output["training_job"] == BEST
    metadata = execution.arguments(names.REGISTER)["CustomerMetadataProperties"]
    assert (metadata["tuning_job"], metadata["trials"]) == (TUNING_JOB, "2 - completed 1")
    assert metadata["training_job"] == BEST and "epochs=3" in metadata["hyperparameters"]


NONE = {"HyperParameterTuningJobStatus": "Failed", "FailureReason": "No training job succeeded after 5 attempts."}


def test_when_all_fail_the_reason_of_the_first_is_said() -> None:
    """A tuning job whose trials all fail ends the execution with what it says, and why its first trial failed."""
    execution = run(**{names.TUNE: failing(NONE), names.LIST_TRIALS: lambda _: {"TrainingJobSummaries": TRIALS[:1]}})
    assert execution.failure == {
        "Error": "NoTrialCompletedError",
        "Cause": f"No training job succeeded after 5 attempts. Of 1 trials of tuning job {TUNING_JOB} none completed "
        "with a validation result. The first that failed: AlgorithmError: the training diverged Next: see the log of "
        "its training jobs, and start again with other ranges.",
    }


def test_a_tuning_job_without_a_result_fails_the_execution() -> None:
    """Completed trials without the metric are no result; so are those of a tuning job that somebody stopped."""
    execution = run(**{names.TUNE: lambda _: {"HyperParameterTuningJobStatus": "Completed"}})
    assert execution.failure and execution.failure["Error"] == "NoTrialCompletedError"
    execution = run(**{names.TUNE: failing({"HyperParameterTuningJobStatus": "Stopped"})})
    assert execution.failure and "the job ended as Stopped" in execution.failure["Cause"]


def test_a_refused_tuning_job_fails_with_the_refusal() -> None:
    """Where there is no tuning job to ask about, the execution says why it was refused, and what to do."""
    refused = failing(
        "The account-level limit is 0 (ResourceLimitExceeded)", "SageMaker.ResourceLimitExceededException"
    )
    missing = failing("Requested resource not found", "SageMaker.ResourceNotFoundException")
    execution = run(**{names.TUNE: refused, names.LIST_TRIALS: missing})
    assert execution.failure and execution.failure["Error"] == "SageMaker.ResourceLimitExceededException"
    assert (
        "The account-level limit is 0" in execution.failure["Cause"] and "Service Quotas" in execution.failure["Cause"]
    )
    execution = run(**{names.LIST_TRIALS: failing("denied", "SageMaker.AccessDeniedException")})
    assert execution.failure == {"Error": "SageMaker.AccessDeniedException", "Cause": "denied"}


@pytest.mark.parametrize("project", ["text-classifier", "a", "nineteen-characters", "twenty-eight-characters-long"])
def test_names_fit_into_sagemakers_limit(cdk_context: dict[str, Any], project: str) -> None:
    """A tuning job's name is at most 32 characters long; a long prefix is cut, and a hash tells it from others."""

    def start(name: str) -> str:
        return Names(Stack(App()), load_config({**cdk_context, "project": name}.get, {})).tuning

    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}", f"{start(project)}-01234567")
    assert start(project) != start(f"{project[:-1]}z")
    assert start("text-classifier") == "text-classifier-dev"
