"""ministack reads back what is written while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core import persistence
from ministack.services import stepfunctions

from local.emulator.state.persistence import save_service

_ARN = "arn:aws:states:us-east-1:000000000000:execution:m:e"


@pytest.fixture
def executions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Executions of ministack, empty, with a state folder of their own."""
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    stepfunctions._executions.clear()
    yield stepfunctions._executions
    stepfunctions._executions.clear()


def _execution(status: str, *events: str) -> dict[str, Any]:
    stopped = None if status == "RUNNING" else "2026-01-01T00:00:00.000Z"
    return {"status": status, "stopDate": stopped, "events": [{"type": event} for event in events]}


def _read_back() -> dict[str, Any]:
    save_service("stepfunctions", stepfunctions.get_state)
    loaded = persistence.load_state("stepfunctions")
    assert loaded is not None
    return {key[2]: record for key, record in loaded["executions"]._data.items()}


def test_executions_are_read_back_as_they_are(executions: Any) -> None:
    """Running and ended executions, also when an ended one was written before."""
    executions[_ARN] = _execution("RUNNING", "ExecutionStarted")
    executions[f"{_ARN}2"] = _execution("SUCCEEDED", "ExecutionStarted", "ExecutionSucceeded")
    for _ in range(2):
        assert _read_back() == dict(executions.items())
    executions[_ARN] = _execution("FAILED", "ExecutionStarted", "ExecutionFailed")
    assert _read_back() == dict(executions.items())
