"""The model registry: numbered model packages in their groups."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api import events
from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ValidationException
from local.sagemaker.common.scope import Scope, last_part
from local.sagemaker.models.package_groups import KIND as GROUP_KIND
from local.sagemaker.models.package_groups import get_group
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record, Store

KIND = "model-package"

_UPDATABLE = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


class ModelPackages:
    """Create, describe, list, update and delete versioned model packages."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateModelPackage: the next version of its group, Completed at once (nothing is validated)."""
        if "ModelPackageGroupName" not in params:
            raise ValidationException("The local cloud registers versioned packages only: give ModelPackageGroupName.")
        if "ModelPackageName" in params:
            raise ValidationException("Give either ModelPackageName or ModelPackageGroupName, not both.")
        if params.get("Tags"):
            raise ValidationException("A versioned model package uses the tags of its group: no Tags may be given.")
        group_name = last_part(params["ModelPackageGroupName"])
        now = time.time()
        with self._context.store.lock:
            group = get_group(self._context.store, scope, group_name)
            # Counted in the group, so that the number of a deleted package does not come back.
            version = group.get("_LastVersion", 0) + 1
            name = f"{group_name}/{version}"
            record: Record = {
                "ModelApprovalStatus": "PendingManualApproval",
                **{member: value for member, value in params.items() if member not in ("Tags", "ClientToken")},
                "ModelPackageName": name,
                "ModelPackageGroupName": group_name,
                "ModelPackageVersion": version,
                "ModelPackageArn": scope.arn(f"model-package/{name}"),
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
                "CertifyForMarketplace": params.get("CertifyForMarketplace", False),
                "CreationTime": now,
            }
            self._context.store.put(KIND, scope, name, record)
            self._context.store.update(GROUP_KIND, scope, group_name, _LastVersion=version)
        events.model_package_changed(self._context.outbox, scope, record)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModelPackage, by ARN or ``group/version``."""
        return _get(self._context.store, scope, params["ModelPackageName"])

    def update(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateModelPackage; the event names the members whose value changed, and is not sent if none did."""
        with self._context.store.lock:
            package = _get(self._context.store, scope, params["ModelPackageArn"])
            changes = {
                member: params[member]
                for member in _UPDATABLE
                if member in params and params[member] != package.get(member)
            }
            metadata = package.get("CustomerMetadataProperties", {}) | params.get("CustomerMetadataProperties", {})
            for key in params.get("CustomerMetadataPropertiesToRemove", []):
                metadata.pop(key, None)
            if metadata != package.get("CustomerMetadataProperties", {}):
                changes["CustomerMetadataProperties"] = metadata
            if changes:
                package |= changes | {"LastModifiedTime": time.time()}
                self._context.store.put(KIND, scope, package["ModelPackageName"], package)
        if changes:
            events.model_package_changed(self._context.outbox, scope, package, sorted(changes))
        return {"ModelPackageArn": params["ModelPackageArn"]}

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteModelPackage."""
        package = _get(self._context.store, scope, params["ModelPackageName"])
        self._context.store.delete(KIND, scope, package["ModelPackageName"])
        return {}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListModelPackages, of one group or of all."""
        packages = [record for _, record in self._context.store.all(KIND, scope)]
        if params.get("ModelPackageType", "Versioned") == "Unversioned":
            packages = []
        if "ModelPackageGroupName" in params:
            group = get_group(self._context.store, scope, last_part(params["ModelPackageGroupName"]))
            packages = [p for p in packages if p["ModelPackageGroupName"] == group["ModelPackageGroupName"]]
        if "ModelApprovalStatus" in params:
            packages = [p for p in packages if p["ModelApprovalStatus"] == params["ModelApprovalStatus"]]
        return page(
            packages,
            params,
            result="ModelPackageSummaryList",
            name="ModelPackageName",
            newest_first=False,
            summary=lambda package: pick(
                package,
                "ModelPackageGroupName",
                "ModelPackageVersion",
                "ModelPackageArn",
                "ModelPackageDescription",
                "CreationTime",
                "ModelPackageStatus",
                "ModelApprovalStatus",
                "ModelLifeCycle",
            ),
        )


def container_of(store: Store, scope: Scope, package_name: str) -> Record:
    """The container of a package (Image, ModelDataUrl, Environment). Raises ValidationException."""
    package = _get(store, scope, package_name)
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1 or not containers[0].get("Image"):
        raise ValidationException(
            f"Model package {package['ModelPackageArn']} has to hold one container with an Image to be deployed here; "
            f"it has {len(containers)}."
        )
    container: Record = containers[0]
    return container


def _get(store: Store, scope: Scope, package_name: str) -> Record:
    name = last_part(package_name)
    record = store.get(KIND, scope, name)
    arn = scope.arn(f"model-package/{name}")
    if record is None or (package_name.startswith("arn:") and package_name != arn):
        named = package_name if package_name.startswith("arn:") else arn
        raise ValidationException(f"ModelPackage {named} does not exist.")
    return record
