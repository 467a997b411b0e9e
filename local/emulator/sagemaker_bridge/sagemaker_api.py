"""The SageMaker service as ministack sees it: one request in, one HTTP answer out."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import get_account_id, get_region

from local.emulator.access import identity
from local.emulator.common.errors import CannotAssumeRole
from local.emulator.sagemaker_bridge.sagemaker_arns import (
    INVOCATION_PATH,
    further_checks,
    invocation_arn,
    passed_role,
    resource_arn,
)
from local.sagemaker.common.errors import ServiceError
from local.sagemaker.service import SageMakerService

logger = logging.getLogger("local.sagemaker_api")

CONTROL, RUNTIME = "sagemaker", "sagemaker-runtime"
_PRINCIPAL = "sagemaker.amazonaws.com"
_TARGET_PREFIX = "SageMaker."
_JSON = {"Content-Type": "application/x-amz-json-1.1"}

Answer = tuple[int, dict[str, str], bytes]


def install(service: SageMakerService) -> None:
    """Make ministack route, authorise and answer requests of the two SageMaker planes."""
    # Both planes sign as "sagemaker"; only the path tells them apart.
    router.SERVICE_PATTERNS[CONTROL] = {
        "host_patterns": [r"^api\.sagemaker\."],
        "target_prefixes": [_TARGET_PREFIX],
    }
    detect = app.detect_service

    def detect_service(method: str, path: str, headers: dict, query_params: dict) -> str:
        found = detect(method, path, headers, query_params)
        # An unsigned call carries no service at all; ministack would look for a bucket "endpoints".
        mistaken = found == CONTROL or (found == "s3" and method == "POST")
        return RUNTIME if mistaken and INVOCATION_PATH.match(path) else found

    app.detect_service = detect_service
    for name in (CONTROL, RUNTIME):
        iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = "sagemaker"
        iam_actions._BOTOCORE_SERVICE_MAP[name] = [name]
    find_arn = iam_actions.extract_resource_arn

    def extract_resource_arn(service_name, method, path, headers, body, query_params, region, account_id):
        if service_name == CONTROL:
            params = _parse(body) or {}
            return resource_arn(_action(headers), params, account=account_id, region=region)
        if service_name == RUNTIME:
            return invocation_arn(path, account=account_id, region=region)
        return find_arn(service_name, method, path, headers, body, query_params, region, account_id)

    iam_actions.extract_resource_arn = extract_resource_arn
    answer_denial = iam_actions.access_denied_response

    def access_denied_response(name: str, action: str, principal: str, request_id: str, **rest: Any) -> Answer:
        if name in (CONTROL, RUNTIME) and not rest.get("message") and not rest.get("error_code"):
            resource, explicit = rest.get("resource_arn", "*"), rest.get("explicit_deny", False)
            rest["message"] = iam_actions.identity_denial_message(action, principal, resource, explicit)
        return answer_denial(name, action, principal, request_id, **rest)

    iam_actions.access_denied_response = access_denied_response
    api = SageMakerApi(service)
    app.SERVICE_HANDLERS[CONTROL] = api.control
    app.SERVICE_HANDLERS[RUNTIME] = api.runtime


class SageMakerApi:
    """Request handlers around a SageMakerService."""

    def __init__(self, service: SageMakerService) -> None:
        self._service = service

    async def control(self, method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Answer:
        """Answer a control-plane call (JSON 1.1, action in X-Amz-Target)."""
        action, params = _action(headers), _parse(body)
        if params is None:
            return _control_error("SerializationException", "The request body is not a JSON object.", 400)
        account, region = get_account_id(), get_region()
        if denial := self._denial(action, params, headers, query_params, account, region):
            return _control_error("AccessDeniedException", denial.message, 400)
        try:
            if role := passed_role(action, params):
                identity.check_service_role(role, _PRINCIPAL)
            result = await run_reentrant(
                lambda: self._service.handle(action, params, account=account, region=region),
                thread_name="sagemaker-api",
            )
        except CannotAssumeRole as error:
            return _control_error("ValidationException", str(error), 400)
        except ServiceError as error:
            return _control_error(error.code, error.message, error.http_status, error.details)
        return 200, dict(_JSON), json.dumps(result).encode()

    async def runtime(self, method: str, path: str, headers: dict, body: bytes, query_params: dict) -> Answer:
        """Answer InvokeEndpoint (REST-JSON)."""
        match = INVOCATION_PATH.match(path)
        if not match or method != "POST":
            return _runtime_error("UnknownOperationException", "Only InvokeEndpoint is known here.", 404, {})
        account, region = get_account_id(), get_region()
        try:
            result = await run_reentrant(
                lambda: self._service.invoke_endpoint(
                    unquote(match.group(1)),
                    body,
                    headers.get("content-type", ""),
                    headers.get("accept", ""),
                    headers,
                    account=account,
                    region=region,
                ),
                thread_name="sagemaker-invoke",
            )
        except ServiceError as error:
            return _runtime_error(error.code, error.message, error.http_status, error.details)
        answer = {"Content-Type": result.content_type, "x-Amzn-Invoked-Production-Variant": result.variant}
        return result.status, {**answer, **result.headers}, result.body

    def _denial(
        self, action: str, params: Mapping[str, Any], headers: dict, query_params: dict, account: str, region: str
    ) -> identity.Denial | None:
        """What ministack's one check per request leaves out: PassRole, tags on create, second resources."""
        key = router.extract_access_key_id(headers, query_params)
        for further_action, resource in further_checks(action, params, account=account, region=region):
            if denial := identity.decide(key, further_action, resource, account=account, region=region):
                return denial
        role = passed_role(action, params)
        return identity.may_pass_role(key, role, _PRINCIPAL, account=account, region=region) if role else None


def _action(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _control_error(code: str, message: str, status: int, details: Mapping[str, Any] | None = None) -> Answer:
    body = {"__type": code, "message": message, **(details or {})}
    return status, {**_JSON, "x-amzn-ErrorType": code}, json.dumps(body).encode()


def _runtime_error(code: str, message: str, status: int, details: Mapping[str, Any]) -> Answer:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps({"Message": message, **details}).encode()
