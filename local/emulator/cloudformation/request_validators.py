"""AWS::ApiGateway::RequestValidator, and its use by AWS::ApiGateway::Method; ministack only invents an id."""

import json

from ministack.services import apigateway_v1 as gateway
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation import resource_types
from local.emulator.cloudformation.resource_types import Created
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record, wrap

_TYPE = "AWS::ApiGateway::RequestValidator"


def register() -> None:
    """Replace the type's handlers, and extend the creation of methods, which their update calls too."""
    resource_types.register(_TYPE, create=_create, update=_update, delete=_delete)
    provisioners._REPLACING_PROPERTIES[_TYPE] = ("RestApiId", "Name")
    wrap(provisioners, "_apigw_method_create", _create_method)
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]["create"] = provisioners._apigw_method_create


def _flags(props: Record) -> dict[str, bool]:
    return {
        "validateRequestBody": provisioners._cfn_bool(props.get("ValidateRequestBody")),
        "validateRequestParameters": provisioners._cfn_bool(props.get("ValidateRequestParameters")),
    }


def _create(logical_id: str, props: Record, stack_name: str) -> Created:
    name = props.get("Name") or provisioners._physical_name(stack_name, logical_id)
    status, _, body = gateway._create_request_validator(props["RestApiId"], {"name": name, **_flags(props)})
    if status >= 400:
        raise ResourceFailedError(f"{_TYPE} create failed: {body!r}")
    validator_id = json.loads(body)["id"]
    return validator_id, {"RequestValidatorId": validator_id}


def _update(physical_id: str, old: Record, new: Record, stack_name: str) -> Created:
    gateway._request_validators[new["RestApiId"]][physical_id].update(_flags(new))
    return physical_id, {"RequestValidatorId": physical_id}


def _delete(physical_id: str, props: Record) -> None:
    gateway._delete_request_validator(props["RestApiId"], physical_id)


def _create_method(original: Original, logical_id: str, props: Record, stack_name: str) -> Created:
    created: Created = original(logical_id, props, stack_name)
    methods = gateway._resources[props["RestApiId"]][props["ResourceId"]]["resourceMethods"]
    methods[props["HttpMethod"]]["requestValidatorId"] = props.get("RequestValidatorId")
    return created
