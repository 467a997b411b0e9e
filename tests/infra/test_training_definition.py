"""The training workflow as a whole: which way an execution takes, and how it ends.

Executions are run through the definition with made-up tasks; expressions by the JSONata engine of the local cloud.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import training_state_names
from release_samples import scripted
from states_interpreter import Execution, TaskFailed, execute
from training_state_names import (
    ANSWER,
    CHECK,
    CHECKED,
    COMPARE,
    DONE,
    FAILED,
    HOW,
    INGEST,
    JUDGE,
    KEEP,
    LOOK,
    PLAN,
    RECORD,
    REGISTER,
    REPORT,
    ROUTE,
    TRAIN,
    WAIT,
)
from workflow_samples import (
    CODE,
    CONTEXT,
    ELSEWHERE,
    EVIDENCE,
    FILES,
    INGESTED,
    JOB,
    MODEL_DATA,
    PACKAGE,
    PARTS,
    REQUEST,
    SHA256,
    VERDICT,
    all_is_well,
    answers,
    asked,
    plan,
    serves,
)

from stacks.training.workflow.definition import MAX_LOOKS, MAX_PLANS, training_definition


def run(given: Any = None, **tasks: Callable[[Any], Any]) -> Execution:
    return execute(training_definition(PARTS), {} if given is None else given, all_is_well() | tasks, CONTEXT)


def fail(error: str, cause: str) -> Callable[[Any], Any]:
    def failing(_: Any) -> Any:
        raise TaskFailed(error, cause)

    return failing


def test_definition_is_valid_states_language(lint_errors: Callable[[dict[str, Any]], list[str]]) -> None:
    """The definition follows the schema of Amazon States Language, and the linter would notice if it didn't."""
    definition = training_definition(PARTS)
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": PARTS.evidence_role_arn, "Definition": definition},
    }
    assert lint_errors({"Resources": {"Machine": machine}}) == []
    definition["States"][TRAIN]["Arguemnts"] = {}
    assert lint_errors({"Resources": {"Machine": machine}}) != []


def test_the_document_is_filled_in() -> None:
    """Every `${name}` is replaced, and the tests know every state."""
    definition = training_definition(PARTS)
    assert "${" not in json.dumps(definition)
    known = {value for name, value in vars(training_state_names).items() if name.isupper()}
    assert known == {*definition["States"], *definition["States"][ANSWER]["ItemProcessor"]["States"]}


def test_a_dry_run_ends_after_the_check() -> None:
    """An input with `dry_run` is checked, and its completed form is the output; no job is started."""
    execution = run(**{CHECK: lambda _: {"Payload": {"mode": "check", "job_name": "a-job", "training": None}}})
    assert execution.visited == [CHECK, ROUTE, CHECKED]
    assert execution.output == {"mode": "check", "job_name": "a-job", "training": None}


def test_empty_input_goes_the_whole_way() -> None:
    """`{}` is checked, ingested, trained, answered, judged, registered, recorded and reported, in this order."""
    execution = run()
    assert execution.visited == [
        CHECK,
        ROUTE,
        INGEST,
        HOW,
        TRAIN,
        KEEP,
        PLAN,
        ANSWER,
        *EVIDENCE,
        "Answered",
        JUDGE,
        LOOK,
        COMPARE,
        REGISTER,
        RECORD,
        REPORT,
        DONE,
    ]


@pytest.mark.parametrize("given", [{}, {"Comment": "Insert your JSON here"}, {"unknown": 1}, "text", 7, [1]])
def test_input_is_checked_as_it_was_typed(given: Any) -> None:
    """Whatever was typed reaches the check unchanged, which alone says what is allowed."""
    assert run(given).arguments(CHECK)["Payload"] == given


