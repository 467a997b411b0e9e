"""The input of an execution: a request that the later steps can read, or a refusal that says what is allowed."""

from __future__ import annotations

import json
from typing import Any

from fuzzing.run import Target
from launch.run import run
from launch_defaults import environment, sdk_metadata
from shared.errors import FunctionError

SEEDS: list[Any] = [
    {},
    {"data_source": "https://example.com/data/train.csv", "approval": "manual", "Comment": "a"},
    {
        "data_source": "s3://bucket/prefix/",
        "hyperparameters": {"epochs": 3, "learning_rate": 1e-4, "label_names": "a,b"},
    },
    {"instance_type": "ml.m5.xlarge", "instance_count": 2, "volume_gb": 50, "max_runtime_minutes": 90, "spot": True},
    {"gate": {"min_accuracy": 0.7, "min_f1": "auto", "margin": 0.05}, "dry_run": True},
    {"tune": {"max_jobs": 4, "parallel": 2, "ranges": {"epochs": [2, 4], "class_weights": ["none", "sqrt"]}}},
    {"training_job": "elsewhere", "hyperparameters": {"text_column": "a b", "delimiter": "semicolon"}},
]
JOB = {
    "TrainingJobStatus": "Completed",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/training/elsewhere/output/model.tar.gz"},
    "HyperParameters": {"epochs": '"5"'},
}


class Fuzzed(Target):
    """Starts the launch function, without SageMaker."""

    def __init__(self) -> None:
        super().__init__([json.dumps(seed).encode() for seed in SEEDS])
        self.meta = sdk_metadata()
        self.environment = environment(gate={"min_accuracy": "auto", "min_f1": 0.6, "margin": 0.02})

    def describe_training_job(self, **_: Any) -> dict[str, Any]:
        return JOB

    def check(self, data: bytes) -> None:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return  # Step Functions takes JSON alone
        try:
            result = run(event, self.environment, lambda: self)
        except FunctionError as error:
            message = str(error)
            assert message and message.isprintable(), message
            assert len(message) < 1_500
            return
        json.dumps(result, allow_nan=False).encode()
        assert all(isinstance(value, str) and len(value) <= 2500 for value in result["hyperparameters"].values())
        assert len(json.dumps(result)) < 256 * 1024
