"""Describes a training job that was started outside the workflow: its artifact, metrics and hyperparameters."""

import math
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from classifier.job.hyperparameter_rules import unquote
from classifier.job.hyperparameters import IGNORED, IGNORED_PREFIX
from shared.errors import FunctionError, InvalidExecutionInputError
from shared.words import shortened

_MODEL = "model.tar.gz"
_OUTPUT = "output.tar.gz"
_CODE = f"{IGNORED_PREFIX}submit_directory"
_NOT_FOUND = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")
_FINISHED = "the name of a training job with status Completed"


class TrainingJobUnreadableError(FunctionError):
    """SageMaker did not describe the training job."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(
            f"cannot describe training job {name}: SageMaker answered {code}. "
            "Check this function's role, or start again."
        )


def finished_job(name: str, prefix: str, artifacts_uri: str, sagemaker: Any) -> dict[str, Any]:
    """Return what the workflow needs to know of a finished job, in the form of the training step's own result.

    That is `job_name`, `model_data`, `output_uri` (the job's second archive, if it wrote one), `hyperparameters`,
    `metrics`, `data_source` (its channel `train`, or None), `code_uri` (its code archive, or None) and `image`.

    Raises InvalidExecutionInputError: There is no such job, its name does not begin with `prefix` and a hyphen, it is
    not finished, or its artifact does not lie below `artifacts_uri`, where the endpoint's role may read. Raises
    TrainingJobUnreadableError: there was no description.
    """
    if not name.startswith(f"{prefix}-"):
        allowed = f"a job whose name begins with {prefix}-; none can be renamed, so start it again under such a name"
        raise _invalid(f"{name} is no name of this environment's jobs", allowed)
    job = _describe(name, sagemaker)
    status = job["TrainingJobStatus"]
    if status != "Completed":
        reason = f" ({shortened(job['FailureReason'])})" if job.get("FailureReason") else ""
        raise _invalid(f"{name} has the status {status}{reason}")
    model_data = job.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    _check_artifact(name, model_data, artifacts_uri)
    hyperparameters = job.get("HyperParameters", {})
    return {
        "job_name": name,
        "model_data": model_data,
        "output_uri": model_data.removesuffix(_MODEL) + _OUTPUT,
        # Launchers of the SDK write each value as JSON (`"5"` in quotes); the console does not.
        "hyperparameters": {
            key: unquote(value) for key, value in hyperparameters.items() if not key.startswith(IGNORED)
        },
        # JSON has no NaN, and Step Functions would refuse the whole result.
        "metrics": {
            metric["MetricName"]: metric["Value"]
            for metric in job.get("FinalMetricDataList", [])
            if math.isfinite(metric["Value"])
        },
        "data_source": _train_channel(job.get("InputDataConfig", [])),
        "code_uri": unquote(hyperparameters.get(_CODE, "")) or None,
        "image": job.get("AlgorithmSpecification", {}).get("TrainingImage"),
    }


def _invalid(problem: str, allowed: str = _FINISHED) -> InvalidExecutionInputError:
    return InvalidExecutionInputError("training_job", problem, allowed)


def _describe(name: str, sagemaker: Any) -> Mapping[str, Any]:
    try:
        job: Mapping[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in _NOT_FOUND:
            raise _invalid(f"{name} does not exist in this account and region") from error
        raise TrainingJobUnreadableError(name, code) from error
    except BotoCoreError as error:
        raise TrainingJobUnreadableError(name, type(error).__name__) from error
    return job


def _check_artifact(name: str, model_data: str, artifacts_uri: str) -> None:
    root = artifacts_uri.rstrip("/") + "/"
    if model_data.startswith(root) and model_data.endswith(f"/{_MODEL}"):
        return
    raise _invalid(
        f"{name} has its model at {shortened(model_data)}" if model_data else f"{name} has no model",
        f"a job whose {_MODEL} lies below {root}, because the endpoint's role reads only there; "
        "start the job with this output path",
    )


def _train_channel(channels: list[Mapping[str, Any]]) -> str | None:
    for channel in channels:
        if channel["ChannelName"] == "train":
            uri: str | None = channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri")
            return uri
    return None
