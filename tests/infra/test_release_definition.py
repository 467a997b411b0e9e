"""The release workflow walked from end to end: which states, which calls, in which order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import release_state_names as names
from release_samples import (
    APPROVED_AT,
    BUSY,
    BY_EVENT,
    BY_PERSON,
    NEW,
    NO_CHANGE,
    OLD,
    OTHER,
    PARTS,
    WRONG,
    WRONG_ANSWERS,
    called,
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

from stacks.release.definition import (
    CLEAR_SECONDS,
    PUT_BACK_SECONDS,
    SETTLE_SECONDS,
    TURN_SECONDS,
    UPDATE_SECONDS,
    release_definition,
)


def test_definition_is_valid_states_language(lint_errors: Callable[[dict[str, Any]], list[str]]) -> None:
    """The definition follows the schema of Amazon States Language, and the linter would notice if it didn't."""
    definition = release_definition(PARTS)
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": PARTS.release_role_arn, "Definition": definition},
    }
    assert lint_errors({"Resources": {"Machine": machine}}) == []
    definition["States"][names.UPDATE]["Arguemnts"] = {}
    assert lint_errors({"Resources": {"Machine": machine}}) != []


def test_the_document_is_filled_in() -> None:
    """Every `${name}` is replaced, and the tests know every state."""
    definition = release_definition(PARTS)
    assert "${" not in json.dumps(definition)
    assert {value for name, value in vars(names).items() if name.isupper()} == set(definition["States"])


def test_every_state_is_reached_and_leads_somewhere() -> None:
    """No state is left over, and no transition leads to a state that does not exist."""
    states = release_definition(PARTS)["States"]
    targets = {names.CHECK}
    for state in states.values():
        for step in (state, *state.get("Choices", []), *state.get("Catch", [])):
            targets |= {step[key] for key in ("Next", "Default") if key in step}
    assert targets == set(states)


def test_every_task_catches_everything() -> None:
    """Whatever a call ends in, the workflow says so; none ends an execution by itself."""
    for name, state in release_definition(PARTS)["States"].items():
        if state["Type"] == "Task":
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_machine_ends_by_itself() -> None:
    """All waits together, and ten minutes for each of the two questions, end before the execution's limit does."""
    waits = TURN_SECONDS + SETTLE_SECONDS + CLEAR_SECONDS + UPDATE_SECONDS + PUT_BACK_SECONDS
    assert waits + 1200 < release_definition(PARTS)["TimeoutSeconds"] == 4 * 3600


@pytest.mark.parametrize("given", [BY_EVENT, BY_PERSON, {**BY_PERSON, "Comment": "x"}])
def test_release_in_order(given: dict[str, Any]) -> None:
    """Turn, package, champion, update, look until it is up, ask, record, tell: and the output names both versions."""
    execution = run(given)
    assert called(execution) == [
        names.TURN,
        names.PACKAGE,
        names.ARCHIVE,
        names.CHAMPION,
        names.ENDPOINT,
        names.NOTE_RELEASE,
        names.UPDATE,
        names.LOOK,
        names.LOOK,
        names.ASK,
        names.LOOK_APPROVAL,
        names.RECORD,
        names.TELL,
    ]
    assert execution.output == {"outcome": "released", "version": "7", "replaced": "6"}


def test_update_changes_one_parameter_under_the_release_role() -> None:
    """The template stays, the package changes, and CloudFormation acts under the release role."""
    assert run().arguments(names.UPDATE) == {
        "StackName": "text-classifier-dev-serving",
        "UsePreviousTemplate": True,
        "Parameters": [{"ParameterKey": "ModelPackageArn", "ParameterValue": NEW}],
        "RoleARN": PARTS.release_role_arn,
    }


def test_endpoint_is_asked_for_the_new_package() -> None:
    """The smoke test learns which package should answer."""
    assert run().arguments(names.ASK)["Payload"] == {"model_package_arn": NEW}


@pytest.mark.parametrize(("given", "dealt_with"), [(BY_EVENT, APPROVED_AT), (BY_PERSON, "2099-05-05T00:00:00.000Z")])
def test_release_is_recorded_on_the_package(given: dict[str, Any], dealt_with: str) -> None:
    """The package says that it was released, when, on which approval, and instead of what."""
    recorded = run(given, started="2099-05-05T00:00:00.000Z").arguments(names.RECORD)
    properties = recorded["CustomerMetadataProperties"]
    assert recorded["ModelPackageArn"] == NEW and "ModelApprovalStatus" not in recorded
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", properties.pop("released_at"))
    assert properties == {
        "release": "released",
        "release_approved_at": dealt_with,
        "replaced": "6",
        "release_reason": "none",
        "archive": "the one that was judged",
    }


