"""An environment's training workflow, and what its tasks answer when everything goes well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import training_state_names as names

from stacks.common.container_image import ContainerImage
from stacks.config.environment import TrainingConfig
from stacks.serving.container import ServingContainer
from stacks.training.job.request import JobRecipe
from stacks.training.workflow.parts import WorkflowParts

JOB = "text-classifier-dev-20260101-120000-abcdef"
TRAINED_DATA = f"s3://artifacts/training/{JOB}/output/model.tar.gz"
SHA256 = "0123456789abcdef" * 4
MODEL_DATA = f"s3://artifacts/models/{SHA256}/model.tar.gz"
"""The kept archive."""
FILES = {"MODEL_FILES_SHA256": "feed" * 16}
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/7"
EVIDENCE = (names.CREATE_MODEL, names.TRANSFORM, names.RECORD_ANSWERS, names.DELETE_MODEL)
RECORDED = {"uri": "s3://artifacts/evidence/cafe/answers", "version": "v1", "sha256": "feed"}
STOP = names.STOP_TRANSFORM
CODE = "s3://assets/code.tar.gz"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/inference:1"

_ROLE = "arn:aws:iam::111122223333:role"
_FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function"

PARTS = WorkflowParts(
    partition="aws",
    name="text-classifier-dev",
    launch_function_arn=f"{_FUNCTION}:launch",
    ingest_function_arn=f"{_FUNCTION}:ingest",
    keep_function_arn=f"{_FUNCTION}:keep",
    plan_function_arn=f"{_FUNCTION}:plan",
    judge_function_arn=f"{_FUNCTION}:judge",
    job=JobRecipe(
        image="111122223333.dkr.ecr.us-east-1.amazonaws.com/training:1",
        role_arn=f"{_ROLE}/training",
        code_uri=CODE,
        code_version="0123abc",
        output_uri="s3://artifacts/training",
        environment={},
        tags={"project": "text-classifier"},
        settings=TrainingConfig(base_model="some/model"),
    ),
    git_revision="beef",
    container=ServingContainer(
        image=ContainerImage(uri=IMAGE, registry="111122223333", repository="inference", region="us-east-1"),
        environment={"HF_TASK": "text-classification"},
        pullable=(),
    ),
    evidence_role_arn=f"{_ROLE}/evidence",
    evidence_instance_type="ml.m5.large",
    package_group="text-classifier-dev",
    topic_arn="arn:aws:sns:us-east-1:111122223333:text-classifier-dev-notifications",
    serving_stack="text-classifier-dev-serving",
    poll_seconds=15,
)

REQUEST: dict[str, Any] = {
    "mode": "train",
    "job_name": JOB,
    "data_source": None,
    "hyperparameters": {"base_model": "some/model", "epochs": "3"},
    "tuning": None,
    "compute": {
        "instance_type": "ml.m5.xlarge",
        "instance_count": 1,
        "volume_gb": 50,
        "max_runtime_seconds": 7200,
        "spot": False,
        "max_wait_seconds": None,
    },
    "gate": {"min_accuracy": 0.8, "min_f1": 0.8, "margin": 0.0275},
    "approval": "auto",
    "training": None,
}
ELSEWHERE: dict[str, Any] = {
    "job_name": "by-hand",
    "model_data": "s3://artifacts/training/by-hand/output/model.tar.gz",
    "output_uri": "s3://artifacts/training/by-hand/output/output.tar.gz",
    "hyperparameters": {"epochs": "5"},
    "metrics": {"test_accuracy": 0.9},
    "data_source": "s3://data/datasets/latest/train/",
    "code_uri": CODE,
    "image": "training:2",
}
INGESTED = {
    "train_uri": "s3://data/datasets/1/train/",
    "test_uri": "s3://data/datasets/1/test/",
    "data_sha256": "f00d",
    "source": 'https://example.com/a?b="c"',
    "fell_back": False,
    "reason": "",
}
TRAINED = {
    "TrainingJobName": JOB,
    "AlgorithmSpecification": {"TrainingImage": "training:1", "TrainingInputMode": "File"},
    "ModelArtifacts": {"S3ModelArtifacts": TRAINED_DATA},
    "OutputDataConfig": {"S3OutputPath": "s3://artifacts/training"},
    "HyperParameters": {"epochs": "3", "sagemaker_submit_directory": CODE},
    "FinalMetricDataList": [
        {"MetricName": "test_accuracy", "Value": 0.86901, "Timestamp": 1},
        {"MetricName": "test_f1", "Value": 0.904, "Timestamp": 1},
    ],
}
TUNING_JOB = "text-classifier-dev-0123abcd"
BEST = f"{TUNING_JOB}-002-feedbeef"
TUNE_REQUEST: dict[str, Any] = REQUEST | {
    "mode": "tune",
    "job_name": TUNING_JOB,
    "hyperparameters": {"base_model": "some/model", "seed": "7"},
    "tuning": {
        "max_jobs": 3,
        "parallel": 2,
        "strategy": "Bayesian",
        "early_stopping": "Auto",
        "ranges": {"IntegerParameterRanges": [{"Name": "epochs", "MinValue": "2", "MaxValue": "8"}]},
    },
}
TRIALS: list[dict[str, Any]] = [
    {
        "TrainingJobName": f"{TUNING_JOB}-001-0badcafe",
        "TrainingJobStatus": "Failed",
        "TunedHyperParameters": {"epochs": "8"},
        "FailureReason": "AlgorithmError: the training diverged",
    },
    {
        "TrainingJobName": BEST,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"epochs": "3"},
        "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "tuning_objective", "Value": 0.87},
        "TrainingStartTime": "2026-01-01T12:00:00.000Z",
        "TrainingEndTime": "2026-01-01T12:01:30.000Z",
    },
]


def to_score(who: str) -> dict[str, Any]:
    """What the plan says of an artifact whose answers are missing."""
    return {
        "who": who,
        "model_name": f"text-classifier-dev-evidence-{who}",
        "image": IMAGE,
        "model_data": MODEL_DATA,
        "environment": {"HF_TASK": "text-classification"},
        "transform_job_name": f"text-classifier-dev-evidence-{who}",
        "input_uri": "s3://artifacts/evidence/cafe/sentences.jsonl",
        "output_uri": f"s3://artifacts/evidence/cafe/{who}",
        "evidence_uri": f"s3://artifacts/evidence/cafe/{who}/sentences.jsonl.out",
    }


def plan(*who: str) -> dict[str, Any]:
    """A plan by which these have to answer."""
    champion = {"package_arn": PACKAGE, "version": "6", "evidence": None} if "champion" in who else None
    challenger = {"image": IMAGE}
    return {"rows": 2000, "champion": champion, "challenger": challenger, "to_score": [to_score(name) for name in who]}


VERDICT = {
    "passed": True,
    "status": "Approved",
    "summary": "Approved: 2000 sentences, accuracy 0.869",
    "metadata": {"verdict": "passed", "accuracy": "0.869", "compared_with": "none"},
    "report_uri": f"s3://artifacts/training/{JOB}/evaluation/report.html",
    "statistics_uri": f"s3://artifacts/training/{JOB}/evaluation/verdict.json",
    "baseline_uri": f"s3://artifacts/training/{JOB}/evaluation/baseline.json",
    "numbers": {"accuracy": 0.869},
}


def asked(who: str, error: str | None = None, answered: bool = True) -> dict[str, Any]:
    """The outcome of an artifact's turn; `answered`: whether the model itself had its say."""
    outcome = {"who": who, "error": error, "asked": answered}
    return outcome if error is not None else {**outcome, "evidence": RECORDED}


