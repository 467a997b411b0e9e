"""The public face of the local SageMaker: one object that answers the API's calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.sagemaker.api import validation
from local.sagemaker.common.errors import UnknownOperation
from local.sagemaker.common.hooks import Hooks
from local.sagemaker.common.scope import Scope
from local.sagemaker.common.settings import Settings
from local.sagemaker.endpoints.configs import EndpointConfigs
from local.sagemaker.endpoints.endpoints import Endpoints
from local.sagemaker.endpoints.invocation import Invocations, InvokeResult
from local.sagemaker.endpoints.runtime import EndpointRuntime
from local.sagemaker.models.models import Models
from local.sagemaker.models.package_groups import PackageGroups
from local.sagemaker.models.registry import ModelPackages
from local.sagemaker.state.context import build_context
from local.sagemaker.training.jobs import TrainingJobs
from local.sagemaker.transform.jobs import TransformJobs

__all__ = ["InvokeResult", "SageMakerService"]

_Handler = Callable[[Scope, Mapping[str, Any]], dict[str, Any]]


class SageMakerService:
    """The SageMaker API of one machine. `handle` and `invoke_endpoint` may be called from any thread.

    Training scripts and model servers are child processes; none of them outlives this process, even if it is killed.
    """

    def __init__(self, settings: Settings, hooks: Hooks) -> None:
        self._context = build_context(settings, hooks)
        self._training_jobs = TrainingJobs(self._context)
        self._models = Models(self._context)
        self._transform_jobs = TransformJobs(self._context, self._models)
        self._runtime = EndpointRuntime(self._context)
        self._invocations = Invocations(self._context, self._runtime)
        self._handlers = self._build_handlers()

    @property
    def actions(self) -> frozenset[str]:
        """The actions that `handle` knows."""
        return frozenset(self._handlers)

    def start(self) -> None:
        """Take up the state on disk; returns at once. To be called once the surrounding cloud answers.

        Jobs that were running are marked as failed; endpoints come up again in the background, which takes their
        artifacts from the object store.
        """
        for folder in (self._context.settings.state_dir, self._context.settings.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
        validation.service_model()  # read now, not during the first request
        self._context.store.load()
        self._context.outbox.start()
        self._training_jobs.start()
        self._transform_jobs.start()
        self._runtime.start()

    def stop(self) -> None:
        """End every child process and thread; blocks for a few seconds at most. An object is not started twice."""
        self._context.stopping.set()
        self._training_jobs.stop()
        self._transform_jobs.stop()
        self._runtime.stop()
        self._context.outbox.stop()

    def handle(self, action: str, params: Mapping[str, Any], *, account: str, region: str) -> dict[str, Any]:
        """Answer one control-plane call, e.g. ``CreateTrainingJob``. Quick: no hook is called in it.

        `params` and the answer are as in botocore's shapes, times as epoch seconds. Raises ServiceError.
        """
        handler = self._handlers.get(action)
        if handler is None:
            if validation.knows_action(action):
                raise UnknownOperation(f"The local cloud does not implement sagemaker:{action}.")
            raise UnknownOperation(f"SageMaker has no operation {action}.")
        validation.validate(action, params)
        given = {member: value for member, value in params.items() if value is not None}
        return handler(Scope(account, region), given)

    def invoke_endpoint(
        self,
        name: str,
        body: bytes,
        content_type: str,
        accept: str,
        headers: Mapping[str, str],
        *,
        account: str,
        region: str,
    ) -> InvokeResult:
        """Answer InvokeEndpoint; blocks until the model has answered (at most `invocation_seconds`).

        `headers`: the request's, of which ``X-Amzn-SageMaker-*`` matter. Raises ServiceError.
        """
        return self._invocations.invoke(Scope(account, region), name, body, content_type, accept, headers)

    def _build_handlers(self) -> dict[str, _Handler]:
        models = self._models
        configs = EndpointConfigs(self._context, models)
        endpoints = Endpoints(self._context, models, configs, self._runtime)
        groups = PackageGroups(self._context)
        packages = ModelPackages(self._context)
        jobs, transforms, tags = self._training_jobs, self._transform_jobs, self._context.tags
        return {
            "CreateTrainingJob": jobs.create,
            "DescribeTrainingJob": jobs.describe,
            "ListTrainingJobs": jobs.list_all,
            "StopTrainingJob": jobs.stop_job,
            "CreateTransformJob": transforms.create,
            "DescribeTransformJob": transforms.describe,
            "ListTransformJobs": transforms.list_all,
            "StopTransformJob": transforms.stop_job,
            "CreateModel": models.create,
            "DescribeModel": models.describe,
            "ListModels": models.list_all,
            "DeleteModel": models.delete,
            "CreateEndpointConfig": configs.create,
            "DescribeEndpointConfig": configs.describe,
            "ListEndpointConfigs": configs.list_all,
            "DeleteEndpointConfig": configs.delete,
            "CreateEndpoint": endpoints.create,
            "DescribeEndpoint": endpoints.describe,
            "ListEndpoints": endpoints.list_all,
            "UpdateEndpoint": endpoints.update,
            "DeleteEndpoint": endpoints.delete,
            "CreateModelPackageGroup": groups.create,
            "DescribeModelPackageGroup": groups.describe,
            "ListModelPackageGroups": groups.list_all,
            "DeleteModelPackageGroup": groups.delete,
            "CreateModelPackage": packages.create,
            "DescribeModelPackage": packages.describe,
            "ListModelPackages": packages.list_all,
            "UpdateModelPackage": packages.update,
            "DeleteModelPackage": packages.delete,
            "AddTags": tags.add_tags,
            "ListTags": tags.list_tags,
            "DeleteTags": tags.delete_tags,
        }