def test_output_names_package_and_verdict() -> None:
    """An execution ends with the package, what became of the data, and the verdict without its metadata."""
    assert run().output == {
        "model_package_arn": PACKAGE,
        "version": "7",
        "training_job": JOB,
        "model_data": MODEL_DATA,
        "data_sha256": "f00d",
        "source": INGESTED["source"],
        "metrics": {"test_accuracy": 0.86901, "test_f1": 0.904},
        "tuned": None,
        "verdict": {key: VERDICT[key] for key in ("status", "passed", "summary", "report_uri", "numbers")},
    }


def test_finished_job_is_judged_without_training() -> None:
    """A job started elsewhere takes the short way, and only what it knows of itself is told."""
    request = REQUEST | {"mode": "judge", "job_name": "by-hand", "training": ELSEWHERE}
    execution = run({"training_job": "by-hand"}, **{CHECK: answers(request)})
    assert INGEST not in execution.visited and TRAIN not in execution.visited
    assert execution.arguments(KEEP)["Payload"] == {"model_data": ELSEWHERE["model_data"]}
    assert execution.arguments(PLAN)["Payload"]["model_data"] == MODEL_DATA
    assert execution.arguments(JUDGE)["Payload"]["data"] is None
    told = {key: execution.output[key] for key in ("training_job", "data_sha256", "source")}
    assert told == {"training_job": "by-hand", "data_sha256": None, "source": ELSEWHERE["data_source"]}


def test_job_without_a_train_channel_is_judged_too() -> None:
    """What isn't known of a job started elsewhere is null in the output and missing in the package."""
    known = {key: value for key, value in ELSEWHERE.items() if key != "code_uri"}
    request = REQUEST | {"mode": "judge", "training": known | {"data_source": None, "metrics": {}}}
    execution = run(**{CHECK: answers(request)})
    metadata = execution.arguments(REGISTER)["CustomerMetadataProperties"]
    assert execution.output["source"] is None and execution.output["metrics"] == {}
    assert not {"data_source", "data_sha256", "code_version", "git_revision"} & set(metadata)


def test_judge_is_given_everything() -> None:
    """The verdict is made from the request, the plan, the outcome of scoring, the job and the data."""
    payload = run().arguments(JUDGE)["Payload"]
    assert payload["request"] == REQUEST and payload["data"] == INGESTED
    assert payload["scores"] == [asked("challenger")]
    assert payload["plan"] == plan("challenger")
    assert payload["training"] == {
        "job_name": JOB,
        "model_data": MODEL_DATA,
        "output_uri": f"s3://artifacts/training/{JOB}/output/output.tar.gz",
        "hyperparameters": REQUEST["hyperparameters"],
        "code_uri": CODE,
        "image": "training:1",
        "metrics": {"test_accuracy": 0.86901, "test_f1": 0.904},
        "data_source": INGESTED["train_uri"],
        "sha256": SHA256,
        "environment": FILES,
    }


def test_job_brings_the_same_members_from_either_way() -> None:
    """The job that the workflow trained is described exactly as one that was started elsewhere."""
    kept = {"sha256", "environment"}
    assert set(run().arguments(JUDGE)["Payload"]["training"]) == set(ELSEWHERE) | kept


@pytest.mark.parametrize("name", [CHECK, INGEST, TRAIN, PLAN, JUDGE, REGISTER, RECORD])
@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ('{"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: no column"}', "AlgorithmError: no column"),
        ('{"TrainingJobStatus": "Stopped"}', "the job ended as Stopped"),
        ('{"errorType": "InvalidExecutionInputError", "errorMessage": "epochs is -1."}', "epochs is -1."),
        ("User is not authorized to perform sagemaker:CreateTrainingJob", None),
        ('{"something": "else"}', None),
    ],
)
def test_failure_tells_its_reason(name: str, cause: str, told: str | None) -> None:
    """A failed step ends the execution with the reason a person can read, out of whatever it was wrapped in."""
    execution = run(**{name: fail("SomeError", cause)})
    assert execution.visited[-1] == FAILED
    assert execution.failure == {"Error": "SomeError", "Cause": told or cause}


