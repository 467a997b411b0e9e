"""Model package groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.resources import Resources
from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.names import Scope

PACKAGE_KIND = "model-package"


class PackageGroups(Resources):
    """Create, describe, list and delete model package groups."""

    kind = "model-package-group"
    noun = "ModelPackageGroup"
    newest_first = False
    missing = "ModelPackageGroup {arn} does not exist."
    taken = "Model Package Group already exists: {arn}"

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateModelPackageGroup."""
        return self._add(self.key(scope, params), params, ModelPackageGroupStatus="Completed", CreatedBy={})

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DeleteModelPackageGroup; refuse it while the group holds packages."""
        key = self.key(scope, params)
        with self._store.lock:
            packages = self._store.all(PACKAGE_KIND, scope)
            if any(package["ModelPackageGroupName"] == key.name for _, package in packages):
                raise ServiceError(
                    "ConflictException",
                    f"Model Package Group {key.arn} cannot be deleted because it still contains Model Packages.",
                )
            return super().delete(scope, params)
