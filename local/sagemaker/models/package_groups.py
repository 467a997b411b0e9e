"""Model package groups."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ConflictException, ValidationException
from local.sagemaker.common.scope import Scope, last_part
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record, Store

KIND = "model-package-group"
_PACKAGE_KIND = "model-package"


class PackageGroups:
    """Create, describe, list and delete model package groups."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateModelPackageGroup."""
        name = params["ModelPackageGroupName"]
        arn = scope.arn(f"model-package-group/{name}")
        with self._context.store.lock:
            if self._context.store.get(KIND, scope, name) is not None:
                raise ValidationException(f"Model Package Group already exists: {arn}")
            record = {member: value for member, value in params.items() if member != "Tags"}
            record |= {
                "ModelPackageGroupArn": arn,
                "ModelPackageGroupStatus": "Completed",
                "CreationTime": time.time(),
                "CreatedBy": {},
            }
            self._context.store.put(KIND, scope, name, record)
            self._context.tags.put(scope, arn, params.get("Tags", []))
        return {"ModelPackageGroupArn": arn}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModelPackageGroup, by name or ARN."""
        record = get_group(self._context.store, scope, last_part(params["ModelPackageGroupName"]))
        return {member: value for member, value in record.items() if not member.startswith("_")}

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteModelPackageGroup; refused while it holds packages."""
        name = last_part(params["ModelPackageGroupName"])
        with self._context.store.lock:
            arn = get_group(self._context.store, scope, name)["ModelPackageGroupArn"]
            packages = self._context.store.all(_PACKAGE_KIND, scope)
            if any(package["ModelPackageGroupName"] == name for _, package in packages):
                raise ConflictException(
                    f"Model Package Group {arn} cannot be deleted because it still contains Model Packages."
                )
            self._context.store.delete(KIND, scope, name)
            self._context.tags.forget(scope, arn)
        return {}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListModelPackageGroups."""
        return page(
            [record for _, record in self._context.store.all(KIND, scope)],
            params,
            result="ModelPackageGroupSummaryList",
            name="ModelPackageGroupName",
            newest_first=False,
            summary=lambda group: pick(
                group,
                "ModelPackageGroupName",
                "ModelPackageGroupArn",
                "ModelPackageGroupDescription",
                "CreationTime",
                "ModelPackageGroupStatus",
            ),
        )


def get_group(store: Store, scope: Scope, name: str) -> Record:
    """The record of a group. Raises ValidationException."""
    record = store.get(KIND, scope, name)
    if record is None:
        raise ValidationException(f"ModelPackageGroup {scope.arn(f'model-package-group/{name}')} does not exist.")
    return record
