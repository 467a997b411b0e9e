"""The error type of a failed Lambda function: the exception's class, as AWS reports it and state machines catch it."""

import re
from typing import Any

from local.emulator.common.patching import Original, Record

_ANY = "Runtime.HandlerError"  # ministack's type of every exception
_TRACE_START = "Traceback (most recent call last):"


def execute_function(original: Original, func: Record, event: Any, request_id: str) -> Record:
    """Give the error of a function its type."""
    result: Record = original(func, event, request_id)
    body = result.get("body")
    if result.get("error") and isinstance(body, dict) and body.get("errorType") == _ANY:
        body["errorType"] = error_type(result.get("log") or "", body.get("errorMessage", "")) or _ANY
    return result


def error_type(log: str, message: str) -> str:
    """Return the class of the exception with the text `message` whose traceback ends `log`, or an empty string."""
    trace = log[log.rfind(_TRACE_START) :] if _TRACE_START in log else log
    first_line = message.splitlines()[0] if message else ""
    found = re.findall(rf"^([A-Za-z_][\w.]*): {re.escape(first_line)}", trace, flags=re.MULTILINE) if first_line else []
    if not found and _TRACE_START in log:  # an exception without text stands alone on the last line
        found = re.findall(r"^([A-Za-z_][\w.]*)\s*$", trace, flags=re.MULTILINE)
    return found[-1].rsplit(".", 1)[-1] if found else ""
