"""Endpoint configurations: which model, how much memory, how many requests at a time."""

from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.resources import Resources
from local.sagemaker.common.errors import InvalidRequestError, UnsupportedError
from local.sagemaker.common.names import Scope
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context

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
