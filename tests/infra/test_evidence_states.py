"""Evidence: artifacts answer the test sentences one after the other, and one that can't leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from states_interpreter import Execution, TaskFailed, execute
from training_state_names import ANSWER, DONE, JUDGE, KEEP, LOOK, PLAN
from workflow_samples import (
    CONTEXT,
    EVIDENCE,
    FILES,
    IMAGE,
    JOB,
    MODEL_DATA,
    PACKAGE,
    PARTS,
    RECORDED,
    STOP,
    TRAINED_DATA,
    all_is_well,
    answers,
    asked,
    plan,
    serves,
    to_score,
)

from stacks.training.workflow.definition import training_definition

CREATE, TRANSFORM, RECORD, DELETE = EVIDENCE


def run(**tasks: Callable[[Any], Any]) -> Execution:
    return execute(training_definition(PARTS), {}, all_is_well() | tasks, CONTEXT)


def fail(cause: str) -> Callable[[Any], Any]:
    def failing(_: Any) -> Any:
        raise TaskFailed("States.TaskFailed", cause)

    return failing


def scores(execution: Execution) -> Any:
    return execution.arguments(JUDGE)["Payload"]["scores"]


def test_plan_is_asked_with_the_container_that_will_serve() -> None:
    """Evidence is planned for this artifact in the image and environment that the package will name."""
    assert run().arguments(PLAN)["Payload"] == {
        "execution": "run-1",
        "job_name": JOB,
        "model_data": MODEL_DATA,
        "output_uri": f"s3://artifacts/training/{JOB}/output/output.tar.gz",
        "image": IMAGE,
        "environment": {**PARTS.container.environment, **FILES},
    }


@pytest.mark.parametrize(
    ("state", "operation"), [(CREATE, "CreateModel"), (TRANSFORM, "CreateTransformJob"), (DELETE, "DeleteModel")]
)
def test_requests_are_valid(assert_valid: Callable[[str, str, Any], None], state: str, operation: str) -> None:
    """Model, transform job and removal have the shapes of SageMaker's API."""
    assert_valid("sagemaker", operation, run().arguments(state))


def test_artifact_answers_in_its_serving_container() -> None:
    """The evidence model is the very container that the plan names, under the role for evidence."""
    item = to_score("challenger")
    made = run().arguments(CREATE)
    assert made["PrimaryContainer"] == {
        "Image": item["image"],
        "ModelDataUrl": item["model_data"],
        "Environment": item["environment"],
    }
    assert made["EnableNetworkIsolation"] is True
    assert (made["ModelName"], made["ExecutionRoleArn"]) == (item["model_name"], PARTS.evidence_role_arn)


def test_each_line_is_one_request() -> None:
    """A transform job asks sentence by sentence and writes the answers line by line where the plan says."""
    made = run().arguments(TRANSFORM)
    assert made["TransformInput"]["SplitType"] == "Line" and made["BatchStrategy"] == "SingleRecord"
    assert made["TransformOutput"] == {
        "S3OutputPath": to_score("challenger")["output_uri"],
        "Accept": "application/json",
        "AssembleWith": "Line",
    }
    assert made["TransformResources"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1}


def test_nothing_to_score_goes_straight_to_the_verdict() -> None:
    """Where all answers are stored already, no model is made."""
    execution = run(**{PLAN: answers(plan())})
    assert CREATE not in execution.visited and scores(execution) == []


def test_champion_is_scored_again_where_it_lacks_answers() -> None:
    """Challenger and champion answer one after the other."""
    execution = run(**{PLAN: answers(plan("challenger", "champion")), LOOK: serves(PACKAGE)})
    assert scores(execution) == [asked("challenger"), asked("champion")]
    assert [name for name in execution.visited if name in EVIDENCE] == [*EVIDENCE, *EVIDENCE]
    assert training_definition(PARTS)["States"][ANSWER]["MaxConcurrency"] == 1


