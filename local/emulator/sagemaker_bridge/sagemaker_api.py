"""The SageMaker service as ministack calls it: one request in, one HTTP answer out."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

from local.emulator.access import identity
from local.emulator.common.errors import CannotAssumeRoleError
from local.emulator.common.patching import Answer, Original, Record
from local.emulator.sagemaker_bridge import sagemaker_arns as arns
from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.names import Scope
from local.sagemaker.service import SageMakerService

CONTROL, RUNTIME = "sagemaker", "sagemaker-runtime"
_PRINCIPAL = "sagemaker.amazonaws.com"
_JSON = "application/x-amz-json-1.1"
_answer: Callable[..., Answer] = partial(json_response, content_type=_JSON)
_control_error: Callable[..., Answer] = partial(error_response_json, content_type=_JSON)
_runtime_error: Callable[..., Answer] = partial(
    error_response_json, message_key="Message", content_type="application/json"
)


def register(service: SageMakerService) -> None:
    """Add SageMaker's two planes to ministack's services."""
    router.SERVICE_PATTERNS[CONTROL] = {"host_patterns": [r"^api\.sagemaker\."], "target_prefixes": ["SageMaker."]}
    for name in (CONTROL, RUNTIME):
        iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = "sagemaker"
        iam_actions._BOTOCORE_SERVICE_MAP[name] = [name]
    api = SageMakerApi(service)
    app.SERVICE_HANDLERS[CONTROL] = api.control
    app.SERVICE_HANDLERS[RUNTIME] = api.runtime


def detect_service(original: Original, method: str, path: str, headers: Record, query_params: Record) -> str:
    """Tell the two planes apart by the path: both sign as "sagemaker".

    An unsigned invocation names no service; ministack would look for a bucket "endpoints".
    """
    found: str = original(method, path, headers, query_params)
    mistaken = found == CONTROL or (found == "s3" and method == "POST")
    return RUNTIME if mistaken and arns.INVOCATION_PATH.match(path) else found


def extract_resource_arn(original: Original, service: str, *request: Any) -> str:
    """Authorise SageMaker requests on their resource."""
    _, path, headers, body, _, region, account = request
    if service == CONTROL:
        return arns.resource_arn(_action(headers), _parse(body) or {}, Scope(account, region))
    if service == RUNTIME:
        return arns.invocation_arn(path, Scope(account, region))
    return str(original(service, *request))


def access_denied_response(
    original: Original, service: str, action: str, principal: str, request_id: str, **rest: Any
) -> Any:
    """Word a denial of a SageMaker action as AWS does."""
    if service in (CONTROL, RUNTIME) and not rest.get("message") and not rest.get("error_code"):
        resource, explicit = rest.get("resource_arn", "*"), rest.get("explicit_deny", False)
        rest["message"] = iam_actions.identity_denial_message(action, principal, resource, explicit)
    return original(service, action, principal, request_id, **rest)


class SageMakerApi:
    """Request handlers around a SageMakerService."""

    def __init__(self, service: SageMakerService) -> None:
        self._service = service

    async def control(self, method: str, path: str, headers: Record, body: bytes, query_params: Record) -> Answer:
        """Answer a control-plane call (JSON 1.1, action in X-Amz-Target)."""
        action, params = _action(headers), _parse(body)
        if params is None:
            return _control_error("SerializationException", "The request body is not a JSON object.")
        scope = Scope(get_account_id(), get_region())
        if denial := _denial(router.extract_access_key_id(headers, query_params), action, params, scope):
            return _control_error("AccessDeniedException", denial)
        try:
            if role := arns.passed_role(action, params):
                identity.check_service_role(role, _PRINCIPAL)
            result = await run_reentrant(
                lambda: self._service.handle(scope, action, params), thread_name="sagemaker-api"
            )
        except CannotAssumeRoleError as error:
            return _control_error("ValidationException", str(error))
        except ServiceError as error:
            return _control_error(error.code, error.message, error.http_status, error.details)
        return _answer(result)

    async def runtime(self, method: str, path: str, headers: Record, body: bytes, query_params: Record) -> Answer:
        """Answer InvokeEndpoint (REST-JSON)."""
        match = arns.INVOCATION_PATH.match(path)
        if not match or method != "POST":
            return _runtime_error("UnknownOperationException", "InvokeEndpoint is the only operation here.", 404, {})
        scope, name = Scope(get_account_id(), get_region()), unquote(match.group(1))
        try:
            answer: Answer = await run_reentrant(
                lambda: self._service.invoke_endpoint(scope, name, body, headers), thread_name="sagemaker-invoke"
            )
            return answer
        except ServiceError as error:
            return _runtime_error(error.code, error.message, error.http_status, error.details)


def _denial(access_key_id: str, action: str, params: Record, scope: Scope) -> str:
    """Decide what ministack's one check per request leaves out: PassRole, tags on creation, second resources."""
    for further_action, resource in arns.further_checks(action, params, scope):
        if denial := identity.denial(access_key_id, further_action, resource):
            return denial
    role = arns.passed_role(action, params)
    return identity.pass_role_denial(access_key_id, role, _PRINCIPAL) if role else ""


def _action(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _parse(body: bytes) -> Record | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
