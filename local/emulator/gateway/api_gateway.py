"""What ministack's REST APIs leave out: request validators of a template, and the gateway's own error answers."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import apigateway_v1 as gateway
from ministack.services.cloudformation import provisioners

from local.emulator.common.errors import ResourceFailed
from local.emulator.gateway.schema_problems import explain

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Largest request API Gateway takes."""

_VALIDATION_STRING = ("$context.error.validationErrorString", "${context.error.validationErrorString}")
_BAD_GATEWAY = "bad gateway"  # marks a DEFAULT_5XX that keeps status 502


def install() -> None:
    """Close the gaps in CloudFormation's API Gateway types and in the data plane."""
    _install_validators()
    _install_error_answers()
    _install_method_throttles()


def _install_validators() -> None:
    """AWS::ApiGateway::RequestValidator really makes one, and AWS::ApiGateway::Method refers to it."""

    def create(logical_id: str, props: dict, stack_name: str) -> tuple[str, dict]:
        name = props.get("Name") or provisioners._physical_name(stack_name, logical_id)
        data = {
            "name": name,
            "validateRequestBody": provisioners._cfn_bool(props.get("ValidateRequestBody")),
            "validateRequestParameters": provisioners._cfn_bool(props.get("ValidateRequestParameters")),
        }
        status, _, body = gateway._create_request_validator(props["RestApiId"], data)
        if status >= 400:
            raise ResourceFailed(f"AWS::ApiGateway::RequestValidator create failed: {body!r}")
        validator_id = json.loads(body)["id"]
        return validator_id, {"RequestValidatorId": validator_id}

    def update(physical_id: str, old: dict, new: dict, stack_name: str) -> tuple[str, dict]:
        validator = gateway._request_validators.get(new["RestApiId"], {}).get(physical_id)
        if validator is None or any(old.get(name) != new.get(name) for name in ("RestApiId", "Name")):
            created = create(physical_id, new, stack_name)
            provisioners._delete_predecessor(delete, physical_id, old)
            return created
        validator["validateRequestBody"] = provisioners._cfn_bool(new.get("ValidateRequestBody"))
        validator["validateRequestParameters"] = provisioners._cfn_bool(new.get("ValidateRequestParameters"))
        return physical_id, {"RequestValidatorId": physical_id}

    def delete(physical_id: str, props: dict) -> None:
        gateway._request_validators.get(props.get("RestApiId", ""), {}).pop(physical_id, None)

    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"] = {
        "create": create,
        "update": update,
        "delete": delete,
    }
    create_method = provisioners._apigw_method_create

    def create_method_with_validator(logical_id: str, props: dict, stack_name: str) -> tuple[str, dict]:
        created = create_method(logical_id, props, stack_name)
        resource = gateway._resources.get(props.get("RestApiId", ""), {}).get(props.get("ResourceId", ""), {})
        method = resource.get("resourceMethods", {}).get(props.get("HttpMethod", "ANY"))
        if method is not None:
            method["requestValidatorId"] = props.get("RequestValidatorId")
        return created

    provisioners._apigw_method_create = create_method_with_validator  # what the type's update calls
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"]["create"] = create_method_with_validator


def _install_error_answers() -> None:
    """Validation errors are explained; a crashed Lambda and a large body are answered as the gateway does."""
    check = gateway._check_request_validation
    execute = gateway._execute_in_scope
    invoke_proxy = gateway._invoke_lambda_proxy_v1
    shape_response = gateway._lambda_proxy_response
    render = gateway._gateway_error_response

    def _check_request_validation(
        method_obj: dict, api_id: str, request: dict, headers: dict, body: bytes, query_params: dict
    ):
        # A body of a media type without a model is not checked: it reaches the integration.
        models = method_obj.get("requestModels") or {}
        media_type = gateway._header_ci(headers, "content-type").partition(";")[0].strip().lower()
        if media_type and media_type not in models:
            method_obj = {**method_obj, "requestModels": {}}
        error = check(method_obj, api_id, request, headers, body, query_params)
        if error is not None and error.response_type == "BAD_REQUEST_BODY":
            request["validation_error"] = _explanation(method_obj, api_id, body)
        return error

    async def _execute_in_scope(request: dict, api_id: str, *rest: Any) -> Any:
        body = rest[4]
        if body and len(body) > MAX_BODY_BYTES:
            request["stage"] = gateway._stages_v1.get(api_id, {}).get(request["stage_name"])
            if request["stage"]:
                return gateway._gw_error("REQUEST_TOO_LARGE", "Request Too Long")
        return await execute(request, api_id, *rest)

    def _lambda_proxy_response(result: dict) -> tuple:
        response, error = shape_response(result)
        if error:
            raise _LambdaFailed(error)
        return response, error

    async def _invoke_lambda_proxy_v1(*args: Any, **kwargs: Any) -> Any:
        try:
            return await invoke_proxy(*args, **kwargs)
        except _LambdaFailed:
            # The reason is in the function's log; AWS tells the caller nothing either.
            return gateway._GatewayError("DEFAULT_5XX", "Internal server error", _BAD_GATEWAY)

    def _gateway_error_response(error: Any, request: dict) -> tuple:
        bad_gateway = error.error_type == _BAD_GATEWAY
        if bad_gateway:
            error.error_type = "InternalServerErrorException"
        status, headers, body = render(error, request)
        customized = gateway._gateway_responses.get(request["api_id"], {}).get("DEFAULT_5XX", {})
        if bad_gateway and not customized.get("statusCode"):
            status = 502
        # Escaped, so that a template with the variable in quotes stays JSON. What AWS does is not documented.
        reason = json.dumps(request.get("validation_error", ""), ensure_ascii=False)[1:-1]
        for variable in _VALIDATION_STRING:
            body = body.replace(variable.encode(), reason.encode())
        return status, _without_duplicates(headers), body

    gateway._check_request_validation = _check_request_validation
    gateway._execute_in_scope = _execute_in_scope
    gateway._lambda_proxy_response = _lambda_proxy_response
    gateway._invoke_lambda_proxy_v1 = _invoke_lambda_proxy_v1
    gateway._gateway_error_response = _gateway_error_response


def _install_method_throttles() -> None:
    """A template names a method's path as a JSON pointer (`/~1v1~1predictions`); ministack looks for the plain path."""
    find = gateway._method_throttle_settings

    def _method_throttle_settings(stage: dict, resource_path: str, http_method: str) -> dict | None:
        pointer = resource_path.replace("~", "~0").replace("/", "~1")
        own = (stage.get("methodSettings") or {}).get(f"/{pointer}/{http_method}")
        return own or find(stage, resource_path, http_method)

    gateway._method_throttle_settings = _method_throttle_settings


class _LambdaFailed(Exception):
    """A function that crashed, or answered something that is no proxy response."""


def _explanation(method_obj: dict, api_id: str, body: bytes) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "Invalid request body"
    model = (method_obj.get("requestModels") or {}).get("application/json", "")
    return explain(gateway._model_schema(api_id, model) or {}, document)


def _without_duplicates(headers: dict[str, str]) -> dict[str, str]:
    """Header names are case-insensitive: the last spelling wins (ministack puts its own Content-Type first)."""
    kept: dict[str, tuple[str, str]] = {}
    for name, value in headers.items():
        kept[name.lower()] = (name, value)
    return dict(kept.values())
