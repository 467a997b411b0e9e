"""The state-change events that SageMaker puts on EventBridge, with the details that AWS documents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.sagemaker.api.listing import pick
from local.sagemaker.common.scope import Scope
from local.sagemaker.state.outbox import Outbox
from local.sagemaker.state.store import Record

TRAINING_JOB = "SageMaker Training Job State Change"
TRANSFORM_JOB = "SageMaker Transform Job State Change"
ENDPOINT = "SageMaker Endpoint State Change"
MODEL_PACKAGE = "SageMaker Model Package State Change"


def training_job_changed(outbox: Outbox, scope: Scope, job: Record, tags: Mapping[str, str]) -> None:
    """Sent on every change of the job's status or secondary status."""
    detail = pick(
        job,
        "TrainingJobName",
        "TrainingJobArn",
        "TrainingJobStatus",
        "SecondaryStatus",
        "FailureReason",
        "HyperParameters",
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "ModelArtifacts",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "SecondaryStatusTransitions",
        "FinalMetricDataList",
    )
    outbox.event(scope, TRAINING_JOB, {**_in_milliseconds(detail), "Tags": dict(tags)}, job["TrainingJobArn"])


def transform_job_changed(outbox: Outbox, scope: Scope, job: Record, tags: Mapping[str, str]) -> None:
    """Sent on every change of the job's status."""
    detail = {member: value for member, value in job.items() if member != "LastModifiedTime"}
    outbox.event(scope, TRANSFORM_JOB, {**_in_milliseconds(detail), "Tags": dict(tags)}, job["TransformJobArn"])


def endpoint_changed(outbox: Outbox, scope: Scope, endpoint: Record, tags: Mapping[str, str], status: str = "") -> None:
    """Sent on every change of the endpoint's status, which events spell in capitals (``IN_SERVICE``)."""
    detail = pick(
        endpoint,
        "EndpointName",
        "EndpointArn",
        "EndpointConfigName",
        "ProductionVariants",
        "FailureReason",
        "CreationTime",
        "LastModifiedTime",
    )
    detail["EndpointStatus"] = _in_capitals(status or endpoint["EndpointStatus"])
    outbox.event(scope, ENDPOINT, {**_in_milliseconds(detail), "Tags": dict(tags)}, endpoint["EndpointArn"])


def model_package_changed(outbox: Outbox, scope: Scope, package: Record, updated: Sequence[str] = ()) -> None:
    """Sent when a package is made and when one of its members changes (`updated` names those)."""
    detail = _in_milliseconds(package)
    if updated:
        detail["UpdatedModelPackageFields"] = list(updated)
    outbox.event(scope, MODEL_PACKAGE, detail, package["ModelPackageArn"])


def _in_capitals(status: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).upper()


def _in_milliseconds(value: Any) -> Any:
    """Times are epoch seconds in the API and epoch milliseconds in events."""
    if isinstance(value, Mapping):
        return {
            name: int(item * 1000) if name.endswith("Time") and isinstance(item, float) else _in_milliseconds(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_in_milliseconds(item) for item in value]
    return value
