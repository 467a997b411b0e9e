"""The release workflow where the endpoint is missing or Failed: the stack forgets it and makes one anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import release_state_names as names
from release_samples import (
    BUSY,
    NEW,
    NO_CHANGE,
    OLD,
    PARTS,
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

from stacks.release.definition import SETTLE_SECONDS
from stacks.serving.champion import NO_ENDPOINT

MISSING = TaskFailed("SageMaker.SageMakerException", 'Could not find endpoint "arn:x". (Service: SageMaker)')
GONE = pytest.mark.parametrize("gone", [MISSING, {"EndpointStatus": "Failed"}], ids=["missing", "failed"])


@GONE
def test_endpoint_that_is_gone_is_made_anew(gone: Any) -> None:
    """The stack first forgets a missing or Failed endpoint, then makes one of the approved package."""
    execution = run(answers={names.ENDPOINT: scripted(gone)})
    assert updates(execution) == [NO_ENDPOINT, NEW]
    assert execution.arguments(names.NOTE_RELEASE)["CustomerMetadataProperties"]["replaces"] == OLD
    assert execution.output == {"outcome": "released", "version": "7", "replaced": "6"}


@GONE
def test_the_champion_itself_is_made_anew(gone: Any) -> None:
    """Releasing what serves already is no no-op where it does not serve: its endpoint comes back."""
    released = scripted(package(release="released", replaces=OLD))
    at_rest = scripted(stack("UPDATE_COMPLETE", NEW))
    execution = run(answers={names.ENDPOINT: scripted(gone), names.PACKAGE: released, names.CHAMPION: at_rest})
    assert updates(execution) == [NO_ENDPOINT, NEW]
    assert execution.output == {"outcome": "released", "version": "7", "replaced": "6"}


def test_first_release_is_not_a_missing_endpoint() -> None:
    """Where nothing was released yet, nothing is cleared."""
    empty = scripted(stack("CREATE_COMPLETE", ""))
    assert updates(run(answers={names.ENDPOINT: scripted(MISSING), names.CHAMPION: empty})) == [NEW]


def test_clearing_that_fails_keeps_the_approval() -> None:
    """A stack that keeps its missing endpoint is for a person; the package is not rejected."""
    stuck = scripted(stack("UPDATE_ROLLBACK_FAILED", OLD))
    execution = run(answers={names.ENDPOINT: scripted(MISSING), names.LOOK_CLEARED: stuck})
    assert updates(execution) == [NO_ENDPOINT]
    noted(execution)
    assert "could not be made anew" in told(execution) and "Continue update rollback" in told(execution)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"StackEvents": [event(1, "Endpoint", "CREATE_FAILED", "no answer to /ping")]}, "no answer to /ping"),
        (refused("denied"), "why could not be read"),
    ],
)
def test_former_champion_comes_back_after_clearing(found: Any, reason: str) -> None:
    """A package that does not come up after the clearing is rejected, and the endpoint serves its former one."""
    answers = {
        names.ENDPOINT: scripted(MISSING),
        names.LOOK: scripted(stack("UPDATE_ROLLBACK_COMPLETE", "")),
        names.FIND_REASON: scripted(found),
    }
    execution = run(answers=answers)
    assert updates(execution) == [NO_ENDPOINT, NEW, OLD]
    assert names.ASK_CHAMPION in execution.visited
    assert reason in rejection(execution)["ApprovalDescription"]


def test_hub_models_endpoint_is_made_anew() -> None:
    """Where a hub model served, a lost endpoint is made anew too: then the stack names no package."""
    parts, empty = replace(PARTS, hub_model=True), scripted(stack("CREATE_COMPLETE", ""))
    execution = run(answers={names.ENDPOINT: scripted(MISSING), names.CHAMPION: empty}, parts=parts)
    assert updates(execution) == [NO_ENDPOINT, NEW]
    assert execution.output == {"outcome": "released", "version": "7", "replaced": None}


@pytest.mark.parametrize("hub_model", [True, False])
def test_a_stack_that_was_cleared_before_is_released_to(hub_model: bool) -> None:
    """A release that was aborted after its clearing left a stack without an endpoint; the next one makes it."""
    cleared = scripted(stack("UPDATE_COMPLETE", NO_ENDPOINT))
    execution = run(
        answers={
            names.ENDPOINT: scripted(MISSING),
            names.CHAMPION: cleared,
            names.CLEAR: scripted(refused(NO_CHANGE)),
            names.LOOK_CLEARED: cleared,
        },
        parts=replace(PARTS, hub_model=hub_model),
    )
    assert updates(execution)[-1] == NEW
    assert execution.output == {"outcome": "released", "version": "7", "replaced": None}


def test_clearing_is_not_tried_for_ever() -> None:
    """A clearing that can't be begun within half an hour is given up, and one that waits for others is not."""
    gone = {names.ENDPOINT: scripted(MISSING)}
    execution = run(answers={**gone, names.CLEAR: scripted(refused("Rate exceeded"))})
    assert "CloudFormation refused the update" in noted(execution)["release_reason"]
    assert execution.waited == pytest.approx(SETTLE_SECONDS, abs=60)
    assert updates(run(answers={**gone, names.CLEAR: scripted(refused(BUSY), {"StackId": "x"})})) == [
        NO_ENDPOINT,
        NO_ENDPOINT,
        NEW,
    ]


@pytest.mark.parametrize(("hub_model", "told_to_serve"), [(True, [NO_ENDPOINT, NEW, ""]), (False, [NEW])])
def test_hub_model_comes_back_after_clearing(hub_model: bool, told_to_serve: list[str]) -> None:
    """Where a hub model was cleared away it serves again if the package does not come up; else there was nothing."""
    answers = {
        names.ENDPOINT: scripted(MISSING),
        names.CHAMPION: scripted(stack("CREATE_COMPLETE", "")),
        names.LOOK: scripted(stack("UPDATE_ROLLBACK_COMPLETE", "")),
        names.LOOK_BACK: scripted(stack("UPDATE_COMPLETE", "")),
    }
    execution = run(answers=answers, parts=replace(PARTS, hub_model=hub_model))
    assert updates(execution) == told_to_serve
    assert "CloudFormation gave no reason" in rejection(execution)["ApprovalDescription"]
