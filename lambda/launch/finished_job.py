"""A training job that somebody started elsewhere, as evidence-to-be: its artifact, metrics and hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from classifier.job.hyperparameters import IGNORED_PREFIX
from classifier.job.hyperparameter_rules import unquote
from launch.errors import InvalidExecutionInput, TrainingJobUnreadable
from launch.words import shortened

FIELD = "training_job"
_MODEL = "model.tar.gz"
_OUTPUT = "output.tar.gz"
_CODE = f"{IGNORED_PREFIX}submit_directory"
_NOT_FOUND = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")
_FINISHED = "the name of a training job with status Completed"


def finished_job(name: str, artifacts_uri: str, sagemaker: Any) -> dict[str, Any]:
    """What the workflow needs to know of a finished job, in the shape of the training step's own result.

    Args:
        name: the job's name.
        artifacts_uri: ``s3://bucket/folder`` below which the role of the endpoint may read.
        sagemaker: a boto3 client.

    Returns:
        ``job_name``, ``model_data``, ``output_uri`` (the job's second archive, if it wrote one), ``hyperparameters``,
        ``metrics``, ``data_source`` (its channel ``train``, or None) and ``code_uri`` (its code tarball, or None).

    Raises:
        InvalidExecutionInput: there is no such job, it is not finished, or its artifact lies elsewhere.
        TrainingJobUnreadable: SageMaker does not say.
    """
    job = _describe(name, sagemaker)
    status = job["TrainingJobStatus"]
    if status != "Completed":
        reason = f" ({shortened(job['FailureReason'])})" if job.get("FailureReason") else ""
        raise InvalidExecutionInput(FIELD, f"{name} has the status {status}{reason}", _FINISHED)
    model_data = job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    _check_artifact(name, model_data, artifacts_uri)
    return {
        "job_name": name,
        "model_data": model_data,
        "output_uri": model_data.removesuffix(_MODEL) + _OUTPUT,
        "hyperparameters": _hyperparameters(job.get("HyperParameters", {})),
        "metrics": _metrics(job.get("FinalMetricDataList", [])),
        "data_source": _train_channel(job.get("InputDataConfig", [])),
        "code_uri": unquote(job.get("HyperParameters", {}).get(_CODE, "")) or None,
    }


def _describe(name: str, sagemaker: Any) -> Mapping[str, Any]:
    try:
        return sagemaker.describe_training_job(TrainingJobName=name)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _NOT_FOUND:
            raise InvalidExecutionInput(
                FIELD, f"{name} does not exist in this account and region", _FINISHED
            ) from error
        raise TrainingJobUnreadable(name, code) from error
    except BotoCoreError as error:
        raise TrainingJobUnreadable(name, type(error).__name__) from error


def _check_artifact(name: str, model_data: str, artifacts_uri: str) -> None:
    root = artifacts_uri.rstrip("/") + "/"
    if model_data.startswith(root) and model_data.endswith(f"/{_MODEL}"):
        return
    where = f"has its model at {shortened(model_data)}" if model_data else "has no model"
    raise InvalidExecutionInput(
        FIELD,
        f"{name} {where}",
        f"a job whose {_MODEL} lies below {root}, because the endpoint's role reads only there; "
        "start the job with this output path",
    )


def _hyperparameters(raw: Mapping[str, str]) -> dict[str, str]:
    """Launchers of the SDK write each value as JSON (``"5"`` in quotes), the console does not."""
    return {name: unquote(value) for name, value in raw.items() if not name.startswith(IGNORED_PREFIX)}


def _metrics(final: list[Mapping[str, Any]]) -> dict[str, float]:
    # A value that is no number has no place in JSON, and Step Functions would refuse the whole answer.
    return {metric["MetricName"]: metric["Value"] for metric in final if math.isfinite(metric["Value"])}


def _train_channel(channels: list[Mapping[str, Any]]) -> str | None:
    for channel in channels:
        if channel["ChannelName"] == "train":
            return channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri")
    return None
