"""The release workflow where stack, endpoint or answers are wrong: what is told, and what serves then."""

from __future__ import annotations

import re
from typing import Any

import pytest
import release_state_names as names
from release_samples import (
    APPROVED_AT,
    BUSY,
    BY_EVENT,
    ENDLESS,
    NEW,
    NO_CHANGE,
    OLD,
    OTHER,
    PARTS,
    WRONG_ANSWERS,
    called,
    event,
    noted,
    package,
    refused,
    rejection,
    run,
    scripted,
    stack,
    told,
    updates,
)
from states_interpreter import TaskFailed

from stacks.release.definition import UPDATE_SECONDS

EVENTS = [
    event(100, "text-classifier-dev-serving", "UPDATE_ROLLBACK_COMPLETE"),
    event(90, "ServingEndpointConfig", "UPDATE_FAILED", "Resource update cancelled"),
    event(80, "ServingEndpoint", "UPDATE_FAILED", "Resource text-classifier-dev did not stabilize: /ping failed"),
    event(70, "ServingEndpoint", "UPDATE_IN_PROGRESS"),
    event(60, "text-classifier-dev-serving", "UPDATE_IN_PROGRESS", "User Initiated"),
    event(30, "ServingEndpoint", "UPDATE_FAILED", "what went wrong last time"),
    event(10, "text-classifier-dev-serving", "UPDATE_IN_PROGRESS", "User Initiated"),
]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (EVENTS, "ServingEndpoint: Resource text-classifier-dev did not stabilize: /ping failed"),
        ([*EVENTS[:2], *EVENTS[4:]], "CloudFormation gave no reason"),
        ([], "CloudFormation gave no reason"),
        ([event(85, "ServingModel", "CREATE_FAILED", "no such image"), *EVENTS[3:5]], "ServingModel: no such image"),
    ],
)
def test_rollback_by_cloudformation_tells_why(events: list[dict[str, Any]], why: str) -> None:
    """When CloudFormation rolls back, the first failure since the update began is the reason; no more is done."""
    execution = run(
        answers={
            names.LOOK: scripted(stack("UPDATE_ROLLBACK_IN_PROGRESS", OLD), stack("UPDATE_ROLLBACK_COMPLETE", OLD)),
            names.FIND_REASON: scripted({"StackEvents": events}),
        }
    )
    assert execution.failure == {"Error": "ReleaseFailed", "Cause": why}
    assert updates(execution) == [NEW] and names.ASK not in called(execution)
    assert rejection(execution)["CustomerMetadataProperties"]["release"] == "failed"


def test_failed_rollback_calls_for_a_person() -> None:
    """A stack that CloudFormation could not roll back is reported as what only a person can mend."""
    execution = run(
        answers={
            names.LOOK: scripted(stack("UPDATE_ROLLBACK_FAILED", OLD)),
            names.FIND_REASON: scripted({"StackEvents": EVENTS}),
        }
    )
    cause = (execution.failure or {})["Cause"]
    assert "UPDATE_ROLLBACK_FAILED" in cause and "Nobody but a person" in cause and "/ping failed" in cause


def test_unreadable_reason_is_said_to_be_so() -> None:
    """If CloudFormation's events can't be read, the failure is recorded without them."""
    execution = run(
        answers={
            names.LOOK: scripted(stack("UPDATE_ROLLBACK_COMPLETE", OLD)),
            names.FIND_REASON: scripted(refused("denied")),
        }
    )
    assert "why could not be read: denied" in rejection(execution)["ApprovalDescription"]


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval"])
def test_a_withdrawn_approval_brings_the_champion_back(status: str) -> None:
    """A package that somebody rejects while the endpoint is updated does not stay; what they wrote is kept."""
    withdrawn = {**package(status), "ApprovalDescription": "second thoughts"}
    execution = run(BY_EVENT, {names.LOOK_APPROVAL: scripted(withdrawn)})
    assert updates(execution) == [NEW, OLD] and names.RECORD not in called(execution)
    reason = f"It was set to {status} while it was released: second thoughts"
    assert execution.failure == {"Error": "ReleaseFailed", "Cause": reason}
    assert rejection(execution)["ApprovalDescription"] == f"Release failed: {reason}"


