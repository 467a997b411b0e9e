"""What ministack's interpreter of the states language leaves out: ``Output`` of Succeed, quotas, final errors, time."""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ministack.core.responses import error_response_json, now_iso
from ministack.services import stepfunctions

MAX_PAYLOAD_BYTES = 262_144
"""Quota of Step Functions for an execution's input and for the result of a task or a state (UTF-8)."""

_TOO_LARGE = "States.DataLimitExceeded"
_FINAL = (_TOO_LARGE, "States.Runtime")  # States.ALL does not match them


def install() -> None:
    """Close the gaps. To be called before the tasks are wrapped."""
    apply_output_path = stepfunctions._apply_output_path
    error_matches = stepfunctions._error_matches
    fail_execution = stepfunctions._fail_execution
    add_event = stepfunctions._add_event

    def _apply_output_path(state_def: dict, data: Any, ctx: dict | None = None) -> Any:
        if state_def.get("Type") == "Succeed" and stepfunctions._state_query_language(state_def, ctx) == "JSONata":
            return stepfunctions._apply_jsonata_output(state_def, data, ctx, default=data)
        return apply_output_path(state_def, data, ctx)

    def _error_matches(error_equals: Sequence[str], error: str) -> bool:
        return error in error_equals if error in _FINAL else error_matches(error_equals, error)

    def _fail_execution(execution: dict, error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":  # a task that fails because its execution was stopped changes nothing
            fail_execution(execution, error, cause)

    def _add_event(execution: dict, event_type: str, details: dict | None = None) -> dict:
        for members in (details or {}).values():
            output = members.get("output") if isinstance(members, dict) else None
            if output is not None and event_type.endswith(("StateExited", "TaskSucceeded")):
                _check_size(output)
        return add_event(execution, event_type, details)

    stepfunctions._apply_output_path = _apply_output_path
    stepfunctions._error_matches = _error_matches
    stepfunctions._fail_execution = _fail_execution
    stepfunctions._add_event = _add_event
    stepfunctions._start_execution = _with_checked_input(stepfunctions._start_execution)
    stepfunctions._start_sync_execution = _with_checked_input(stepfunctions._start_sync_execution)


def time_limit(execution: dict, definition: str) -> threading.Timer | None:
    """A started timer that ends the execution after the ``TimeoutSeconds`` of its state machine, if it has any."""
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

    # In a copy of this context: the account and the region are in it.
    timer = threading.Timer(seconds, contextvars.copy_context().run, (expire,))
    timer.daemon = True
    timer.start()
    return timer


def input_problem(text: str) -> tuple[str, str] | None:
    """(error code, message) with which Step Functions refuses the input of an execution; None if it takes it."""
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        return (
            "ValidationException",
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length "
            f"less than or equal to {MAX_PAYLOAD_BYTES}",
        )
    try:
        json.loads(text)
    except ValueError as error:
        return "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
    return None


def _with_checked_input(handler: Callable[[dict], tuple]) -> Callable[[dict], tuple]:
    def run(data: dict) -> tuple:
        problem = input_problem(data.get("input", "{}"))
        return error_response_json(*problem, 400) if problem else handler(data)

    return run


def _check_size(output: str) -> None:
    # ministack writes JSON in ASCII; the quota counts UTF-8.
    if len(output) > MAX_PAYLOAD_BYTES and len(json.dumps(json.loads(output), ensure_ascii=False).encode()) > (
        MAX_PAYLOAD_BYTES
    ):
        raise stepfunctions._ExecutionError(
            _TOO_LARGE, "The state returned a result with a size exceeding the maximum number of bytes service limit."
        )