def test_first_release_replaces_nothing() -> None:
    """Where nothing served before, the output says null and the package none."""
    execution = run(answers={names.CHAMPION: scripted(stack("CREATE_COMPLETE", ""))})
    assert execution.output == {"outcome": "released", "version": "7", "replaced": None}
    assert execution.arguments(names.RECORD)["CustomerMetadataProperties"]["replaced"] == "none"


@pytest.mark.parametrize("state", [names.RECORD, names.TELL])
def test_release_stands_whatever_cannot_be_told(state: str) -> None:
    """A failing record or notification neither undoes nor fails a release."""
    execution = run(answers={state: scripted(TaskFailed("Any.Exception", "no"))})
    assert execution.failure is None and updates(execution) == [NEW]
    assert execution.output["outcome"] == "released"


@pytest.mark.parametrize("answer", [{}, TaskFailed("SageMaker.SageMakerException", "Rate exceeded")])
def test_running_package_is_left_alone(answer: Any) -> None:
    """Releasing the package that serves, and was asked, is a no-op; its approval counts as dealt with."""
    execution = run(answers={**SERVING, names.PACKAGE: RELEASED_BEFORE, names.NOTE_APPROVAL: scripted(answer)})
    assert execution.output == {"outcome": "already serving", "version": "7", "replaced": None}
    assert updates(execution) == [] and names.RECORD not in execution.visited
    assert execution.arguments(names.NOTE_APPROVAL) == {
        "ModelPackageArn": NEW,
        "CustomerMetadataProperties": {"release_approved_at": APPROVED_AT},
    }


SERVING = {names.CHAMPION: scripted(stack("UPDATE_COMPLETE", NEW))}
RELEASED_BEFORE = scripted(package(release="released", replaces=OLD))


@pytest.mark.parametrize(("replaces", "replaced"), [({"replaces": OLD}, "6"), ({"replaces": "none"}, None), ({}, None)])
@pytest.mark.parametrize("release", [{"release": "under way"}, {"release": "failed"}, {}])
def test_package_that_serves_unasked_is_asked(
    release: dict[str, str], replaces: dict[str, str], replaced: str | None
) -> None:
    """A release that broke off after its update is finished by the next one: it is asked, not updated."""
    execution = run(answers={**SERVING, names.PACKAGE: scripted(package(**release, **replaces))})
    assert called(execution)[3:] == [
        names.CHAMPION,
        names.ENDPOINT,
        names.ASK,
        names.LOOK_APPROVAL,
        names.RECORD,
        names.TELL,
    ]
    assert execution.output == {"outcome": "released", "version": "7", "replaced": replaced}


def test_package_that_serves_unasked_goes_back_to_what_it_replaced() -> None:
    """If its answers are wrong, the champion noted on it comes back."""
    unasked = scripted(package(release="under way", replaces=OLD))
    execution = run(
        answers={**SERVING, names.PACKAGE: unasked, names.ASK: scripted(TaskFailed("WrongAnswersError", WRONG))}
    )
    assert updates(execution) == [OLD] and names.ASK_CHAMPION in execution.visited
    assert rejection(execution)["CustomerMetadataProperties"]["release"] == "failed"


def test_nothing_known_to_go_back_to_is_said() -> None:
    """If nothing is noted on it, it keeps serving, and the failure says so."""
    execution = run(answers={**SERVING, names.ASK: scripted(TaskFailed("WrongAnswersError", WRONG))})
    assert updates(execution) == []
    assert "2 of 20" in rejection(execution)["ApprovalDescription"]
    assert "It still serves, as it is not known what served before it" in (execution.failure or {})["Cause"]
    assert "The serving stack names version 7." in told(execution)


@pytest.mark.parametrize(("champion", "replaces"), [(OLD, OLD), ("", "none")])
def test_release_is_noted_before_the_update(champion: str, replaces: str) -> None:
    """What the package replaces stands on it before the stack changes."""
    execution = run(answers={names.CHAMPION: scripted(stack("UPDATE_COMPLETE", champion))})
    assert execution.arguments(names.NOTE_RELEASE) == {
        "ModelPackageArn": NEW,
        "CustomerMetadataProperties": {"release": "under way", "replaces": replaces},
    }


