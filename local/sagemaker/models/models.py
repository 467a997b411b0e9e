"""Models: a container image, an artifact and an environment, or a model package that holds the three."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ValidationException
from local.sagemaker.common.scope import Scope
from local.sagemaker.models import registry
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

KIND = "model"


class Models:
    """Create, describe, list and delete models."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateModel."""
        self._check(scope, params)
        name = params["ModelName"]
        arn = scope.arn(f"model/{name}")
        record: Record = {
            "EnableNetworkIsolation": False,
            **{member: value for member, value in params.items() if member != "Tags"},
            "ModelArn": arn,
            "CreationTime": time.time(),
        }
        with self._context.store.lock:
            if self._context.store.get(KIND, scope, name) is not None:
                raise ValidationException(f'Cannot create already existing model "{arn}".')
            self._context.store.put(KIND, scope, name, record)
            self._context.tags.put(scope, arn, params.get("Tags", []))
        return {"ModelArn": arn}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModel."""
        return self.get(scope, params["ModelName"])

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteModel; an endpoint that was made from it keeps working."""
        with self._context.store.lock:
            record = self.get(scope, params["ModelName"])
            self._context.store.delete(KIND, scope, params["ModelName"])
            self._context.tags.forget(scope, record["ModelArn"])
        return {}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListModels."""
        return page(
            [record for _, record in self._context.store.all(KIND, scope)],
            params,
            result="Models",
            name="ModelName",
            summary=lambda model: pick(model, "ModelName", "ModelArn", "CreationTime"),
        )

    def get(self, scope: Scope, name: str) -> Record:
        """The record of a model. Raises ValidationException."""
        record = self._context.store.get(KIND, scope, name)
        if record is None:
            raise ValidationException(f'Could not find model "{scope.arn(f"model/{name}")}".')
        return record

    def container(self, scope: Scope, name: str) -> Record:
        """Image, ModelDataUrl and Environment of a model, a model package resolved. Raises ValidationException."""
        container: Record = self.get(scope, name)["PrimaryContainer"]
        if "ModelPackageName" not in container:
            return container
        packaged = registry.container_of(self._context.store, scope, container["ModelPackageName"])
        environment = packaged.get("Environment", {}) | container.get("Environment", {})
        return {**packaged, "Environment": environment}

    def _check(self, scope: Scope, params: Mapping[str, Any]) -> None:
        container = params.get("PrimaryContainer")
        if container is None:
            containers = params.get("Containers", [])
            what = "inference pipelines (Containers)" if containers else "a model without PrimaryContainer"
            raise ValidationException(f"The local cloud does not support {what}.")
        if "ExecutionRoleArn" not in params:
            raise ValidationException("ExecutionRoleArn is required.")
        if ("Image" in container) == ("ModelPackageName" in container):
            raise ValidationException("Give either Image or ModelPackageName for the primary container.")
        if container.get("Mode") == "MultiModel":
            raise ValidationException("The local cloud does not support multi-model containers.")
        if "ModelPackageName" in container:
            registry.container_of(self._context.store, scope, container["ModelPackageName"])
