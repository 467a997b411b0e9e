"""Hyperparameters tuned from a terminal and from the console: the best on the validation split is what is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aws_console import Console
from local_project import LocalProject

pytestmark = pytest.mark.e2e
RANGES = {"learning_rate": [1e-5, 1e-3], "epochs": [1, 3]}


@pytest.mark.parametrize("jobs", [2, pytest.param(8, marks=pytest.mark.nightly(part="releases"))])
def test_the_best_on_the_validation_split_is_judged(project: LocalProject, jobs: int, tell: Any) -> None:
    """`make train TUNE=…` shows how far it is; the best of the completed trials is judged, and the report says so."""
    tune = {"max_jobs": jobs, "parallel": 2, "early_stopping": jobs > 2, "ranges": RANGES}
    printed = project.make("train", f"TUNE={json.dumps(tune)}", "APPROVAL=never").stdout
    assert f"{jobs} trials: " in printed and "; best so far 0." in printed, printed
    console = Console(project)
    output = json.loads(console.wait(console.executions("training")[0]["executionArn"])["output"])
    metadata = console.package(output["model_package_arn"])["CustomerMetadataProperties"]
    trials = console.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=metadata["tuning_job"], MaxResults=100
    )["TrainingJobSummaries"]
    reached = {
        trial["TrainingJobName"]: trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for trial in trials
        if trial["TrainingJobStatus"] == "Completed"
    }
    tell(f"{len(trials)} trials, {len(reached)} completed: {sorted(reached.values(), reverse=True)}")
    assert len(trials) == jobs and len({json.dumps(trial["TunedHyperParameters"]) for trial in trials}) > 1
    best = output["training_job"]
    assert reached[best] == max(reached.values()) and metadata["training_job"] == best
    job = console.sagemaker.describe_training_job(TrainingJobName=best)
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["eval_accuracy"] == reached[best]
    tuned = {name: job["HyperParameters"][name] for name in RANGES}
    assert output["tuned"] == tuned
    assert all(f"{name}={value}" in metadata["hyperparameters"] for name, value in tuned.items())
    page = console.read(output["verdict"]["report_uri"]).decode()
    assert page.count(metadata["tuning_job"]) > jobs and f"{best} (judged)" in page
    assert all(value in page for trial in trials for value in trial["TunedHyperParameters"].values())
    statistics = console.package(output["model_package_arn"])["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert [one["job"] for one in json.loads(console.read(statistics))["gate"]["tuning"]["trials"]] == sorted(
        trial["TrainingJobName"] for trial in trials
    )


def test_when_every_trial_fails_the_execution_says_why(project: LocalProject) -> None:
    """The cause of the failure is that of the first trial; nothing is registered, and nothing goes on running."""
    console = Console(project)
    before = console.left_over()
    wrong = {"hyperparameters": {"base_model": "package:nowhere"}, "tune": {"max_jobs": 2, "ranges": RANGES}}
    ended = console.wait(console.start(wrong), 120)
    assert (ended["status"], ended["error"]) == ("FAILED", "NoTrialCompletedError")
    assert "Of 2 trials" in ended["cause"] and "nowhere" in ended["cause"], ended["cause"]
    assert console.left_over() == before
