"""AWS::SageMaker::* for ministack's CloudFormation, made through the SageMaker API with the stack's rights."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_region
from ministack.services.cloudformation import provisioners, stacks

from local.emulator.access.front_door import FrontDoor
from local.emulator.access.stack_roles import actor_credentials
from local.emulator.cloudformation.properties import tag_changes, to_parameters
from local.emulator.common.errors import ResourceFailed
from local.emulator.recovery import endpoint_states
from local.emulator.recovery.operation_journal import OperationJournal

_POLL_SECONDS = 0.5
_ENDPOINT_SECONDS = 900.0
_NAME_LENGTH = 63


@dataclass(frozen=True)
class _Kind:
    """One resource type, in the words of its API."""

    noun: str
    """As in Create<noun>, <noun>Name, <noun>Arn."""
    changeable: tuple[str, ...] = ()
    """Properties besides Tags that need no new resource."""

    @property
    def type_name(self) -> str:
        return f"AWS::SageMaker::{self.noun}"


_MODEL = _Kind("Model")
_ENDPOINT_CONFIG = _Kind("EndpointConfig")
_GROUP = _Kind("ModelPackageGroup")
_ENDPOINT = _Kind(
    "Endpoint",
    (
        "EndpointConfigName",
        "DeploymentConfig",
        "ExcludeRetainedVariantProperties",
        "RetainAllVariantProperties",
        "RetainDeploymentConfig",
    ),
)


def install(front_door: FrontDoor, journal: OperationJournal) -> None:
    """Register the four types and let them run off the event loop (they call this server, and wait)."""
    for kind in (_MODEL, _ENDPOINT_CONFIG, _GROUP):
        _register(kind, SageMakerResource(kind, front_door, journal))
    _register(_ENDPOINT, EndpointResource(_ENDPOINT, front_door, journal))
    on_worker = stacks._runs_on_worker_thread
    own = {kind.type_name for kind in (_MODEL, _ENDPOINT_CONFIG, _GROUP, _ENDPOINT)}
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in own or on_worker(resource_type)


def _register(kind: _Kind, resource: SageMakerResource) -> None:
    provisioners._RESOURCE_HANDLERS[kind.type_name] = {
        "create": resource.create,
        "update": resource.update,
        "delete": resource.delete,
    }
    # Any other property than these and Tags replaces the resource (CloudFormation's reference of each type).
    provisioners._REPLACING_PROPERTIES[kind.type_name] = _AllBut({*kind.changeable, "Tags"})
    provisioners._CUSTOM_NAME_REPLACEMENT[kind.type_name] = {"name": f"{kind.noun}Name"}


class _AllBut(frozenset):
    """A set that contains everything except its elements."""

    def __contains__(self, name: object) -> bool:
        return not super().__contains__(name)


class SageMakerResource:
    """Create, re-tag and delete one kind of resource."""

    def __init__(self, kind: _Kind, front_door: FrontDoor, journal: OperationJournal) -> None:
        self._kind = kind
        self._front_door = front_door
        self._journal = journal
        self._name_member = f"{kind.noun}Name"

    def create(self, logical_id: str, properties: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
        """Make the resource; (physical id, attributes)."""
        name = properties.get(self._name_member) or _new_name(stack_name, logical_id)
        client = self._client()
        self._journal.making(stack_name, self._kind.noun, name)
        answer = self._call(client, "Create", {**properties, self._name_member: name})
        self._settle(client, name)
        arn = answer[f"{self._kind.noun}Arn"]
        return arn, self._attributes(name, arn)

    def update(self, physical_id: str, old: dict, new: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
        """Apply changed tags; every other change has become a replacement before this is called."""
        changed, removed = tag_changes(old.get("Tags"), new.get("Tags"))
        client = self._client()
        try:
            if changed:
                client.add_tags(ResourceArn=physical_id, Tags=changed)
            if removed:
                client.delete_tags(ResourceArn=physical_id, TagKeys=removed)
        except ClientError as error:
            raise ResourceFailed(str(error)) from error
        return physical_id, self._attributes(self._name(physical_id, new), physical_id)

    def delete(self, physical_id: str, properties: dict) -> None:
        """Remove the resource; one that is gone already counts as removed."""
        client = self._client()
        name = {self._name_member: self._name(physical_id, properties)}
        try:
            self._call(client, "Describe", name)
        except ResourceFailed as failure:
            if _says_missing(failure):
                return
            raise
        self._call(client, "Delete", name)

    def _name(self, physical_id: str, properties: dict) -> str:
        return properties.get(self._name_member) or physical_id.rsplit("/", 1)[-1]

    def _client(self) -> Any:
        return self._front_door.client("sagemaker", actor_credentials(), get_region())

    def _call(self, client: Any, verb: str, properties: dict) -> dict[str, Any]:
        operation = f"{verb}{self._kind.noun}"
        shape = client.meta.service_model.operation_model(operation).input_shape
        try:
            return client._make_api_call(operation, to_parameters(properties, shape))
        except ClientError as error:
            raise ResourceFailed(str(error)) from error

    def _settle(self, client: Any, name: str) -> None:
        """Wait until a new resource is usable."""

    def _attributes(self, name: str, arn: str) -> dict[str, Any]:
        return {self._name_member: name, f"{self._kind.noun}Arn": arn}


class EndpointResource(SageMakerResource):
    """An endpoint: made and updated when its model answers, not before."""

    def update(self, physical_id: str, old: dict, new: dict, stack_name: str) -> tuple[str, dict[str, Any]]:
        """Switch to another endpoint config, then apply tags."""
        name = self._name(physical_id, new)
        if any(old.get(member) != new.get(member) for member in self._kind.changeable):
            client, wanted = self._client(), new["EndpointConfigName"]
            # When an interrupted update is undone, the endpoint may be back on its former config already.
            if endpoint_states.settled(client, name).get("EndpointConfigName") != wanted:
                self._call(client, "Update", {**new, "EndpointName": name})
            self._settle(client, name, wanted=wanted)
        return super().update(physical_id, old, new, stack_name)

    def delete(self, physical_id: str, properties: dict) -> None:
        """Remove the endpoint, once nothing else is being done to it, and wait until its name is free again."""
        client, name = self._client(), self._name(physical_id, properties)
        endpoint_states.settled(client, name)
        super().delete(physical_id, properties)
        if endpoint_states.settled(client, name):
            raise ResourceFailed(f"Endpoint {name} could not be deleted.")

    def _settle(self, client: Any, name: str, wanted: str | None = None) -> None:
        """Wait for InService (with the config `wanted`). A new endpoint that fails is removed: its name is fixed."""
        deadline = time.monotonic() + _ENDPOINT_SECONDS
        while time.monotonic() < deadline:
            endpoint = client.describe_endpoint(EndpointName=name)
            status = endpoint["EndpointStatus"]
            if status == "InService" and wanted in (None, endpoint["EndpointConfigName"]):
                return
            if status in ("InService", "Failed", "OutOfService", "UpdateRollbackFailed"):
                break
            time.sleep(_POLL_SECONDS)
        reason = endpoint.get("FailureReason") or f"the endpoint was still {status} after {_ENDPOINT_SECONDS:.0f} s"
        if wanted is None:
            client.delete_endpoint(EndpointName=name)
        raise ResourceFailed(f"Resource {name} did not stabilize: {reason}")


def _new_name(stack_name: str, logical_id: str) -> str:
    """A generated name, another one for every resource made. Lower case, as the ARN repeats it."""
    if not provisioners._NAME_SEED.get():
        provisioners._NAME_SEED.set(secrets.token_hex(4))  # kept by the engine with the resource's record
    return provisioners._physical_name(stack_name, logical_id, lowercase=True, max_len=_NAME_LENGTH)


def _says_missing(failure: ResourceFailed) -> bool:
    cause = failure.__cause__
    if not isinstance(cause, ClientError):
        return False
    error = cause.response["Error"]
    return (
        "NotFound" in error["Code"]
        or "could not find" in error["Message"].lower()
        or ("does not exist" in error["Message"].lower())
    )
