"""What the launch function has around it: the variables of its stack, and the AWS SDK's description of SageMaker."""

from __future__ import annotations

import functools
import json
from typing import Any

import boto3

DEFAULTS: dict[str, Any] = {
    "hyperparameters": {"base_model": "distilbert-base-uncased", "seed": 1},
    "compute": {
        "instance_type": "ml.g4dn.xlarge",
        "instance_count": 1,
        "volume_gb": 30,
        "max_runtime_minutes": 60,
        "spot": False,
    },
    "gate": {"min_accuracy": 0.7, "min_f1": 0.6, "margin": 0.02},
    "approval": "auto",
    "offline": False,
}


def environment(**defaults: Any) -> dict[str, str]:
    """The variables as the stack sets them; `defaults` replace those above."""
    return {
        "DEFAULTS": json.dumps({**DEFAULTS, **defaults}),
        "JOB_NAME_PREFIX": "text-classifier-dev",
        "TUNING_NAME_PREFIX": "text-classifier-dev",
        "ARTIFACTS_URI": "s3://artifacts/training",
    }


@functools.cache
def sdk_metadata() -> Any:
    """The SDK's own description of the service."""
    return boto3.client("sagemaker", region_name="us-east-1").meta
