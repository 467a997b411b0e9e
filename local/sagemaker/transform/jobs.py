"""Create, describe, list and stop transform jobs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.sagemaker.common.names import Scope
from local.sagemaker.endpoints.serving import resolve
from local.sagemaker.jobs.calls import Jobs
from local.sagemaker.jobs.job import JobRecord
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context
from local.sagemaker.transform.request import check
from local.sagemaker.transform.run import TransformRun


class TransformRecord(JobRecord):
    """The record of one transform job."""

    activity = "Transform"

    def _phase_members(self, phase: str) -> dict[str, Any]:
        return {"TransformJobStatus": phase}


class TransformJobs(Jobs):
    """The batch transform part of the control plane."""

    kind = "transform-job"
    noun = "TransformJob"
    taken = "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    record_class = TransformRecord
    run_class = TransformRun
    first_phase = "InProgress"

    def __init__(self, context: Context, models: Models) -> None:
        super().__init__(context)
        self._models = models

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateTransformJob."""
        check(params)
        spec = resolve(self._models, scope, {"ModelName": params["ModelName"]})
        spec = replace(spec, environment=spec.environment | params.get("Environment", {}))
        return self._begin(self.key(scope, params), params, lambda record: TransformRun(self._context, record, spec))