def test_exceeded_quota_is_explained() -> None:
    """A quota that is too small is not asked for again, and the message says what to do about it."""
    error = "SageMaker.ResourceLimitExceededException"
    execution = run(**{TRAIN: fail(error, "The account-level service limit is 0 Instances.")})
    assert re.search(r"limit is 0 Instances\. Next: .*Service Quotas.*instance_type", str(execution.failure))
    retries = training_definition(PARTS)["States"][TRAIN]["Retry"]
    assert error not in [name for retry in retries for name in retry["ErrorEquals"]]


@pytest.mark.parametrize("name", [CHECK, INGEST, KEEP, PLAN, JUDGE])
def test_functions_own_errors_are_final(name: str) -> None:
    """Only what Lambda itself stumbles over is tried again: a refused input stays refused."""
    (retry,) = training_definition(PARTS)["States"][name]["Retry"]
    assert all(error.startswith("Lambda.") and error != "Lambda.Unknown" for error in retry["ErrorEquals"])


def test_every_task_ends_in_a_told_failure_or_goes_on() -> None:
    """No task's error ends an execution unexplained."""
    states = training_definition(PARTS)["States"]
    inner = states[ANSWER]["ItemProcessor"]["States"]
    tasks = {name: state for name, state in {**states, **inner}.items() if state["Type"] in ("Task", "Map")}
    assert len(tasks) == 19
    assert all(state["Catch"][-1]["ErrorEquals"] == ["States.ALL"] for state in tasks.values())


OTHER = PACKAGE.replace("/7", "/6")


def test_champion_that_changed_meanwhile_is_compared_with_anew() -> None:
    """An approval counts against the model that it replaces: the plan is made again, once."""
    plans = scripted(answers(plan())(None), answers(plan() | {"champion": {"package_arn": OTHER}})(None))
    execution = run(**{PLAN: plans, LOOK: serves(OTHER)})
    assert execution.visited.count(PLAN) == execution.visited.count(JUDGE) == 2
    assert execution.arguments(RECORD)["ModelApprovalStatus"] == "Approved"


def test_champion_that_keeps_changing_is_left_to_a_person() -> None:
    """After some plans nobody is approved, and the summary says why."""
    execution = run(**{LOOK: serves(OTHER)})
    assert execution.visited.count(PLAN) == MAX_PLANS
    assert execution.arguments(RECORD)["ModelApprovalStatus"] == "PendingManualApproval"
    assert "could not be settled" in execution.arguments(RECORD)["ApprovalDescription"]


@pytest.mark.parametrize("stack", [serves(None, "UPDATE_IN_PROGRESS"), fail("CloudFormation.SomeException", "denied")])
def test_release_under_way_is_waited_for(stack: Callable[[Any], Any]) -> None:
    """While the serving stack changes, or can't be read, nobody knows the champion; not for ever."""
    execution = run(**{LOOK: stack})
    assert execution.visited.count(LOOK) == MAX_LOOKS and WAIT in execution.visited
    assert execution.arguments(RECORD)["ModelApprovalStatus"] == "PendingManualApproval"


def test_only_an_approval_is_held_to_the_champion_of_the_moment() -> None:
    """A rejected model, and one that waits for a person, are recorded as they were judged."""
    execution = run(**{JUDGE: answers(VERDICT | {"status": "Rejected", "passed": False}), LOOK: serves(OTHER)})
    assert execution.visited.count(PLAN) == 1
    assert execution.arguments(RECORD)["ModelApprovalStatus"] == "Rejected"


def test_no_serving_stack_is_no_champion() -> None:
    """The first model of an environment is approved before anything serves."""
    gone = fail("CloudFormation.CloudFormationException", "Stack with id x does not exist")
    assert run(**{LOOK: gone}).arguments(RECORD)["ModelApprovalStatus"] == "Approved"
