"""An environment's release workflow, and what its tasks answer, scripted by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import release_state_names as names
from states_interpreter import Execution, TaskFailed, execute

from stacks.release.definition import release_definition
from stacks.release.parts import ReleaseParts

GROUP = "arn:aws:sagemaker:us-east-1:111122223333:model-package/text-classifier-dev/"
OLD, NEW, OTHER = f"{GROUP}6", f"{GROUP}7", f"{GROUP}5"
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:text-classifier-dev-release"
EXECUTION = MACHINE.replace("stateMachine", "execution") + ":me"
PARTS = ReleaseParts(
    partition="aws",
    name="text-classifier-dev",
    package_arn_prefix=GROUP,
    serving_stack="text-classifier-dev-serving",
    endpoint="text-classifier-dev",
    hub_model=False,
    release_role_arn="arn:aws:iam::111122223333:role/text-classifier-dev-release",
    smoke_test_function_arn="arn:aws:lambda:us-east-1:111122223333:function:text-classifier-dev-smoke-test",
    topic_arn="arn:aws:sns:us-east-1:111122223333:text-classifier-dev-notifications",
    poll_seconds=15,
)
APPROVED_AT = "2026-01-02T03:04:05Z"
BY_PERSON: dict[str, Any] = {"model_package_arn": NEW}
BY_EVENT: dict[str, Any] = {**BY_PERSON, "approved_at": APPROVED_AT}

BUSY = "Stack:arn:x is in UPDATE_IN_PROGRESS state and can not be updated. (Service: CloudFormation, Status Code: 400)"
NO_CHANGE = "No updates are to be performed. (Service: CloudFormation, Status Code: 400)"
WRONG = '{"errorType": "WrongAnswersError", "errorMessage": "2 of 20 sentences were answered otherwise"}'


def running(*executions: tuple[str, str]) -> dict[str, Any]:
    """What ListExecutions answers; (ARN, start) each."""
    return {"Executions": [{"ExecutionArn": arn, "StartDate": start} for arn, start in executions]}


MINE = (EXECUTION, "2026-01-02T03:04:06.100Z")


def package(status: str = "Approved", **metadata: str) -> dict[str, Any]:
    """What DescribeModelPackage answers."""
    return {"ModelApprovalStatus": status, "CustomerMetadataProperties": metadata}


def stack(status: str, champion: str) -> dict[str, Any]:
    """What DescribeStacks answers."""
    parameters = [{"ParameterKey": "ModelPackageArn", "ParameterValue": champion}]
    return {"Stacks": [{"StackStatus": status, "Parameters": parameters}]}


def refused(cause: str) -> TaskFailed:
    """A refusal of CloudFormation."""
    return TaskFailed("CloudFormation.CloudFormationException", cause)


def event(when: int, what: str, status: str, reason: str | None = None) -> dict[str, Any]:
    """One of DescribeStackEvents; `when` in seconds after the hour."""
    kind = "AWS::CloudFormation::Stack" if what == PARTS.serving_stack else "AWS::SageMaker::Endpoint"
    found = {
        "LogicalResourceId": what,
        "ResourceType": kind,
        "ResourceStatus": status,
        "Timestamp": f"2026-01-02T03:{when // 60:02}:{when % 60:02}Z",
    }
    return found if reason is None else {**found, "ResourceStatusReason": reason}


Answer = Any
"""What a task answers, or the TaskFailed it raises."""


def scripted(*answers: Answer) -> Callable[[Any], Any]:
    """A task that gives one answer after the other; the last one for ever."""
    left = list(answers)

    def task(_: Any) -> Any:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return task


def tasks(**changed: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    """State → its task when version 6 gives way to version 7 and all is well."""
    return {
        names.TURN: scripted(running(MINE)),
        names.PACKAGE: scripted(package()),
        names.ARCHIVE: scripted({"Payload": {"archive": "the one that was judged"}}),
        names.CHAMPION: scripted(stack("UPDATE_COMPLETE", OLD)),
        names.ENDPOINT: scripted({"EndpointStatus": "InService"}),
        names.NOTE_APPROVAL: scripted({}),
        names.CLEAR: scripted({"StackId": "x"}),
        names.LOOK_CLEARED: scripted(stack("UPDATE_IN_PROGRESS", "none"), stack("UPDATE_COMPLETE", "none")),
        names.NOTE_RELEASE: scripted({}),
        names.UPDATE: scripted({"StackId": "x"}),
        names.LOOK: scripted(stack("UPDATE_IN_PROGRESS", NEW), stack("UPDATE_COMPLETE", NEW)),
        names.FIND_REASON: scripted({"StackEvents": []}),
        names.ASK: scripted({"Payload": {"asked": 20, "version": "7"}}),
        names.LOOK_APPROVAL: scripted(package()),
        names.RECORD: scripted({}),
        names.TELL: scripted({}),
        names.LOOK_FIRST: scripted(stack("UPDATE_COMPLETE", NEW)),
        names.PUT_BACK: scripted({"StackId": "x"}),
        names.LOOK_BACK: scripted(stack("UPDATE_IN_PROGRESS", OLD), stack("UPDATE_COMPLETE", OLD)),
        names.ASK_CHAMPION: scripted({"Payload": {"asked": 20, "version": "6"}}),
        names.RECORD_FAILURE: scripted({}),
        names.NOTE_FAILURE: scripted({}),
        names.TELL_FAILURE: scripted({}),
        **changed,
    }


def run(
    given: Any = BY_EVENT,
    answers: Mapping[str, Callable[[Any], Any]] | None = None,
    *,
    started: str | None = None,
    parts: ReleaseParts = PARTS,
) -> Execution:
    """One execution; `answers` replace those of `tasks()`."""
    start = started or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context = {"Execution": {"Id": EXECUTION, "StartTime": start}, "StateMachine": {"Id": MACHINE}}
    return execute(release_definition(parts), given, {**tasks(), **(answers or {})}, context)


WRONG_ANSWERS = scripted(TaskFailed("WrongAnswersError", WRONG))
ENDLESS = scripted(stack("UPDATE_IN_PROGRESS", NEW))


def called(execution: Execution) -> list[str]:
    """The states whose task was called, in order."""
    return [name for name, _, _ in execution.calls]


def updates(execution: Execution) -> list[str]:
    """The packages that the stack was told to serve, in order."""
    return [
        given["Parameters"][0]["ParameterValue"]
        for _, resource, given in execution.calls
        if resource.endswith(":updateStack")
    ]


def noted(execution: Execution) -> dict[str, Any]:
    """What was written on the package of a failed release that did not try it; it keeps its approval."""
    assert names.RECORD_FAILURE not in execution.visited
    found: dict[str, Any] = execution.arguments(names.NOTE_FAILURE)
    assert found.keys() == {"ModelPackageArn", "CustomerMetadataProperties"} and found["ModelPackageArn"] == NEW
    properties: dict[str, Any] = found["CustomerMetadataProperties"]
    assert properties["release"] == "failed"
    return properties


def told(execution: Execution) -> str:
    """What the topic was told of a failure."""
    message: str = execution.arguments(names.TELL_FAILURE)["Message"]
    return message


def rejection(execution: Execution) -> dict[str, Any]:
    """What was written on the package of a failed release."""
    found: dict[str, Any] = execution.arguments(names.RECORD_FAILURE)
    assert found["ModelPackageArn"] == NEW and found["ModelApprovalStatus"] == "Rejected"
    return found
