"""The public face of the local SageMaker: one object that answers the API's calls."""

from collections.abc import Mapping
from typing import Any

from local.sagemaker.api import validation
from local.sagemaker.api.resources import Handler
from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.names import Scope
from local.sagemaker.common.settings import Settings
from local.sagemaker.common.surroundings import Surroundings
from local.sagemaker.endpoints.endpoints import EndpointConfigs, Endpoints
from local.sagemaker.endpoints.invocation import Invocations
from local.sagemaker.endpoints.runtime import EndpointRuntime
from local.sagemaker.models.models import ModelPackages, Models, PackageGroups
from local.sagemaker.processing.jobs import ProcessingJobs
from local.sagemaker.state.context import Context
from local.sagemaker.training.jobs import TrainingJobs
from local.sagemaker.transform.jobs import TransformJobs
from local.sagemaker.tuning.jobs import TuningJobs


class SageMakerService:
    """The SageMaker API of one machine. `handle` and `invoke_endpoint` may be called from any thread.

    Training scripts and model servers are child processes. They end when this process ends or is killed.
    """

    def __init__(self, settings: Settings, surroundings: Surroundings) -> None:
        self._context = context = Context(settings, surroundings)
        groups = PackageGroups(context)
        packages = ModelPackages(context, groups)
        models = Models(context, packages)
        configs = EndpointConfigs(context, models)
        self._runtime = EndpointRuntime(context)
        endpoints = Endpoints(context, models, configs, self._runtime)
        self.invoke_endpoint = Invocations(context, self._runtime).invoke
        trainings = TrainingJobs(context)
        others = (TransformJobs(context, models), ProcessingJobs(context), TuningJobs(context, trainings))
        self._jobs = (trainings, *others)
        self._handlers: dict[str, Handler] = {
            "AddTags": context.tags.add_tags,
            "ListTags": context.tags.list_tags,
            "DeleteTags": context.tags.delete_tags,
        }
        for resources in (groups, packages, models, configs, endpoints, *self._jobs):
            self._handlers |= resources.handlers()

    def start(self) -> None:
        """Load the state on disk; call this once the cloud around the service answers. Returns at once.

        Jobs that were running are marked as failed. Endpoints come up again in the background.
        """
        for folder in (self._context.settings.state_dir, self._context.settings.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
        validation.service_model()  # loaded now, not during the first request
        self._context.store.load()
        for jobs in self._jobs:
            jobs.start()
        self._runtime.start()

    def stop(self) -> None:
        """End every child process and thread, within a few seconds. A stopped service cannot be started again."""
        self._context.stopping.set()
        for jobs in self._jobs:
            jobs.stop()
        self._runtime.stop()
        self._context.outbox.flush()

    def handle(self, scope: Scope, action: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one control-plane call, e.g. `CreateTrainingJob`, without a call to the cloud around the service.

        `params` and the answer have botocore's shapes, with times as epoch seconds. Raises ServiceError.
        """
        handler = self._handlers.get(action)
        if handler is None:
            message = f"SageMaker has no operation {action}."
            if action in validation.service_model().operation_names:
                message = f"The local cloud does not implement sagemaker:{action}."
            raise ServiceError("UnknownOperationException", message)
        validation.validate(action, params)
        given = {member: value for member, value in params.items() if value is not None}
        return handler(scope, given)