def test_an_approval_that_cannot_be_read_again_undoes_nothing() -> None:
    """The package was approved and answers rightly; an error of the registry takes no answering model away."""
    execution = run(answers={names.LOOK_APPROVAL: scripted(TaskFailed("SageMaker.SageMakerException", "no"))})
    assert execution.failure is None and updates(execution) == [NEW]


def test_wrong_answers_bring_the_champion_back() -> None:
    """An endpoint that answers wrongly gets the former package back, which is asked too; the reason is recorded."""
    execution = run(answers={names.ASK: WRONG_ANSWERS})
    assert updates(execution) == [NEW, OLD]
    assert called(execution)[-7:] == [
        names.LOOK_FIRST,
        names.PUT_BACK,
        names.LOOK_BACK,
        names.LOOK_BACK,
        names.ASK_CHAMPION,
        names.RECORD_FAILURE,
        names.TELL_FAILURE,
    ]
    assert execution.arguments(names.ASK_CHAMPION)["Payload"] == {"model_package_arn": OLD}
    assert execution.failure == {"Error": "ReleaseFailed", "Cause": "2 of 20 sentences were answered otherwise"}
    assert rejection(execution)["ApprovalDescription"] == ("Release failed: 2 of 20 sentences were answered otherwise")
    assert "The serving stack names version 6." in told(execution)


def test_what_somebody_else_released_is_not_put_back() -> None:
    """If the stack names a third package by then, it is left alone, and the package keeps its approval."""
    others = scripted(stack("UPDATE_IN_PROGRESS", OTHER), stack("UPDATE_COMPLETE", OTHER))
    execution = run(answers={names.ASK: WRONG_ANSWERS, names.LOOK_FIRST: others})
    assert updates(execution) == [NEW]
    assert "Somebody else changed the serving stack" in noted(execution)["release_reason"]
    assert "The serving stack names version 5." in told(execution)


def test_wrong_answers_without_a_champion_leave_none() -> None:
    """Where nothing was released before, the stack goes back to that, and nobody is asked."""
    execution = run(
        answers={
            names.CHAMPION: scripted(stack("CREATE_COMPLETE", "")),
            names.ASK: WRONG_ANSWERS,
            names.LOOK_BACK: scripted(stack("UPDATE_COMPLETE", "")),
        }
    )
    assert updates(execution) == [NEW, ""]
    assert names.ASK_CHAMPION not in execution.visited
    assert execution.failure == {"Error": "ReleaseFailed", "Cause": "2 of 20 sentences were answered otherwise"}


@pytest.mark.parametrize(
    ("answers", "trouble"),
    [
        ({names.PUT_BACK: scripted(refused("denied"))}, "THE CHAMPION IS NOT BACK: denied"),
        ({names.LOOK_BACK: scripted(stack("UPDATE_ROLLBACK_COMPLETE", NEW))}, "THE CHAMPION IS NOT BACK"),
        ({names.LOOK_BACK: scripted(refused("down"))}, "THE CHAMPION IS NOT BACK: the serving stack is unreadable"),
        ({names.LOOK_FIRST: ENDLESS}, "THE CHAMPION IS NOT BACK: the serving stack is UPDATE_IN_PROGRESS"),
        ({names.LOOK_FIRST: scripted(stack("UPDATE_FAILED", NEW))}, "THE CHAMPION IS NOT BACK"),
        ({names.ASK_CHAMPION: WRONG_ANSWERS}, "The champion is back, but"),
    ],
)
def test_trouble_on_the_way_back_is_reported_too(answers: dict[str, Any], trouble: str) -> None:
    """If the champion can't be put back, or answers wrongly as well, the reason holds both."""
    execution = run(answers={names.ASK: WRONG_ANSWERS, **answers})
    for text in ("2 of 20 sentences", trouble):
        assert text in rejection(execution)["ApprovalDescription"]
        assert text in (execution.failure or {})["Cause"]
    assert "NOT BACK" not in trouble or "names version 6" not in told(execution)


