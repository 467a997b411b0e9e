"""Create, describe, list, update and delete endpoints."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from local.sagemaker.api.listing import pick
from local.sagemaker.api.resources import Handler, Resources
from local.sagemaker.common.errors import InvalidRequestError
from local.sagemaker.common.names import Key, Scope
from local.sagemaker.endpoints.configs import EndpointConfigs
from local.sagemaker.endpoints.runtime import KIND, EndpointRuntime
from local.sagemaker.endpoints.serving import VariantSpec, resolve
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

logger = logging.getLogger(__name__)

_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class Endpoints(Resources):
    """The endpoint part of the control plane. `EndpointRuntime` does the work in the background."""

    kind = KIND
    noun = "Endpoint"
    missing = 'Could not find endpoint "{arn}".'
    taken = 'Cannot create already existing endpoint "{arn}".'

    def __init__(self, context: Context, models: Models, configs: EndpointConfigs, runtime: EndpointRuntime) -> None:
        super().__init__(context)
        self._models = models
        self._configs = configs
        self._runtime = runtime

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each action."""
        return {**super().handlers(), "UpdateEndpoint": self.update}

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateEndpoint. It is Creating, then InService once its server answers /ping, or Failed."""
        key = self.key(scope, params)
        spec = self._spec(scope, params)
        answer = self._add(
            key,
            pick(params, "EndpointName", "EndpointConfigName", "Tags"),
            EndpointStatus="Creating",
            LastModifiedTime=time.time(),
            _Deployment=[asdict(spec)],
            **_deployment_config(key, params),
        )
        self._runtime.create(key)
        return answer

    def update(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer UpdateEndpoint. The new server starts beside the old one and replaces it once it answers.

        If it does not come up, the endpoint is InService again with its old configuration and a FailureReason.
        """
        key = self.key(scope, params)
        with self._store.lock:
            record = self._settled(key)
            if record["EndpointStatus"] != "InService":
                raise InvalidRequestError(
                    f'Cannot update endpoint "{key.arn}" in status {record["EndpointStatus"]}; it can only be deleted.'
                )
            # AWS also checks the configuration in use, and refuses the update if that was deleted.
            self._configs.named(scope, record["EndpointConfigName"])
            spec = self._spec(scope, params)
            self._store.update(
                key,
                EndpointStatus="Updating",
                LastModifiedTime=time.time(),
                FailureReason=None,
                **_deployment_config(key, params),
            )
        self._runtime.update(key, params["EndpointConfigName"], spec)
        return {"EndpointArn": key.arn}

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DeleteEndpoint. The endpoint is Deleting, then gone."""
        key = self.key(scope, params)
        with self._store.lock:
            self._settled(key)
            self._store.update(key, EndpointStatus="Deleting", LastModifiedTime=time.time())
        self._runtime.delete(key)
        return {}

    def _spec(self, scope: Scope, params: Mapping[str, Any]) -> VariantSpec:
        config = self._configs.named(scope, params["EndpointConfigName"])
        spec = resolve(self._models, scope, config["ProductionVariants"][0])
        if "DeploymentConfig" in params and spec.serverless:
            raise InvalidRequestError("DeploymentConfig is not supported for serverless endpoints.")
        return spec

    def _settled(self, key: Key) -> Record:
        record = self.get(key)
        if record["EndpointStatus"] in _IN_PROGRESS:
            raise InvalidRequestError(f'Cannot update in-progress endpoint "{key.arn}".')
        return record


def _deployment_config(key: Key, params: Mapping[str, Any]) -> Record:
    """Return the member of the record that echoes the request's DeploymentConfig, which has no effect here."""
    if "DeploymentConfig" not in params:
        return {}
    logger.warning(
        "endpoint %s: DeploymentConfig is accepted and ignored: all requests move at once when the new server "
        "answers, without a canary, a baking period or alarms",
        key.name,
    )
    return {"LastDeploymentConfig": params["DeploymentConfig"]}
