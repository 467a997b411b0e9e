"""Models, and the model registry: numbered model packages in their groups."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from local.sagemaker.api.resources import Handler, Resources, answer_members, pick
from local.sagemaker.common.errors import InvalidRequestError, ServiceError, UnsupportedError
from local.sagemaker.common.names import Key, Scope, last_part
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record


class PackageGroups(Resources):
    """Create, describe, list and delete model package groups."""

    kind = "model-package-group"
    noun = "ModelPackageGroup"
    newest_first = False
    missing = "ModelPackageGroup {arn} does not exist."
    taken = "Model Package Group already exists: {arn}"
    defaults = {"ModelPackageGroupStatus": "Completed", "CreatedBy": {}}

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DeleteModelPackageGroup; refuse it while the group holds packages."""
        key = self.key(scope, params)
        with self._store.lock:
            packages = self._store.all(ModelPackages.kind, scope)
            if any(package["ModelPackageGroupName"] == key.name for _, package in packages):
                raise ServiceError(
                    "ConflictException",
                    f"Model Package Group {key.arn} cannot be deleted because it still contains Model Packages.",
                )
            return super().delete(scope, params)


class ModelPackages(Resources):
    """Create, describe, list, update and delete versioned model packages."""

    kind = "model-package"
    noun = "ModelPackage"
    newest_first = False
    missing = "ModelPackage {arn} does not exist."
    defaults = {
        "ModelApprovalStatus": "PendingManualApproval",
        "CertifyForMarketplace": False,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
    }

    def __init__(self, context: Context, groups: PackageGroups) -> None:
        super().__init__(context)
        self._groups = groups

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each action."""
        return {**super().handlers(), "UpdateModelPackage": self.update}

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateModelPackage: add the next version to its group. It is Completed at once."""
        if "ModelPackageGroupName" not in params:
            raise InvalidRequestError("The local cloud registers versioned packages only: give ModelPackageGroupName.")
        if "ModelPackageName" in params:
            raise InvalidRequestError("Give either ModelPackageName or ModelPackageGroupName, not both.")
        if params.get("Tags"):
            raise InvalidRequestError("A versioned model package uses the tags of its group: no Tags may be given.")
        group_key = self._groups.key(scope, params)
        with self._store.lock:
            # Counted in the group, so that the number of a deleted package is not used again.
            version = self._groups.get(group_key).get("_LastVersion", 0) + 1
            key = Key(self.kind, scope, f"{group_key.name}/{version}")
            members = {"ModelPackageName": key.name, "ModelPackageGroupName": group_key.name}
            answer = self._add(key, {**self.defaults, **params}, **members, ModelPackageVersion=version)
            self._store.update(group_key, _LastVersion=version)
        self._announce(key, self.get(key))
        return answer

    def update(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer UpdateModelPackage; announce the members that changed, if any did."""
        key = self._named(scope, params["ModelPackageArn"])
        with self._store.lock:
            package = self.get(key)
            metadata = package.get("CustomerMetadataProperties", {}) | params.get("CustomerMetadataProperties", {})
            for name in params.get("CustomerMetadataPropertiesToRemove", []):
                metadata.pop(name, None)
            given = pick(params, *answer_members("DescribeModelPackage"))
            given |= {"ModelPackageArn": key.arn, "CustomerMetadataProperties": metadata}
            changes = {member: value for member, value in given.items() if value != package.get(member, {})}
            if changes:
                now, last = time.time(), float(package.get("LastModifiedTime") or package["CreationTime"])
                # An approval after the clock was set back would be taken for an old one.
                package |= changes | {"LastModifiedTime": now if now >= last else last + 1}
                self._store.put(key, package)
        if changes:
            self._announce(key, package, UpdatedModelPackageFields=sorted(changes))
        return {"ModelPackageArn": params["ModelPackageArn"]}

    def key(self, scope: Scope, params: Mapping[str, Any]) -> Key:
        """Return the key of the package that a request names, by ARN or as `group/version`."""
        return self._named(scope, params["ModelPackageName"])

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ListModelPackages, whose entries for versioned packages have no ModelPackageName."""
        answer = super().list_all(scope, params)
        for entry in answer["ModelPackageSummaryList"]:
            del entry["ModelPackageName"]
        return answer

    def container(self, scope: Scope, package_name: str) -> Record:
        """Return the container of a package (Image, ModelDataUrl, Environment). Raises InvalidRequestError."""
        key = self._named(scope, package_name)
        containers: list[Record] = self.get(key).get("InferenceSpecification", {}).get("Containers", [])
        if len(containers) != 1 or not containers[0].get("Image"):
            raise InvalidRequestError(
                f"Model package {key.arn} has to hold one container with an Image to be deployed here; "
                f"it has {len(containers)}."
            )
        return containers[0]

    def _announce(self, key: Key, package: Record, **further: Any) -> None:
        """Send the event on EventBridge, whose times are in milliseconds."""
        times = {name: int(package[name] * 1000) for name in package if name.endswith("Time")}
        name = "SageMaker Model Package State Change"
        detail = package | times | further
        put = partial(self._context.surroundings.put_event, key.scope, name, detail, key.arn)
        self._context.outbox.put(f"event {name}", put)

    def _named(self, scope: Scope, name: str) -> Key:
        key = Key(self.kind, scope, last_part(name))
        if name.startswith("arn:") and name != key.arn:  # of another account or region
            raise InvalidRequestError(self.missing.format(arn=name))
        return key

    def _listed(self, scope: Scope, params: Mapping[str, Any]) -> list[Record]:
        packages = super()._listed(scope, params)
        if "ModelPackageGroupName" in params:
            group = self._groups.get(self._groups.key(scope, params))["ModelPackageGroupName"]
            packages = [package for package in packages if package["ModelPackageGroupName"] == group]
        if "ModelApprovalStatus" in params:
            wanted = params["ModelApprovalStatus"]
            packages = [package for package in packages if package["ModelApprovalStatus"] == wanted]
        return packages


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
