"""What a release asks before it changes anything: the request, whose turn it is, the approval, the archive."""

from __future__ import annotations

from typing import Any

import pytest
import release_state_names as names
from release_samples import (
    APPROVED_AT,
    BY_EVENT,
    BY_PERSON,
    EXECUTION,
    MACHINE,
    MINE,
    NEW,
    PARTS,
    called,
    noted,
    package,
    rejection,
    run,
    running,
    scripted,
    updates,
)
from states_interpreter import TaskFailed

LONG_AGO = "2020-01-01T00:00:00.000Z"
SHORTLY_BEFORE = "2026-01-02T03:04:06.099Z"


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        "text",
        {"model_package_arn": 7},
        {"model_package_arn": None},
        {"model_package_arn": NEW.replace("text-classifier-dev", "other")},
        {"model_package_arn": NEW.removesuffix("/7")},
        {"model_package_arn": f"{NEW}x"},
        {"model_package_arn": f"{NEW}/8"},
        {"model_package_arn": [NEW]},
        {"model_package_arn": NEW, "aproved_at": APPROVED_AT},
        {"model_package_arn": NEW, "approved_at": "yesterday"},
        {"model_package_arn": NEW, "approved_at": None},
        {"model_package_arn": NEW, "approved_at": "2026-13-01T00:00:00Z"},
        {"model_package_arn": NEW, "approved_at": "2999-01-01T00:00:00Z"},
        {"model_package_arn": NEW, "approved_at": APPROVED_AT, "event_id": "5f1c"},
    ],
)
def test_wrong_request_is_refused_at_once(given: Any) -> None:
    """Anything but a version of this group ends in the first state with what is allowed; nothing is called."""
    execution = run(given)
    assert execution.failure is not None and execution.failure["Error"] == "InvalidRequest"
    assert f'{{"model_package_arn": "{PARTS.package_arn_prefix}7"}}' in execution.failure["Cause"]
    assert execution.calls == []


def test_turn_is_looked_for_after_a_wait() -> None:
    """The list of executions lags behind: the first look at it comes after a pause."""
    assert run().visited[:3] == [names.CHECK, names.WAIT_TURN, names.TURN]


def test_older_release_goes_first() -> None:
    """While an execution that started before is running, this one waits and looks again."""
    older = (f"{EXECUTION}-older", SHORTLY_BEFORE)
    execution = run(answers={names.TURN: scripted(running(MINE, older), running(MINE, older), running(MINE))})
    assert called(execution)[:4] == [names.TURN, names.TURN, names.TURN, names.PACKAGE]
    assert execution.arguments(names.PACKAGE) == {"ModelPackageName": NEW}


@pytest.mark.parametrize(
    ("listed", "turns"),
    [
        ([MINE, (f"{EXECUTION}-younger", "2026-01-02T03:04:06.101Z")], 1),
        ([(f"{MACHINE}:a", MINE[1]), MINE], 1),
        ([(EXECUTION.removesuffix("me") + "aa", MINE[1]), MINE], 2),
        ([(f"{EXECUTION}-x", "2026-01-02T03:04:06Z"), MINE], 2),
        ([], 2),
    ],
)
def test_turns_follow_start_and_name(listed: list[tuple[str, str]], turns: int) -> None:
    """The oldest goes first, the name decides between equals, and one that is not listed yet has not its turn."""
    execution = run(answers={names.TURN: scripted(running(*listed), running(MINE))})
    assert called(execution).count(names.TURN) == turns


def test_turn_that_never_comes_is_given_up() -> None:
    """After 45 minutes the request fails; the package keeps its approval, because nothing is wrong with it."""
    older = (f"{EXECUTION}-older", SHORTLY_BEFORE)
    execution = run(answers={names.TURN: scripted(running(MINE, older))}, started=LONG_AGO)
    assert execution.failure is not None and "45 minutes" in execution.failure["Cause"]
    assert called(execution) == [names.TURN, names.TELL_FAILURE]


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
def test_person_is_told_to_approve_first(status: str) -> None:
    """A person's request for a package that is not approved fails and says what to do; the package stays as it is."""
    execution = run(BY_PERSON, {names.PACKAGE: scripted(package(status))})
    assert execution.failure is not None and execution.failure["Error"] == "NotApproved"
    assert f"Version 7 is {status}" in execution.failure["Cause"] and "approve it first" in execution.failure["Cause"]
    assert called(execution) == [names.TURN, names.PACKAGE]


def test_approval_taken_back_releases_nothing() -> None:
    """An event whose package is no longer approved when its turn comes ends well, with nothing released."""
    execution = run(BY_EVENT, {names.PACKAGE: scripted(package("Rejected"))})
    assert execution.output == {"outcome": "nothing to release", "version": "7", "replaced": None}
    assert called(execution) == [names.TURN, names.PACKAGE]


@pytest.mark.parametrize(
    ("dealt_with", "outcome"),
    [
        (APPROVED_AT, "duplicate"),
        ("2026-01-02T03:04:05.500Z", "duplicate"),
        ("2026-01-02T03:04:04.999Z", "released"),
        ("2025-12-31T00:00:00Z", "released"),
    ],
)
def test_an_approval_is_released_once(dealt_with: str, outcome: str) -> None:
    """An event that comes twice changes nothing; a new approval of the same package is a new release."""
    execution = run(BY_EVENT, {names.PACKAGE: scripted(package(release_approved_at=dealt_with))})
    assert execution.output["outcome"] == outcome
    assert updates(execution) == ([NEW] if outcome == "released" else [])


def test_person_may_release_what_was_released_before() -> None:
    """Going back to an older package is no duplicate."""
    earlier = scripted(package(release_approved_at="2099-01-01T00:00:00Z"))
    assert run(BY_PERSON, {names.PACKAGE: earlier}).output["outcome"] == "released"


def test_replaced_archive_is_rejected_before_anything_changes() -> None:
    """A package whose archive is another one is rejected with the reason; the stack is not even looked at."""
    changed = TaskFailed("ArchiveChangedError", '{"errorType": "ArchiveChangedError", "errorMessage": "another one"}')
    execution = run(answers={names.ARCHIVE: scripted(changed)})
    assert updates(execution) == [] and names.CHAMPION not in execution.visited
    assert rejection(execution)["ApprovalDescription"] == "Release failed: another one"


def test_archive_that_cannot_be_read_is_not_the_packages_fault() -> None:
    """S3 refused, or the object is gone: the package keeps its approval, and nothing changes."""
    denied = TaskFailed("StorageError", '{"errorType": "StorageError", "errorMessage": "s3://… does not exist."}')
    execution = run(answers={names.ARCHIVE: scripted(denied)})
    assert updates(execution) == [] and "does not exist" in noted(execution)["release_reason"]


def test_message_says_that_an_older_package_was_not_checked() -> None:
    """A package of an earlier version, whose archive jobs may write to, is released, and the message says so."""
    execution = run(answers={names.ARCHIVE: scripted({"Payload": {"archive": "not checked: registered earlier"}})})
    assert updates(execution) == [NEW]
    assert "Archive: not checked: registered earlier." in execution.arguments(names.TELL)["Message"]
