"""When the local cloud saves its state while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import pytest

from local.emulator.state import persistence
from local.emulator.state.persistence import Autosave

_SIGNED = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def _saves(
    change: Callable[[Autosave], None],
    *,
    seconds: float = 0.1,
    late_seconds: float = 60,
    save: Callable[[], None] = lambda: None,
) -> list[set[str]]:
    """Return what was saved each time within `seconds`; changes are checked every 10 ms."""
    saved: list[set[str]] = []

    def noted(services: Collection[str]) -> None:
        saved.append(set(services))
        save()

    async def run() -> None:
        persistence._changed.clear()
        autosave = Autosave(noted, soon_seconds=0.01, late_seconds=late_seconds)
        task = asyncio.create_task(autosave.run())
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            change(autosave)
            await asyncio.sleep(0.005)
        task.cancel()

    asyncio.run(run())
    return saved


def _request(method: str, path: str, service: str = "states") -> Callable[[Autosave], None]:
    return lambda autosave: autosave.note_request(method, path, _SIGNED.format(service))


@pytest.mark.parametrize(
    ("change", "saved"),
    [
        (_request("POST", "/"), {"stepfunctions"}),
        (_request("POST", "/", "iam"), {"iam"}),
        (lambda autosave: persistence.note_change("cloudformation"), {"cloudformation"}),
        (lambda autosave: persistence.note_change(persistence.EVERYTHING), set()),
    ],
)
def test_a_change_is_saved_soon(change: Callable[[Autosave], None], saved: set[str]) -> None:
    """The service that a request was signed for, or that the code names, reaches the disk."""
    assert saved in _saves(change)


@pytest.mark.parametrize(
    "change",
    [
        _request("GET", "/"),
        _request("POST", "/endpoints/e/invocations"),
        _request("POST", "/2015-03-31/functions/f/invocations", "lambda"),
        lambda autosave: None,
    ],
)
def test_nothing_is_saved_without_a_change(change: Callable[[Autosave], None]) -> None:
    """Reads, predictions and idle time write nothing."""
    assert not _saves(change, late_seconds=0)


@pytest.mark.parametrize(
    ("target", "changes"),
    [
        ("AWSStepFunctions.DescribeExecution", False),
        ("AWSStepFunctions.GetExecutionHistory", False),
        ("Logs_20140328.FilterLogEvents", False),
        ("AWSStepFunctions.StartExecution", True),
        ("AWSStepFunctions.GetActivityTask", True),
        ("AWSCognitoIdentityService.GetId", True),
        ("", True),
    ],
)
def test_a_call_that_reads_saves_nothing(target: str, changes: bool) -> None:
    """However often it is repeated; a call that changes something, or does not say what it does, is saved."""
    signed = _SIGNED.format("states")
    saved = _saves(lambda autosave: autosave.note_request("POST", "/", signed, target), late_seconds=0)
    assert bool(saved) is changes


def test_whatever_changes_is_followed_by_a_save_of_everything() -> None:
    """A call to one service may have changed another, as a stack does; also a change that no request made."""
    later = _saves(lambda autosave: persistence.note_change("cloudformation"), late_seconds=0.02)
    assert {"cloudformation"} in later and set() in later


def test_logs_are_saved_with_everything_else() -> None:
    """Log lines alone cause no early save; they are written with every service after the longer time."""
    assert not _saves(_request("POST", "/", "logs"))
    assert set() in _saves(_request("POST", "/", "logs"), late_seconds=0.02)


def test_saving_takes_a_small_part_of_the_time() -> None:
    """However often something changes: a slow save is followed by a pause ten times as long."""
    assert 1 <= len(_saves(_request("POST", "/"), seconds=0.6, save=lambda: time.sleep(0.04))) <= 4


def test_saving_everything_takes_a_smaller_part() -> None:
    """Log lines alone: after a save of 30 ms no other follows for 1.5 s, though five would fit the rule above."""
    slow = _saves(_request("POST", "/", "logs"), seconds=0.9, late_seconds=0.01, save=lambda: time.sleep(0.03))
    assert slow == [set()]
