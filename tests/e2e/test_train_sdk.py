"""Training jobs that no workflow starts: the SageMaker SDK's, and a released model's once more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.proves("make train-sdk")
def test_the_sagemaker_sdk_launches_the_same_job(project: Any) -> None:
    """ModelTrainer's job has image, role, code, program and metrics of the workflow's, which CloudWatch shows."""
    client = project.client("sagemaker")
    workflow_job = client.list_training_jobs(SortOrder="Ascending")["TrainingJobSummaries"][0]["TrainingJobName"]
    output = project.make("train-sdk", "HYPERPARAMETERS=epochs=1", "DATA=").stdout
    sdk_job = next(line.split()[-1] for line in output.splitlines() if line.startswith("Training job "))
    one, other = (client.describe_training_job(TrainingJobName=name) for name in (workflow_job, sdk_job))
    assert other["TrainingJobStatus"] == "Completed"
    assert "s3://" in output
    for same in (
        "AlgorithmSpecification.TrainingImage",
        "AlgorithmSpecification.MetricDefinitions",
        "RoleArn",
        "HyperParameters.sagemaker_program",
        "HyperParameters.sagemaker_submit_directory",
        "ResourceConfig.InstanceType",
    ):
        values = []
        for description in (one, other):
            for part in same.split("."):
                description = description[part]
            values.append(str(description).strip('"'))
        assert values[0] == values[1], same
    curve = project.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs",
        MetricName="eval_loss",
        Dimensions=[{"Name": "TrainingJobName", "Value": sdk_job}],
        StartTime=other["TrainingStartTime"] - timedelta(minutes=1),
        EndTime=other["TrainingEndTime"] + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    last = {entry["MetricName"]: entry["Value"] for entry in other["FinalMetricDataList"]}
    assert [point["Maximum"] for point in curve["Datapoints"]] == [last["eval_loss"]]


@pytest.mark.proves("make reproduce", "make reproduce PACKAGE=1")
def test_a_released_model_is_trained_again_with_equal_figures(project: Any) -> None:
    """On the machine that trained it every figure and every weight is equal, and nothing is registered."""
    client = project.client("sagemaker")
    packages = client.list_model_packages(ModelPackageGroupName="text-classifier-local")["ModelPackageSummaryList"]
    printed = project.make("reproduce", "PACKAGE=1", "ARGS=--json").stdout
    answer = json.loads(printed[printed.index("\n{\n") :])  # after the log
    assert answer["agrees"] and answer["same_data"] and answer["weights_equal"] and answer["differs"] == []
    assert {row["figure"] for row in answer["figures"]} >= {"test accuracy", "test f1", "validation accuracy"}
    again = client.list_model_packages(ModelPackageGroupName="text-classifier-local")["ModelPackageSummaryList"]
    assert [one["ModelPackageArn"] for one in again] == [one["ModelPackageArn"] for one in packages]
    refused = project.make("train", f"TRAINING_JOB={answer['training_job']}", check=False)
    assert refused.returncode != 0 and "no name of this environment's jobs" in refused.stdout
