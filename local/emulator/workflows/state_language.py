"""What ministack's interpreter of the states language leaves out: quotas, timeouts, errors that nothing catches."""

import contextvars
import json
import threading
from collections.abc import Sequence
from typing import Any

from ministack.core.responses import error_response_json, now_iso
from ministack.services import stepfunctions

from local.emulator.common.patching import Original, Record
from local.emulator.state import persistence

MAX_PAYLOAD_BYTES = 262_144
"""Quota of Step Functions for an execution's input and for the result of a task or a state (UTF-8)."""

_TOO_LARGE = "States.DataLimitExceeded"
_UNCAUGHT = (_TOO_LARGE, "States.Runtime")  # States.ALL does not match them


def apply_output_path(original: Original, state_def: Record, data: Any, ctx: Record | None = None) -> Any:
    """Apply `Output` of a Succeed state in JSONata."""
    if state_def.get("Type") == "Succeed" and stepfunctions._state_query_language(state_def, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state_def, data, ctx, default=data)
    return original(state_def, data, ctx)


def error_matches(original: Original, error_equals: Sequence[str], error: str) -> bool:
    """Keep `States.ALL` from catching the errors that it does not match on AWS."""
    return error in error_equals if error in _UNCAUGHT else bool(original(error_equals, error))


def fail_execution(original: Original, execution: Record, error: str, cause: str) -> None:
    """Fail an execution that is running: a task may also fail because its execution was stopped."""
    if execution["status"] == "RUNNING":
        original(execution, error, cause)


def add_event(original: Original, execution: Record, event_type: str, details: Record | None = None) -> Any:
    """Fail a state or a task whose result is larger than the quota; have the event saved."""
    persistence.note_change(persistence.LATER)
    if event_type.endswith(("StateExited", "TaskSucceeded")):
        for members in (details or {}).values():
            output = members.get("output") if isinstance(members, dict) else None
            if output is None or len(output) <= MAX_PAYLOAD_BYTES:
                continue
            # ministack writes JSON in ASCII; the quota counts UTF-8.
            if len(json.dumps(json.loads(output), ensure_ascii=False).encode()) > MAX_PAYLOAD_BYTES:
                raise stepfunctions._ExecutionError(
                    _TOO_LARGE,
                    "The state returned a result with a size exceeding the maximum number of bytes service limit.",
                )
    return original(execution, event_type, details)


def start_execution(original: Original, data: Record) -> Any:
    """Refuse the inputs that Step Functions refuses."""
    problem = input_problem(data.get("input", "{}"))
    return error_response_json(*problem, 400) if problem else original(data)


def time_limit(execution: Record, definition: str) -> threading.Timer | None:
    """Start a timer that ends the execution after the `TimeoutSeconds` of its state machine, if there are any."""
    try:
        seconds = json.loads(definition).get("TimeoutSeconds")
    except ValueError:  # ministack fails the execution for it
        return None
    if not seconds:
        return None

    def expire() -> None:
        if execution["status"] == "RUNNING":
            execution["status"], execution["stopDate"] = "TIMED_OUT", now_iso()
            stepfunctions._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
            stepfunctions._emit_execution_status_event(execution)

    # In a copy of this context, which holds the account and the region.
    timer = threading.Timer(seconds, contextvars.copy_context().run, (expire,))
    timer.daemon = True
    timer.start()
    return timer


def input_problem(text: str) -> tuple[str, str] | None:
    """Return the error code and message with which Step Functions refuses an execution's input, or None."""
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        constraint = f"Member must have length less than or equal to {MAX_PAYLOAD_BYTES}"
        message = f"1 validation error detected: Value at 'input' failed to satisfy constraint: {constraint}"
        return "ValidationException", message
    try:
        json.loads(text)
    except ValueError as error:
        return "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
    return None