def test_putting_back_waits_for_a_busy_stack() -> None:
    """If somebody else is changing the stack, the champion is put back after that."""
    execution = run(answers={names.ASK: WRONG_ANSWERS, names.PUT_BACK: scripted(refused(BUSY), {"StackId": "x"})})
    assert updates(execution) == [NEW, OLD, OLD] and names.ASK_CHAMPION in execution.visited


def test_champion_already_back_is_tolerated() -> None:
    """If somebody else has put the champion back, it is asked and the failure recorded."""
    execution = run(answers={names.ASK: WRONG_ANSWERS, names.PUT_BACK: scripted(refused(NO_CHANGE))})
    assert names.ASK_CHAMPION in execution.visited


@pytest.mark.parametrize("state", [names.RECORD_FAILURE, names.TELL_FAILURE])
def test_failure_is_told_whatever_else_fails(state: str) -> None:
    """A record or message that can't be made does not hide the reason."""
    execution = run(answers={names.ASK: WRONG_ANSWERS, state: scripted(TaskFailed("Any.Exception", "no"))})
    assert execution.failure == {"Error": "ReleaseFailed", "Cause": "2 of 20 sentences were answered otherwise"}


def test_reason_fits_the_registry() -> None:
    """A long reason with odd characters is cut and cleaned to what the registry takes."""
    cause = '{"errorMessage": "' + "é<b>\\n" * 400 + '"}'
    recorded = rejection(run(answers={names.ASK: scripted(TaskFailed("WrongAnswersError", cause))}))
    assert len(recorded["ApprovalDescription"]) == 1024 and "\n" not in recorded["ApprovalDescription"]
    assert re.fullmatch(r"[\w .:/=+@-]{256}", recorded["CustomerMetadataProperties"]["release_reason"])


def test_failed_approval_is_not_tried_again_by_its_echo() -> None:
    """A failed release records its approval too, so that the same event can't start it anew."""
    recorded = rejection(run(BY_EVENT, {names.ASK: WRONG_ANSWERS}))
    assert recorded["CustomerMetadataProperties"]["release_approved_at"] == APPROVED_AT


@pytest.mark.parametrize(
    "reason",
    [
        "The account-level service limit 'Memory size in MB per serverless endpoint' is 3072 (ResourceLimitExceeded)",
        "Rate exceeded",
        "InternalFailure",
        "User is not authorized to perform: sagemaker:CreateModel",
        'Cannot create already existing model "arn:aws:sagemaker:us-east-1:111122223333:model/left".',
    ],
)
def test_platforms_fault_rejects_no_package(reason: str) -> None:
    """A quota, throttling, a right or AWS's own failure says nothing about the model: it keeps its approval."""
    answers = {
        names.LOOK: scripted(stack("UPDATE_ROLLBACK_COMPLETE", OLD)),
        names.FIND_REASON: scripted({"StackEvents": [event(1, "Endpoint", "UPDATE_FAILED", reason)]}),
    }
    execution = run(answers=answers)
    noted(execution)
    assert reason in told(execution)


def test_deleted_endpoint_config_is_told_with_the_way_out() -> None:
    """Without the config in use no update succeeds: the package keeps its approval, and the message says what helps."""
    reason = 'Could not find endpoint configuration "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/gone".'
    events = scripted({"StackEvents": [event(1, "Endpoint", "UPDATE_FAILED", reason)]})
    rolled_back = scripted(stack("UPDATE_ROLLBACK_COMPLETE", OLD))
    execution = run(answers={names.LOOK: rolled_back, names.FIND_REASON: events})
    noted(execution)
    assert reason in told(execution) and "Next: delete the endpoint" in told(execution)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (
            {names.CHAMPION: scripted(refused("Stack with id text-classifier-dev-serving does not exist"))},
            "does not exist",
        ),
        ({names.CHAMPION: scripted(stack("UPDATE_ROLLBACK_FAILED", OLD))}, "Nobody but a person"),
        ({names.CHAMPION: scripted(stack("ROLLBACK_COMPLETE", OLD))}, "is ROLLBACK_COMPLETE"),
        (
            {names.UPDATE: scripted(refused("User is not authorized to perform cloudformation:UpdateStack"))},
            "not authorized",
        ),
        ({names.CHAMPION: scripted(stack("UPDATE_IN_PROGRESS", OLD))}, "is UPDATE_IN_PROGRESS"),
        ({names.NOTE_RELEASE: scripted(TaskFailed("SageMaker.SageMakerException", "Rate exceeded"))}, "Rate exceeded"),
        ({names.LOOK: scripted(stack("UPDATE_COMPLETE", OTHER))}, "Somebody else changed"),
    ],
)
def test_trouble_of_the_stack_does_not_reject_the_package(answers: dict[str, Any], reason: str) -> None:
    """What is no fault of the package is noted on it, sent to the topic, and the end's cause; its approval stays."""
    execution = run(answers=answers)
    assert execution.failure is not None and execution.failure["Error"] == "ReleaseFailed"
    assert reason in execution.failure["Cause"]
    assert re.sub("[^A-Za-z0-9 _.:/=+@-]", "_", reason) in noted(execution)["release_reason"]
    assert reason in told(execution)
    assert execution.visited[-3:] == [names.NOTE_FAILURE, names.TELL_FAILURE, names.FAILED]


