"""The concurrency of the account: what is reserved for a function, and what is left for the others."""

import json
import threading
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation.resource_types import Created
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record, wrap

_MEMBER = "ReservedConcurrentExecutions"
_LEFT = 100  # what AWS keeps for the functions without a reservation; all there is, in an account with less
_lock = threading.Lock()


def register() -> None:
    """Extend ministack's handlers of the type, which drop the property ReservedConcurrentExecutions."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    wrap(handlers, "create", _create_function)
    wrap(handlers, "update", _update_function)


def put_function_concurrency(original: Original, name: str, data: Record) -> Any:
    """Refuse a reservation that leaves the other functions too little."""
    reserved, limit = _reserved(), lambda_svc._ACCOUNT_CONCURRENCY_CAP
    wanted, left = int(data.get(_MEMBER) or 0), min(_LEFT, limit)
    before = reserved.pop(name, 0)
    if name in lambda_svc._functions and wanted > before and limit - sum(reserved.values()) - wanted < left:
        reason = (
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{left}]."
        )
        return error_response_json("InvalidParameterValueException", reason, 400)
    return original(name, data)


def acquire_execution_slot(original: Original, func: Record, config: Record) -> Any:
    """Keep what is reserved for others: ministack lets whoever comes first take it."""
    with _lock:
        if lambda_svc._reserved_concurrency(func, config) is None:
            reserved, scope = _reserved(), [get_account_id(), get_region()]
            running = [(key.split(":"), count) for key, count in lambda_svc.executions_in_flight()[1].items()]
            others = sum(count for key, count in running if key[:2] == scope and key[2] not in reserved)
            if others >= lambda_svc._ACCOUNT_CONCURRENCY_CAP - sum(reserved.values()):
                return None, "account"
        return original(func, config)


def _reserved() -> dict[str, int]:
    """Return what each function of this account and region has reserved."""
    functions = lambda_svc._functions.items()
    return {name: int(kept["concurrency"]) for name, kept in functions if kept.get("concurrency") is not None}


def _create_function(original: Original, logical_id: str, props: Record, stack_name: str) -> Created:
    created: Created = original(logical_id, props, stack_name)
    try:
        return _reserve(created, props)
    except ResourceFailedError:
        lambda_svc._functions.pop(created[0])  # a resource that failed is not the stack's, so that no rollback finds it
        raise


def _update_function(original: Original, physical_id: str, old: Record, new: Record, *rest: Any) -> Created:
    return _reserve(original(physical_id, old, new, *rest), new)


def _reserve(created: Created, props: Record) -> Created:
    if (wanted := props.get(_MEMBER)) is None:
        lambda_svc._delete_function_concurrency(created[0])
        return created
    status, _, body = lambda_svc._put_function_concurrency(created[0], {_MEMBER: int(wanted)})
    if status >= 400:
        reason = f"{json.loads(body)['message']} (Service: Lambda, Status Code: {status}, Request ID: {new_uuid()})"
        raise ResourceFailedError(
            f'Resource handler returned message: "{reason}" (RequestToken: {new_uuid()}, HandlerErrorCode: '
            "InvalidRequest)"
        )
    return created
