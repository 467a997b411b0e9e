"""AWS::SageMaker::* for ministack's CloudFormation, made through the SageMaker API with the stack's rights."""

import secrets
from collections.abc import Collection
from typing import Any

from botocore.exceptions import ClientError
from ministack.services.cloudformation import provisioners

from local.emulator.access import front_door
from local.emulator.access.stack_roles import actor_credentials
from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.resource_types import Created, tag_changes, to_parameters
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Record
from local.emulator.recovery.stack_operations import JOURNAL
from local.emulator.sagemaker_bridge import endpoint_states


def register() -> None:
    """Add the four types. Their handlers call this server, and wait."""
    resources = [SageMakerResource(noun) for noun in ("Model", "EndpointConfig", "ModelPackageGroup")]
    for resource in (*resources, EndpointResource("Endpoint")):
        resource.register()


class _AllBut(frozenset[str]):
    """A set that contains everything except its elements."""

    def __contains__(self, name: object) -> bool:
        return not super().__contains__(name)


class SageMakerResource:
    """Creates, tags and deletes resources of one type. `noun`: as in Create<noun>, <noun>Name."""

    replacing: Collection[str] = _AllBut({"Tags"})
    """The properties whose change replaces the resource (CloudFormation's reference of each type)."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._name_member = f"{noun}Name"

    def register(self) -> None:
        """Add the type to ministack's."""
        kind = f"AWS::SageMaker::{self._noun}"
        resource_types.register(kind, create=self._create, update=self._update, delete=self._delete, on_worker=True)
        provisioners._RESOURCE_HANDLERS[kind]["import"] = self._import
        provisioners._REPLACING_PROPERTIES[kind] = self.replacing
        provisioners._CUSTOM_NAME_REPLACEMENT[kind] = {"name": self._name_member}

    def _create(self, logical_id: str, properties: Record, stack_name: str) -> Created:
        name = properties.get(self._name_member) or _new_name(stack_name, logical_id)
        client = _client()
        JOURNAL.note(stack_name, {"making": [self._noun, name]})
        answer = self._call(client, "Create", {**properties, self._name_member: name})
        self._settle(client, name)
        arn = answer[f"{self._noun}Arn"]
        return arn, self._attributes(name, arn)

    def _import(self, identifier: Record) -> Created:
        (arn,) = identifier.values()
        return arn, self._attributes(arn.rsplit("/", 1)[-1], arn)

    def _update(self, physical_id: str, old: Record, new: Record, stack_name: str) -> Created:
        """Apply changed tags; every other change was turned into a replacement before."""
        changed, removed = tag_changes(old.get("Tags"), new.get("Tags"))
        if changed:
            _client().add_tags(ResourceArn=physical_id, Tags=changed)
        if removed:
            _client().delete_tags(ResourceArn=physical_id, TagKeys=removed)
        return physical_id, self._attributes(self._name(physical_id, new), physical_id)

    def _delete(self, physical_id: str, properties: Record) -> None:
        """Delete the resource; one that is gone already counts as deleted."""
        client = _client()
        name = {self._name_member: self._name(physical_id, properties)}
        try:
            self._call(client, "Describe", name)
        except ClientError as error:
            if endpoint_states.says_missing(error):
                return
            raise
        self._call(client, "Delete", name)

    def _name(self, physical_id: str, properties: Record) -> str:
        return properties.get(self._name_member) or physical_id.rsplit("/", 1)[-1]

    def _call(self, client: Any, verb: str, properties: Record) -> Any:
        operation = f"{verb}{self._noun}"
        shape = client.meta.service_model.operation_model(operation).input_shape
        return client._make_api_call(operation, to_parameters(properties, shape))

    def _settle(self, client: Any, name: str) -> None:
        """Wait until a new resource is usable."""

    def _attributes(self, name: str, arn: str) -> Record:
        return {self._name_member: name, f"{self._noun}Arn": arn}


class EndpointResource(SageMakerResource):
    """Endpoints: created or updated only when the model answers."""

    replacing = ("EndpointName",)

    def _update(self, physical_id: str, old: Record, new: Record, stack_name: str) -> Created:
        """Switch to another endpoint config, then apply tags."""
        name = self._name(physical_id, new)
        if {**old, "Tags": None} != {**new, "Tags": None}:
            client, wanted = _client(), new["EndpointConfigName"]
            # The rollback of an interrupted update may find the endpoint on its former config already.
            if endpoint_states.settled(client, name).get("EndpointConfigName") != wanted:
                self._call(client, "Update", {**new, "EndpointName": name})
            self._settle(client, name, wanted=wanted)
        return super()._update(physical_id, old, new, stack_name)

    def _delete(self, physical_id: str, properties: Record) -> None:
        """Delete the endpoint once no other change is in progress, and wait until its name is free again."""
        client, name = _client(), self._name(physical_id, properties)
        endpoint_states.settled(client, name)
        super()._delete(physical_id, properties)
        if endpoint_states.settled(client, name):
            raise ResourceFailedError(f"Endpoint {name} could not be deleted.")

    def _settle(self, client: Any, name: str, wanted: str = "") -> None:
        """Wait for InService (with the config `wanted`); delete a new endpoint that fails: its name is fixed."""
        try:
            endpoint_states.wait_in_service(client, name, wanted)
        except ResourceFailedError as failure:
            if not wanted:
                client.delete_endpoint(EndpointName=name)
            raise ResourceFailedError(f"Resource {name} did not stabilize: {failure}") from failure


def _client() -> Any:
    return front_door.client("sagemaker", actor_credentials())


def _new_name(stack_name: str, logical_id: str) -> str:
    """Generate a name, a new one for each resource; in lower case, as the ARN repeats it."""
    if not provisioners._NAME_SEED.get():
        provisioners._NAME_SEED.set(secrets.token_hex(4))  # ministack keeps it with the resource's record
    return str(provisioners._physical_name(stack_name, logical_id, lowercase=True, max_len=63))