@pytest.mark.parametrize(
    ("answers", "serves"),
    [
        ({names.UPDATE: scripted(refused("denied"))}, "version 6"),
        ({names.LOOK: scripted(stack("UPDATE_COMPLETE", OTHER))}, "version 5"),
        (
            {
                names.CHAMPION: scripted(stack("CREATE_COMPLETE", "")),
                names.LOOK: scripted(stack("UPDATE_ROLLBACK_COMPLETE", "")),
            },
            "no version",
        ),
        ({names.LOOK: scripted(stack("UPDATE_ROLLBACK_FAILED", OLD))}, None),
        ({names.CHAMPION: scripted(refused("down"))}, None),
        ({names.TURN: scripted(refused("down"))}, None),
    ],
)
def test_what_serves_is_told_only_if_it_was_seen(answers: dict[str, Any], serves: str | None) -> None:
    """The topic hears what the stack names if the last look showed a stack at rest, and else nothing of it."""
    message = told(run(answers=answers))
    assert f"The serving stack names {serves}." in message if serves else "names" not in message


@pytest.mark.parametrize("state", [names.TURN, names.PACKAGE])
def test_what_is_not_known_to_be_approved_is_not_touched(state: str) -> None:
    """A failure before the package was seen leaves it as it is, and is told."""
    execution = run(answers={state: scripted(TaskFailed("SageMaker.SageMakerException", "does not exist"))})
    assert execution.failure == {"Error": "ReleaseFailed", "Cause": "does not exist"}
    assert names.RECORD_FAILURE not in execution.visited and names.TELL_FAILURE in execution.visited


@pytest.mark.parametrize("look", [stack("UPDATE_IN_PROGRESS", NEW), refused("down")])
@pytest.mark.parametrize("before", [0, 2])
def test_endless_update_is_undone(look: Any, before: int) -> None:
    """An hour after the update began, not after the execution did, the champion is put back."""
    busy = [stack("UPDATE_IN_PROGRESS", OTHER)] * before * 60  # half an hour
    execution = run(
        answers={
            names.CHAMPION: scripted(*busy[:-3], stack("UPDATE_COMPLETE", OLD)),
            names.LOOK: scripted(look),
            names.LOOK_FIRST: scripted(look, stack("UPDATE_COMPLETE", NEW)),
        }
    )
    assert execution.visited.count(names.LOOK) == pytest.approx(UPDATE_SECONDS / PARTS.poll_seconds, abs=3)
    assert updates(execution) == [NEW, OLD] and names.ASK_CHAMPION in execution.visited
    assert "After 60 minutes" in rejection(execution)["ApprovalDescription"]


def test_update_that_is_rolled_back_late_needs_no_putting_back() -> None:
    """If CloudFormation brings the champion back after all, it is asked, and nothing is updated."""
    late = scripted(stack("UPDATE_ROLLBACK_IN_PROGRESS", NEW), stack("UPDATE_ROLLBACK_COMPLETE", OLD))
    execution = run(answers={names.LOOK: ENDLESS, names.LOOK_FIRST: late})
    assert updates(execution) == [NEW] and names.ASK_CHAMPION in execution.visited
    assert "THE CHAMPION IS NOT BACK" not in rejection(execution)["ApprovalDescription"]