LOST = TaskFailed("CloudFormation.SdkClientException", "Unable to execute HTTP request: Read timed out")


@pytest.mark.parametrize("answer", [refused(BUSY), LOST])
@pytest.mark.parametrize(
    "seen",
    [
        [stack("UPDATE_IN_PROGRESS", NEW)],
        [stack("UPDATE_COMPLETE", NEW)],
        [refused("down"), stack("UPDATE_COMPLETE", NEW)],
    ],
)
@pytest.mark.parametrize("right", [True, False])
def test_lost_answer_to_the_update_does_not_skip_the_question(answer: Any, seen: list[Any], right: bool) -> None:
    """An update that began although its answer was lost is followed and asked, and undone to the former champion."""
    execution = run(
        answers={
            names.CHAMPION: scripted(stack("UPDATE_COMPLETE", OLD), *seen),
            names.UPDATE: scripted(answer),
            **({} if right else {names.ASK: WRONG_ANSWERS}),
        }
    )
    assert names.ASK in execution.visited
    assert updates(execution) == ([NEW] if right else [NEW, OLD])
    assert right is (execution.failure is None) and (not right or execution.output["replaced"] == "6")


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "CREATE_IN_PROGRESS"])
def test_busy_stack_is_waited_for(status: str) -> None:
    """While the stack is changed by somebody else the release waits; then it compares with what serves by then."""
    champions = scripted(stack(status, OLD), stack(status, NEW), stack("UPDATE_COMPLETE", NEW))
    execution = run(answers={names.CHAMPION: champions, names.PACKAGE: RELEASED_BEFORE})
    assert execution.output["outcome"] == "already serving"
    assert execution.visited.count(names.WAIT_STACK) == 2


def test_lost_race_for_the_stack_is_waited_for() -> None:
    """An update that CloudFormation refuses because another has begun is tried again after that one."""
    execution = run(answers={names.UPDATE: scripted(refused(BUSY), {"StackId": "x"})})
    assert execution.output["outcome"] == "released"
    assert called(execution).count(names.CHAMPION) == 2 and updates(execution) == [NEW, NEW]


def test_nothing_to_update_is_tolerated() -> None:
    """Where somebody else has set the same package in the meantime, the endpoint is asked all the same."""
    execution = run(answers={names.UPDATE: scripted(refused(NO_CHANGE))})
    assert execution.output["outcome"] == "released" and names.ASK in called(execution)


def test_champion_is_what_served_last_before_the_update() -> None:
    """Where somebody else's update went first, that one's package is gone back to."""
    execution = run(
        answers={
            names.CHAMPION: scripted(stack("UPDATE_COMPLETE", OLD), stack("UPDATE_COMPLETE", OTHER)),
            names.UPDATE: scripted(refused(BUSY), {"StackId": "x"}),
        }
    )
    assert execution.output["replaced"] == "5"


@pytest.mark.parametrize("answer", [refused("Rate exceeded"), LOST])
def test_update_is_not_tried_for_ever(answer: Any) -> None:
    """An update that can't be begun within half an hour is given up; the package keeps its approval."""
    execution = run(answers={names.UPDATE: scripted(answer)})
    assert "CloudFormation refused the update" in noted(execution)["release_reason"]
    assert execution.waited == pytest.approx(SETTLE_SECONDS, abs=60)


def test_failing_look_is_repeated() -> None:
    """A look that fails while the update runs is no reason to stop."""
    execution = run(answers={names.LOOK: scripted(refused("Rate exceeded"), stack("UPDATE_COMPLETE", NEW))})
    assert execution.output["outcome"] == "released"


def test_calls_are_repeated_after_general_errors() -> None:
    """Throttling arrives under the service's general name; each call but UpdateStack is repeated after it."""
    general = {
        "cloudformation": "CloudFormation.CloudFormationException",
        "sagemaker": "SageMaker.SageMakerException",
        "sfn": "Sfn.SfnException",
    }
    for name, state in release_definition(PARTS)["States"].items():
        _, _, call = state.get("Resource", "").partition(":aws-sdk:")
        if call and not call.endswith(":updateStack"):
            assert general[call.partition(":")[0]] in state["Retry"][0]["ErrorEquals"], name
