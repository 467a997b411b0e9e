"""Create, describe, list and stop training jobs."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ResourceInUse, ResourceLimitExceeded, ServiceError, ValidationException
from local.sagemaker.common.scope import Scope
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record
from local.sagemaker.training import metric_definitions
from local.sagemaker.training.hosts import check_instances
from local.sagemaker.training.record import KIND, RUNNING, TrainingRecord
from local.sagemaker.training.run import TrainingRun, job_folder

_DEFAULT_RUNTIME_SECONDS = 86_400
_DEFAULT_CONDITION = {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME_SECONDS}
_INTERRUPTED = "The local cloud was stopped while the job was running"


class TrainingJobs:
    """The training part of the control plane; owns the threads that run the jobs."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._runs: dict[tuple[Scope, str], TrainingRun] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Mark as failed what an earlier process left running."""
        for key, record in self._context.store.all(KIND):
            if record["TrainingJobStatus"] in RUNNING:
                shutil.rmtree(job_folder(self._context, key.scope, key.name), ignore_errors=True)
                TrainingRecord(self._context, key.scope, key.name).finish("Failed", "Failed", _INTERRUPTED)

    def stop(self) -> None:
        """End the scripts of all running jobs; `context.stopping` is set already."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.shut_down()
        deadline = time.monotonic() + self._context.settings.shutdown_grace_seconds + 6
        for run in runs:
            run.join(max(0.0, deadline - time.monotonic()))

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateTrainingJob."""
        _check(params)
        name = params["TrainingJobName"]
        arn = scope.arn(f"training-job/{name}")
        now = time.time()
        record: Record = {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
            **{member: value for member, value in params.items() if member != "Tags"},
            "StoppingCondition": _DEFAULT_CONDITION | params.get("StoppingCondition", {}),
            "TrainingJobArn": arn,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [],
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        with self._context.store.lock:
            if self._context.store.get(KIND, scope, name) is not None:
                raise ResourceInUse(
                    "Training job names must be unique within an AWS account and region, and a training job with this "
                    f"name already exists ({arn})"
                )
            self._check_limit(scope, params["ResourceConfig"].get("InstanceType", "instance"))
            self._context.store.put(KIND, scope, name, record)
            self._context.tags.put(scope, arn, params.get("Tags", []))
            run = self._prepare(scope, name)
            TrainingRecord(self._context, scope, name).enter("Starting")
            with self._lock:
                self._runs = {key: other for key, other in self._runs.items() if not other.ended}
                self._runs[(scope, name)] = run
            run.start()
        return {"TrainingJobArn": arn}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeTrainingJob."""
        return self._get(scope, params["TrainingJobName"])

    def stop_job(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """StopTrainingJob."""
        name = params["TrainingJobName"]
        with self._context.store.lock:
            status = self._get(scope, name)["TrainingJobStatus"]
            if status != "InProgress":
                raise ValidationException(f"The request was rejected because the training job is in status {status}.")
            TrainingRecord(self._context, scope, name).enter("Stopping", TrainingJobStatus="Stopping")
        with self._lock:
            run = self._runs.get((scope, name))
        if run is not None:
            run.stop()
        return {}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListTrainingJobs."""
        return page(
            [record for _, record in self._context.store.all(KIND, scope)],
            params,
            result="TrainingJobSummaries",
            name="TrainingJobName",
            status="TrainingJobStatus",
            newest_first=False,
            summary=lambda job: pick(
                job,
                "TrainingJobName",
                "TrainingJobArn",
                "CreationTime",
                "TrainingEndTime",
                "LastModifiedTime",
                "TrainingJobStatus",
                "SecondaryStatus",
            ),
        )

    def _prepare(self, scope: Scope, name: str) -> TrainingRun:
        """Raises ServiceError when its log file cannot be opened; then there is no job."""
        try:
            return TrainingRun(self._context, scope, name)
        except OSError as error:
            self._context.store.delete(KIND, scope, name)
            raise ServiceError("InternalFailure", f"The job could not be set up: {error}", 500) from error

    def _get(self, scope: Scope, name: str) -> Record:
        record = self._context.store.get(KIND, scope, name)
        if record is None:
            # The model documents ResourceNotFound; AWS answers this (github.com/aws/aws-sdk/issues/165).
            raise ValidationException("Requested resource not found.")
        return record

    def _check_limit(self, scope: Scope, instance_type: str) -> None:
        limit = self._context.settings.max_training_jobs
        running = sum(job["TrainingJobStatus"] in RUNNING for _, job in self._context.store.all(KIND, scope))
        if running >= limit:
            raise ResourceLimitExceeded(
                f"The account-level service limit '{instance_type} for training job usage' is {limit} Instances, with "
                f"current utilization of {running} Instances and a request delta of 1 Instances."
            )


def _check(params: Mapping[str, Any]) -> None:
    """What the service model does not say: members AWS wants all the same, and features that are not to be had here."""
    for member in ("AlgorithmSpecification", "ResourceConfig"):
        if member not in params:
            path = member[0].lower() + member[1:]
            raise ValidationException(
                f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
                "Member must not be null"
            )
    algorithm = params["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        _unsupported("a training job without AlgorithmSpecification.TrainingImage")
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        if member in algorithm:
            _unsupported(f"AlgorithmSpecification.{member} (it runs sagemaker_program instead of the image's command)")
    if algorithm["TrainingInputMode"] == "Pipe":
        _unsupported("TrainingInputMode Pipe")
    if params["OutputDataConfig"].get("CompressionType") == "NONE":
        _unsupported("OutputDataConfig.CompressionType NONE")
    check_instances(params)
    metric_definitions.check(algorithm.get("MetricDefinitions", []))
    _check_channels(params.get("InputDataConfig", []))
    condition = params.get("StoppingCondition", {})
    if params.get("EnableManagedSpotTraining") and condition.get("MaxWaitTimeInSeconds", 0) < condition.get(
        "MaxRuntimeInSeconds", _DEFAULT_RUNTIME_SECONDS
    ):
        raise ValidationException(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."
        )


def _check_channels(channels: list[Mapping[str, Any]]) -> None:
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        raise ValidationException(f"Channel names must be unique; given: {', '.join(names)}.")
    for channel in channels:
        name = channel["ChannelName"]
        if name.strip(".") == "":
            raise ValidationException(f"'{name}' is not a channel name.")
        source = channel["DataSource"].get("S3DataSource")
        if source is None or source["S3DataType"] != "S3Prefix":
            _unsupported(f"channel {name}: a data source other than S3DataSource with S3DataType S3Prefix")
        if channel.get("InputMode") == "Pipe" or channel.get("CompressionType") == "Gzip":
            _unsupported(f"channel {name}: InputMode Pipe or CompressionType Gzip")


def _unsupported(what: str) -> None:
    raise ValidationException(f"The local cloud does not support {what}.")