def answers(payload: Any) -> Callable[[Any], Any]:
    """A Lambda that always answers this."""
    return lambda _: {"Payload": payload}


def serves(package: str | None, status: str = "UPDATE_COMPLETE") -> Callable[[Any], Any]:
    """A serving stack with this champion."""
    parameters = [{"ParameterKey": "ModelPackageArn", "ParameterValue": package or ""}]
    return lambda _: {"Stacks": [{"StackStatus": status, "Parameters": parameters}]}


def all_is_well() -> dict[str, Callable[[Any], Any]]:
    """State → its task: data, job, the challenger alone to be scored, approval."""
    return {
        names.CHECK: answers(REQUEST),
        names.INGEST: answers(INGESTED),
        names.TRAIN: lambda _: TRAINED,
        names.TUNE: lambda _: {"BestTrainingJob": {"TrainingJobName": BEST}},
        names.LIST_TRIALS: lambda _: {"TrainingJobSummaries": TRIALS},
        names.DESCRIBE_BEST: lambda _: {**TRAINED, "TrainingJobName": BEST},
        names.KEEP: answers({"model_data": MODEL_DATA, "sha256": SHA256, "environment": FILES}),
        names.PLAN: answers(plan("challenger")),
        **{name: lambda _: {} for name in (*EVIDENCE, STOP)},
        names.RECORD_ANSWERS: answers(RECORDED),
        names.JUDGE: answers(VERDICT),
        names.LOOK: serves(None),
        names.REGISTER: lambda _: {"ModelPackageArn": PACKAGE},
        names.RECORD: lambda _: {"ModelPackageArn": PACKAGE},
        names.REPORT: lambda _: {"MessageId": "1"},
    }


CONTEXT = {"Execution": {"Name": "run-1"}}
"""What the states find in `$states.context`."""