@pytest.mark.parametrize(
    ("state", "reason", "its_fault"),
    [
        (CREATE, "the quota is 0", False),
        (TRANSFORM, "AlgorithmError: /ping", True),
        (TRANSFORM, "InternalServerError: We encountered an internal error", False),
        (TRANSFORM, "CapacityError: Unable to provision", False),
    ],
)
def test_artifact_that_can_not_answer_is_judged_all_the_same(state: str, reason: str, its_fault: bool) -> None:
    """It is a reason for the verdict, no failed execution; its model is removed; SageMaker's trouble isn't its own."""
    cause = json.dumps({"TransformJobStatus": "Failed", "FailureReason": reason})
    execution = run(**{state: fail(cause)})
    assert scores(execution) == [asked("challenger", reason, its_fault)]
    assert execution.arguments(DELETE) == {"ModelName": to_score("challenger")["model_name"]}
    assert execution.visited[-1] == DONE


def test_model_that_can_not_be_removed_changes_no_verdict() -> None:
    """What a removal says is no part of the outcome, whatever that was."""
    assert scores(run(**{DELETE: fail("denied")})) == [asked("challenger")]
    assert scores(run(**{DELETE: fail("denied"), TRANSFORM: fail("broken")}))[0]["error"] == "broken"


def test_second_artifact_is_scored_though_the_first_can_not_be() -> None:
    """One artifact's failure keeps no other from answering."""

    def only_champion(arguments: Any) -> Any:
        if "challenger" in arguments["ModelName"]:
            raise TaskFailed("States.TaskFailed", "broken")
        return {}

    both = answers(plan("challenger", "champion"))
    execution = run(**{PLAN: both, TRANSFORM: only_champion, LOOK: serves(PACKAGE)})
    assert scores(execution) == [asked("challenger", "broken"), asked("champion")]


def test_transform_job_that_hangs_is_given_up() -> None:
    """The wait for a transform job is bounded."""
    inner = training_definition(PARTS)["States"][ANSWER]["ItemProcessor"]["States"]
    assert inner[TRANSFORM]["TimeoutSeconds"] == 3600


def test_transform_job_that_hangs_is_stopped_and_no_fault_of_the_model() -> None:
    """Step Functions stops waiting at a time limit, not the job; what couldn't be asked is not to blame."""

    def hang(_: Any) -> Any:
        raise TaskFailed("States.Timeout", "")

    execution = run(**{TRANSFORM: hang})
    assert execution.arguments(STOP) == {"TransformJobName": to_score("challenger")["transform_job_name"]}
    assert [outcome["asked"] for outcome in scores(execution)] == [False]


def test_only_the_kept_archive_is_read_from_the_training_on() -> None:
    """No state after the keeping names the address that jobs may write over: evidence, package and output don't."""
    execution = run()
    after = execution.calls[[name for name, _, _ in execution.calls].index(KEEP) + 1 :]
    assert MODEL_DATA in json.dumps(after) and TRAINED_DATA not in json.dumps([after, execution.output])


def test_answers_are_recorded_right_after_the_job() -> None:
    """Version and digest are looked up as soon as a job has ended, before another one runs, and reach the judge."""
    execution = run(**{PLAN: answers(plan("challenger", "champion")), LOOK: serves(PACKAGE)})
    visited = [name for name in execution.visited if name in EVIDENCE]
    assert visited == [CREATE, TRANSFORM, RECORD, DELETE] * 2
    asked_for = [given["Payload"]["evidence"] for name, _, given in execution.calls if name == RECORD]
    assert asked_for == [to_score(who)["evidence_uri"] for who in ("challenger", "champion")]
    assert [score["evidence"] for score in scores(execution)] == [RECORDED, RECORDED]


def test_answers_that_can_not_be_recorded_are_none() -> None:
    """The model is removed, the reason reaches the judge, and it is not called the model's fault."""
    execution = run(**{RECORD: fail('{"errorMessage": "s3://… does not exist."}')})
    assert scores(execution) == [asked("challenger", "s3://… does not exist.", False)]
    assert execution.visited[-1] == DONE


def test_throttled_stop_is_tried_again() -> None:
    """A job that hangs is not left running, nor a model left behind, because SageMaker was busy once."""
    inner = training_definition(PARTS)["States"][ANSWER]["ItemProcessor"]["States"]
    for state in ("Stop transform job", DELETE):
        assert "SageMaker.SageMakerException" in inner[state]["Retry"][0]["ErrorEquals"], state
