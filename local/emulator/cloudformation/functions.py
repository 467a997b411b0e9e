"""The reserved concurrency of Lambda functions, which ministack takes from no template and never refuses."""

from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.emulator.common.errors import ResourceFailedError
from local.emulator.common.patching import Original, Record, wrap

_PROPERTY = "ReservedConcurrentExecutions"


def register() -> None:
    """Extend the creation and the update of functions in templates."""
    for action in ("create", "update"):
        wrap(provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"], action, _reserve)


def put_function_concurrency(original: Original, name: str, data: Record) -> Any:
    """Refuse a reservation that leaves other functions less than AWS does."""
    if reason := _refusal(name, data.get(_PROPERTY)):
        return lambda_svc.error_response_json("InvalidParameterValueException", reason, 400)
    return original(name, data)


def _reserve(original: Original, *arguments: Any, **options: Any) -> Any:
    props = [each for each in arguments if isinstance(each, dict)][-1]  # after the old ones, in an update
    wanted = props.get(_PROPERTY)
    if reason := _refusal(props.get("FunctionName", ""), wanted):
        raise ResourceFailedError(reason)
    created = original(*arguments, **options)
    lambda_svc._functions[created[0]]["concurrency"] = None if wanted is None else int(wanted)
    return created


def _refusal(name: str, wanted: Any) -> str:
    """Return AWS's message where this reservation is too large beside those of the other functions."""
    functions, limit = lambda_svc._functions, lambda_svc._ACCOUNT_CONCURRENCY_CAP or 1000
    others = sum(int(functions[other].get("concurrency") or 0) for other in functions if other != name)
    kept = min(100, limit)
    if not int(wanted or 0) or others + int(wanted) <= limit - kept:
        return ""
    below = f"account's UnreservedConcurrentExecution below its minimum value of [{kept}]"
    return f"Specified {_PROPERTY} for function decreases {below}."
