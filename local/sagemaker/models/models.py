"""Models: an image, an artifact and an environment, or a model package that holds the three."""

from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.resources import Resources
from local.sagemaker.common.errors import InvalidRequestError, UnsupportedError
from local.sagemaker.common.names import Scope
from local.sagemaker.models.registry import ModelPackages
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record


class Models(Resources):
    """Create, describe, list and delete models. An endpoint keeps working when its model is deleted."""

    kind = "model"
    noun = "Model"
    missing = 'Could not find model "{arn}".'
    taken = 'Cannot create already existing model "{arn}".'
    defaults = {"EnableNetworkIsolation": False}

    def __init__(self, context: Context, packages: ModelPackages) -> None:
        super().__init__(context)
        self._packages = packages

    def container(self, scope: Scope, name: str) -> Record:
        """Return image, artifact and environment of a model, its package resolved. Raises InvalidRequestError."""
        container: Record = self.named(scope, name)["PrimaryContainer"]
        if "ModelPackageName" not in container:
            return container
        packaged = self._packages.container(scope, container["ModelPackageName"])
        environment = packaged.get("Environment", {}) | container.get("Environment", {})
        return {**packaged, "Environment": environment}

    def _check(self, scope: Scope, params: Mapping[str, Any]) -> None:
        container = params.get("PrimaryContainer")
        if container is None:
            raise UnsupportedError("a model without PrimaryContainer, such as an inference pipeline")
        if "ExecutionRoleArn" not in params:
            raise InvalidRequestError("ExecutionRoleArn is required.")
        if ("Image" in container) == ("ModelPackageName" in container):
            raise InvalidRequestError("Give either Image or ModelPackageName for the primary container.")
        if container.get("Mode") == "MultiModel":
            raise UnsupportedError("multi-model containers")
        if "ModelPackageName" in container:
            self._packages.container(scope, container["ModelPackageName"])
