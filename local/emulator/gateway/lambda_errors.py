"""What a failing Lambda function is called: the exception's class, as AWS reports it and state machines catch it."""

from __future__ import annotations

import re
from typing import Any

from ministack.services import lambda_svc

_ANY = "Runtime.HandlerError"  # ministack's name for every exception
_TRACE_START = "Traceback (most recent call last):"


def install() -> None:
    """Give errors of functions their type and stack trace."""
    execute = lambda_svc._execute_function_warm

    def _execute_function_warm(func: dict, event: Any, request_id: str) -> dict:
        result = execute(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == _ANY:
            log = result.get("log") or ""
            body["errorType"] = error_type(log, body.get("errorMessage", "")) or _ANY
            body["requestId"] = request_id
            body["stackTrace"] = stack_trace(log)
        return result

    lambda_svc._execute_function_warm = _execute_function_warm


def error_type(log: str, message: str) -> str:
    """Class name of the exception whose traceback ends `log`, or ``""``. `message`: the exception's text."""
    trace = log[log.rfind(_TRACE_START) :] if _TRACE_START in log else log
    first_line = message.splitlines()[0] if message else ""
    ending = re.escape(f": {first_line}") if first_line else ""
    found = re.findall(rf"^([A-Za-z_][\w.]*){ending}", trace, flags=re.MULTILINE) if ending else []
    if not found and _TRACE_START in log:  # an exception without text stands alone on the last line
        found = re.findall(r"^([A-Za-z_][\w.]*)\s*$", trace, flags=re.MULTILINE)
    return found[-1].rsplit(".", 1)[-1] if found else ""


def stack_trace(log: str) -> list[str]:
    """The frames of the traceback that ends `log`, one string each, as in AWS's answer."""
    if _TRACE_START not in log:
        return []
    trace = log[log.rfind(_TRACE_START) :].splitlines()[1:]
    frames: list[str] = []
    for line in trace:
        if line.startswith('  File "'):
            frames.append(f"{line}\n")
        elif line.startswith("    ") and frames:
            frames[-1] += f"{line}\n"
    return frames
