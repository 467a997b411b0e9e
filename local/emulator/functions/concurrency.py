"""The concurrency of the account: what is reserved for a function, and what is left for the others."""

import threading
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region, new_uuid
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.emulator.cloudformation.resource_types import Created
from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record, wrap

_TYPE = "AWS::Lambda::Function"
_LEFT = 100  # what AWS keeps for the functions without a reservation; all there is, in an account with less
_lock = threading.Lock()


def register() -> None:
    """Extend ministack's handlers of the type, which drop the property ReservedConcurrentExecutions."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    wrap(handlers, "create", _create_function)
    wrap(handlers, "update", _update_function)


def put_function_concurrency(original: Original, name: str, data: Record) -> Any:
    """Refuse a reservation that leaves the other functions too little."""
    if name in lambda_svc._functions and (reason := _refusal(name, data.get("ReservedConcurrentExecutions"))):
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
    scope = (get_account_id(), get_region())
    functions = list(lambda_svc._functions._data.items())
    return {
        key[2]: int(record["concurrency"])
        for key, record in functions
        if key[:2] == scope and record.get("concurrency") is not None
    }


def _refusal(name: str, wanted: Any) -> str:
    """Return AWS's reason for refusing a function this reservation; an empty text if it may have it."""
    reserved = _reserved()
    before, limit = sum(reserved.values()), lambda_svc._ACCOUNT_CONCURRENCY_CAP
    after = before - reserved.get(name, 0) + int(wanted or 0)
    left = min(_LEFT, limit)
    if after <= before or limit - after >= left:
        return ""
    return (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        f"its minimum value of [{left}]."
    )


def _create_function(original: Original, logical_id: str, props: Record, stack_name: str) -> Created:
    _check(props.get("FunctionName", ""), props)  # before anything is made
    created: Created = original(logical_id, props, stack_name)
    return _reserve(created, props)


def _update_function(original: Original, physical_id: str, old: Record, new: Record, *rest: Any) -> Created:
    _check(physical_id, new)
    return _reserve(original(physical_id, old, new, *rest), new)


def _check(name: str, props: Record) -> None:
    if reason := _refusal(name, props.get("ReservedConcurrentExecutions")):
        raise ResourceFailedError(
            f'Resource handler returned message: "{reason} (Service: Lambda, Status Code: 400, Request ID: '
            f'{new_uuid()})" (RequestToken: {new_uuid()}, HandlerErrorCode: InvalidRequest)'
        )


def _reserve(created: Created, props: Record) -> Created:
    wanted = props.get("ReservedConcurrentExecutions")
    lambda_svc._functions[created[0]]["concurrency"] = None if wanted is None else int(wanted)
    return created
