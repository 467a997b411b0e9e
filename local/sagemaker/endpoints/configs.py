"""Endpoint configurations: which model, how much memory, how many requests at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ValidationException
from local.sagemaker.common.scope import Scope
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

KIND = "endpoint-config"
_MEMORY_STEP_MB = 1024
_SERVERLESS_EXCLUDES = ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants")
_UNSUPPORTED = ("AsyncInferenceConfig", "ShadowProductionVariants", "ExplainerConfig")


class EndpointConfigs:
    """Create, describe, list and delete endpoint configurations."""

    def __init__(self, context: Context, models: Models) -> None:
        self._context = context
        self._models = models

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateEndpointConfig."""
        name = params["EndpointConfigName"]
        arn = scope.arn(f"endpoint-config/{name}")
        self._check(scope, params)
        with self._context.store.lock:
            if self._context.store.get(KIND, scope, name) is not None:
                raise ValidationException(f'Cannot create already existing endpoint configuration "{arn}".')
            record = {member: value for member, value in params.items() if member != "Tags"}
            record |= {"EndpointConfigArn": arn, "CreationTime": time.time()}
            self._context.store.put(KIND, scope, name, record)
            self._context.tags.put(scope, arn, params.get("Tags", []))
        return {"EndpointConfigArn": arn}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEndpointConfig."""
        return self.get(scope, params["EndpointConfigName"])

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEndpointConfig; an endpoint that uses it keeps working."""
        with self._context.store.lock:
            record = self.get(scope, params["EndpointConfigName"])
            self._context.store.delete(KIND, scope, params["EndpointConfigName"])
            self._context.tags.forget(scope, record["EndpointConfigArn"])
        return {}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListEndpointConfigs."""
        return page(
            [record for _, record in self._context.store.all(KIND, scope)],
            params,
            result="EndpointConfigs",
            name="EndpointConfigName",
            summary=lambda config: pick(config, "EndpointConfigName", "EndpointConfigArn", "CreationTime"),
        )

    def get(self, scope: Scope, name: str) -> Record:
        """The record of a configuration. Raises ValidationException."""
        record = self._context.store.get(KIND, scope, name)
        if record is None:
            raise ValidationException(
                f'Could not find endpoint configuration "{scope.arn(f"endpoint-config/{name}")}".'
            )
        return record

    def _check(self, scope: Scope, params: Mapping[str, Any]) -> None:
        variants = params["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) != len(names):
            raise ValidationException(f"Variant names must be unique; given: {', '.join(names)}.")
        serverless = [variant for variant in variants if "ServerlessConfig" in variant]
        if serverless and len(variants) > 1:
            raise ValidationException("A serverless endpoint has one production variant.")
        for member in _SERVERLESS_EXCLUDES if serverless else _UNSUPPORTED:
            if member in params:
                who = "A serverless endpoint" if serverless else "The local cloud"
                raise ValidationException(f"{who} does not support {member}.")
        for number, variant in enumerate(variants, start=1):
            if "ModelName" not in variant:
                raise ValidationException("The local cloud does not support variants without ModelName.")
            self._models.get(scope, variant["ModelName"])
            if "ServerlessConfig" in variant:
                _check_serverless(variant, number)
            elif "InstanceType" not in variant or "InitialInstanceCount" not in variant:
                raise ValidationException(
                    f"Variant {variant['VariantName']} needs a ServerlessConfig, or InstanceType and "
                    "InitialInstanceCount."
                )


def _check_serverless(variant: Mapping[str, Any], number: int) -> None:
    config = variant["ServerlessConfig"]
    if "InstanceType" in variant or "InitialInstanceCount" in variant:
        raise ValidationException("A serverless variant has no InstanceType and no InitialInstanceCount.")
    path = f"productionVariants.{number}.member.serverlessConfig"
    if config["MemorySizeInMB"] % _MEMORY_STEP_MB:
        sizes = ", ".join(str(step * _MEMORY_STEP_MB) for step in range(1, 7))
        raise ValidationException(
            f"1 validation error detected: Value '{config['MemorySizeInMB']}' at '{path}.memorySizeInMB' failed to "
            f"satisfy constraint: Member must satisfy enum value set: [{sizes}]"
        )
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise ValidationException(
            f"ProvisionedConcurrency ({config['ProvisionedConcurrency']}) must not exceed MaxConcurrency "
            f"({config['MaxConcurrency']}) of variant {variant['VariantName']}."
        )
