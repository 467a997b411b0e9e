"""Waiting for something to become true."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 60, pause: float = 0.1) -> T:
    """Return what `condition` gives once it is true; fail with the last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain; at last: {found!r}"
        time.sleep(pause)
    return found


def until_ended(workflows: Any, execution: str) -> dict[str, Any]:
    """Return the description of an execution once it runs no more.

    Args:
        workflows: the client of Step Functions.
        execution: the execution's ARN.
    """

    def description() -> dict[str, Any]:
        found: dict[str, Any] = workflows.describe_execution(executionArn=execution)
        return {} if found["status"] == "RUNNING" else found

    return until(description)
