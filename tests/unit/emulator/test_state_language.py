"""The quotas of Step Functions."""

from __future__ import annotations

import json

import pytest

from local.emulator.state import persistence
from local.emulator.workflows.state_language import MAX_PAYLOAD_BYTES, add_event, input_problem


@pytest.mark.parametrize("text", ["{}", '"' + "x" * (MAX_PAYLOAD_BYTES - 2) + '"'])
def test_an_input_within_the_quota_is_taken(text: str) -> None:
    """Up to 262,144 bytes of JSON."""
    assert input_problem(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"' + "x" * (MAX_PAYLOAD_BYTES - 1) + '"', "ValidationException"),
        (json.dumps("ü" * (MAX_PAYLOAD_BYTES // 2), ensure_ascii=False), "ValidationException"),
        ("{", "InvalidExecutionInput"),
        ("", "InvalidExecutionInput"),
    ],
)
def test_other_inputs_are_refused(text: str, code: str) -> None:
    """The quota counts bytes of UTF-8, not characters; broken JSON has an error of its own."""
    problem = input_problem(text)
    assert problem is not None
    assert problem[0] == code


def test_an_event_of_an_execution_is_saved_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workflow that only waits and reads makes no request that would have its history saved."""
    monkeypatch.setattr(persistence, "_changed", set())
    noted: list[str] = []
    add_event(lambda execution, event_type, details: noted.append(event_type), {}, "WaitStateEntered")
    assert (noted, persistence._changed) == (["WaitStateEntered"], {persistence.LATER})
