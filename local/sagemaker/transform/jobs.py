"""Create, describe, list and stop transform jobs."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ResourceInUse, ServiceError, ValidationException
from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.deployment import resolve_model
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record
from local.sagemaker.transform import request as transform_request
from local.sagemaker.transform.run import TransformRun, job_folder
from local.sagemaker.transform.status import KIND, RUNNING, TransformStatus

_INTERRUPTED = "The local cloud was stopped while the job was running"


class TransformJobs:
    """The batch transform part of the control plane; owns the threads that run the jobs."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context = context
        self._models = models
        self._runs: dict[tuple[Scope, str], TransformRun] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Mark as failed what an earlier process left running."""
        for key, record in self._context.store.all(KIND):
            if record["TransformJobStatus"] in RUNNING:
                shutil.rmtree(job_folder(self._context, key.scope, key.name), ignore_errors=True)
                TransformStatus(self._context, key.scope, key.name).finish("Failed", _INTERRUPTED)

    def stop(self) -> None:
        """End the model servers of all running jobs; `context.stopping` is set already."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.stop()
        deadline = time.monotonic() + self._context.settings.shutdown_grace_seconds + 6
        for run in runs:
            run.join(max(0.0, deadline - time.monotonic()))

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateTransformJob."""
        transform_request.check(params)
        spec = resolve_model(self._models, scope, params["ModelName"])
        spec = replace(spec, environment=spec.environment | params.get("Environment", {}))
        name = params["TransformJobName"]
        arn = scope.arn(f"transform-job/{name}")
        now = time.time()
        record: Record = {
            **{member: value for member, value in params.items() if member != "Tags"},
            "TransformJobArn": arn,
            "TransformJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        with self._context.store.lock:
            if self._context.store.get(KIND, scope, name) is not None:
                raise ResourceInUse(
                    "Job name must be unique within an AWS account and region, and a job with this name already "
                    f"exists ({arn})"
                )
            self._context.store.put(KIND, scope, name, record)
            try:
                run = TransformRun(self._context, scope, name, spec)
            except OSError as error:
                self._context.store.delete(KIND, scope, name)
                raise ServiceError("InternalFailure", f"The job could not be set up: {error}", 500) from error
            self._context.tags.put(scope, arn, params.get("Tags", []))
            TransformStatus(self._context, scope, name).enter("InProgress")
            run.start()
            with self._lock:
                self._runs = {key: other for key, other in self._runs.items() if not other.ended}
                self._runs[(scope, name)] = run
        return {"TransformJobArn": arn}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeTransformJob."""
        record = self._get(scope, params["TransformJobName"])
        return {member: value for member, value in record.items() if member != "LastModifiedTime"}

    def stop_job(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """StopTransformJob: Stopping, then Stopped; objects answered so far keep their output."""
        name = params["TransformJobName"]
        with self._context.store.lock:
            status = self._get(scope, name)["TransformJobStatus"]
            if status != "InProgress":
                raise ValidationException(f"The request was rejected because the transform job is in status {status}.")
            TransformStatus(self._context, scope, name).enter("Stopping")
        with self._lock:
            run = self._runs.get((scope, name))
        if run is not None:
            run.stop()
        return {}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListTransformJobs."""
        return page(
            [record for _, record in self._context.store.all(KIND, scope)],
            params,
            result="TransformJobSummaries",
            name="TransformJobName",
            status="TransformJobStatus",
            summary=lambda job: pick(
                job,
                "TransformJobName",
                "TransformJobArn",
                "CreationTime",
                "TransformEndTime",
                "LastModifiedTime",
                "TransformJobStatus",
                "FailureReason",
            ),
        )

    def _get(self, scope: Scope, name: str) -> Record:
        record = self._context.store.get(KIND, scope, name)
        if record is None:
            raise ValidationException("Requested resource not found.")
        return record
