"""Create, describe, list, update and delete endpoints and their configurations."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from local.sagemaker.api.resources import Handler, Resources, pick
from local.sagemaker.common.errors import InvalidRequestError, UnsupportedError
from local.sagemaker.common.names import Key, Scope
from local.sagemaker.endpoints.runtime import KIND, EndpointRuntime
from local.sagemaker.endpoints.serving import VariantSpec, resolve
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

logger = logging.getLogger(__name__)

_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_MEMORY_STEP_MB = 1024
_SERVERLESS_EXCLUDES = ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")
_UNSUPPORTED = ("AsyncInferenceConfig", "ShadowProductionVariants", "ExplainerConfig")


class EndpointConfigs(Resources):
    """Create, describe, list and delete configurations. An endpoint keeps working when its own is deleted."""

    kind = "endpoint-config"
    noun = "EndpointConfig"
    missing = 'Could not find endpoint configuration "{arn}".'
    taken = 'Cannot create already existing endpoint configuration "{arn}".'

    def __init__(self, context: Context, models: Models) -> None:
        super().__init__(context)
        self._models = models

    def _check(self, scope: Scope, params: Mapping[str, Any]) -> None:
        variant, *others = params["ProductionVariants"]
        if others:
            raise UnsupportedError("several production variants")
        serverless = "ServerlessConfig" in variant
        for member in filter(params.__contains__, _SERVERLESS_EXCLUDES if serverless else _UNSUPPORTED):
            if serverless:
                raise InvalidRequestError(f"A serverless endpoint does not support {member}.")
            raise UnsupportedError(member)
        if "ModelName" not in variant:
            raise UnsupportedError("variants without ModelName")
        self._models.named(scope, variant["ModelName"])
        if serverless:
            _check_serverless(variant)
        elif "InstanceType" not in variant or "InitialInstanceCount" not in variant:
            raise InvalidRequestError(
                f"Variant {variant['VariantName']} needs a ServerlessConfig, or InstanceType and InitialInstanceCount."
            )


def _check_serverless(variant: Mapping[str, Any]) -> None:
    config = variant["ServerlessConfig"]
    if "InstanceType" in variant or "InitialInstanceCount" in variant:
        raise InvalidRequestError("A serverless variant has no InstanceType and no InitialInstanceCount.")
    if config["MemorySizeInMB"] % _MEMORY_STEP_MB:
        sizes = ", ".join(str(step * _MEMORY_STEP_MB) for step in range(1, 7))
        raise InvalidRequestError(
            f"1 validation error detected: Value '{config['MemorySizeInMB']}' at 'productionVariants.1.member."
            f"serverlessConfig.memorySizeInMB' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{sizes}]"
        )
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise InvalidRequestError(
            f"ProvisionedConcurrency ({config['ProvisionedConcurrency']}) must not exceed MaxConcurrency "
            f"({config['MaxConcurrency']}) of variant {variant['VariantName']}."
        )


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
