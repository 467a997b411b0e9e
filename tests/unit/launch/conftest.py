"""Defaults of a configuration, the instance types that the AWS SDK knows, and a SageMaker that knows given jobs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

import launch_defaults
from launch.settings import Settings


class FakeSageMaker:
    """DescribeTrainingJob on jobs in a dict, and the SDK's own description of the service."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.error = "ValidationException"
        self.asked: list[str] = []

    @property
    def meta(self) -> Any:
        return launch_defaults.sdk_metadata()

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        self.asked.append(TrainingJobName)
        if TrainingJobName not in self.jobs:
            error = {"Error": {"Code": self.error, "Message": "Requested resource not found."}}
            raise ClientError(error, "DescribeTrainingJob")
        return self.jobs[TrainingJobName]


@pytest.fixture
def sagemaker() -> FakeSageMaker:
    return FakeSageMaker()


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables as the stack sets them."""
    return launch_defaults.environment()


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return Settings.from_environment(environment)


@pytest.fixture
def parse(settings: Settings, sagemaker: FakeSageMaker) -> Any:
    """Parses an input on top of the defaults above."""
    from launch.execution_input import parse as parse_input

    def types() -> tuple[str, ...]:
        return tuple(sagemaker.meta.service_model.shape_for("TrainingInstanceType").enum)

    return lambda event: parse_input(event, settings.defaults, types)


@pytest.fixture
def finished() -> dict[str, Any]:
    """What SageMaker says of a finished job that the SDK started, whose values are JSON in JSON."""
    return {
        "TrainingJobName": "elsewhere",
        "TrainingJobStatus": "Completed",
        "AlgorithmSpecification": {"TrainingImage": "training:1", "TrainingInputMode": "File"},
        "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/training/elsewhere/output/model.tar.gz"},
        "HyperParameters": {
            "epochs": '"5"',
            "base_model": "distilbert-base-uncased",
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://code/abc.tar.gz"',
        },
        "FinalMetricDataList": [
            {"MetricName": "test_accuracy", "Value": 0.8125, "Timestamp": 1.0},
            {"MetricName": "train_loss", "Value": float("nan"), "Timestamp": 1.0},
        ],
        "InputDataConfig": [
            {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3Uri": "s3://data/t/"}}},
            {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://data/datasets/ab/train/"}}},
        ],
    }
