"""How API Gateway handles a request: bodies without a model, large bodies, functions that crash, throttles."""

from typing import Any

from ministack.services import apigateway_v1 as gateway

from local.emulator.common.patching import Answer, Original, Record

MAX_BODY_BYTES = 10 * 1024 * 1024  # largest request that API Gateway accepts
_BAD_GATEWAY = "bad gateway"  # marks a DEFAULT_5XX that keeps status 502


class _LambdaFailedError(Exception):
    """A function crashed, returned something that is no proxy response, or was refused; `args[0]`: the error's type."""


def check_request_validation(
    original: Original, method_obj: Record, api_id: str, request: Record, headers: Record, *rest: Any
) -> Any:
    """Validate no body of a media type without a model: it reaches the integration."""
    media_type = gateway._header_ci(headers, "content-type").partition(";")[0].strip().lower()
    if media_type and media_type not in (method_obj.get("requestModels") or {}):
        method_obj = {**method_obj, "requestModels": {}}
    return original(method_obj, api_id, request, headers, *rest)


async def execute(original: Original, request: Record, api_id: str, *rest: Any) -> Any:
    """Refuse a body that is too large."""
    body = rest[4]
    if body and len(body) > MAX_BODY_BYTES:
        request["stage"] = gateway._stages_v1.get(api_id, {}).get(request["stage_name"])
        if request["stage"]:
            return gateway._gw_error("REQUEST_TOO_LARGE", "Request Too Long")
    return await original(request, api_id, *rest)


def lambda_proxy_response(original: Original, result: Record) -> Any:
    """Raise what ministack returns, so that `invoke_lambda_proxy` can answer for a function that failed."""
    if result.get("throttle"):
        raise _LambdaFailedError("InternalServerErrorException")
    response, error = original(result)
    if error:
        raise _LambdaFailedError(_BAD_GATEWAY)
    return response, error


async def invoke_lambda_proxy(original: Original, *args: Any, **kwargs: Any) -> Any:
    """Answer 502 for a function that failed, 500 for one that Lambda did not run. AWS tells callers no more either."""
    try:
        return await original(*args, **kwargs)
    except _LambdaFailedError as error:
        return gateway._GatewayError("DEFAULT_5XX", "Internal server error", error.args[0])


def gateway_error_response(original: Original, error: Any, request: Record) -> Answer:
    """Keep 502, and send each header once."""
    bad_gateway = error.error_type == _BAD_GATEWAY
    if bad_gateway:
        error.error_type = "InternalServerErrorException"
    status, headers, body = original(error, request)
    customized = gateway._gateway_responses.get(request["api_id"], {}).get("DEFAULT_5XX", {})
    if bad_gateway and not customized.get("statusCode"):
        status = 502
    # Header names are case-insensitive: the last spelling wins (ministack puts its own Content-Type first).
    by_name = {name.lower(): (name, value) for name, value in headers.items()}
    return status, dict(by_name.values()), body


def method_throttle_settings(original: Original, stage: Record, resource_path: str, http_method: str) -> Any:
    """Find a method's throttle by its JSON pointer (`/~1v1~1predictions`), as templates name it."""
    pointer = resource_path.replace("~", "~0").replace("/", "~1")
    own = (stage.get("methodSettings") or {}).get(f"/{pointer}/{http_method}")
    return own or original(stage, resource_path, http_method)
