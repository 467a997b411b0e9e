"""The bulk workflow, executed with made-up answers of AWS."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from bulk_samples import CONTEXT, COUNTS, INPUT, PLAN, ROLE, WORKFLOW, failed, said, tasks
from conftest import ROOT
from states_interpreter import Execution, execute
from workflow_samples import PACKAGE, PARTS, serves

from stacks.bulk.execution_input import DEFAULTS, SCHEMA

NAMED_AFTER_INPUT = f"s3-data-bulk-reviews-{hashlib.sha256(INPUT['input'].encode()).hexdigest()[:8]}"
RUN = f"bulk/{NAMED_AFTER_INPUT}/v7"


def run(given: Any = INPUT, **changed: Callable[[Any], Any]) -> Execution:
    """An execution whose tasks answer as in `tasks`."""
    return execute(WORKFLOW, given, tasks(**changed), CONTEXT)


def places(execution: Execution, state: str, member: str) -> dict[str, str]:
    """Folder → address of a processing job's inputs or outputs."""
    request = execution.arguments(state)
    found = request["ProcessingInputs"] if member == "S3Input" else request["ProcessingOutputConfig"]["Outputs"]
    return {one[member]["LocalPath"].rpartition("processing/")[2]: one[member]["S3Uri"] for one in found}


def test_definition_is_valid_states_language(lint_errors: Callable[[dict[str, Any]], list[str]]) -> None:
    """The definition follows the schema of Amazon States Language."""
    properties = {"RoleArn": ROLE, "Definition": WORKFLOW}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    assert lint_errors({"Resources": {"Machine": machine}}) == []


def test_each_task_is_repeated_after_errors_of_its_own_service() -> None:
    """Throttling arrives under the name of the service that was called."""
    repeated = {name: state for name, state in WORKFLOW["States"].items() if "Retry" in state}
    assert len(repeated) == 8
    for name, state in repeated.items():
        service = state["Resource"].split(":::")[1].removeprefix("aws-sdk:").split(":")[0]
        (rule,) = state["Retry"]
        assert {error.split(".")[0].lower() for error in rule["ErrorEquals"]} == {service}, name


def test_an_input_goes_the_whole_way() -> None:
    """Prepared, scored by the released package without a network, joined; the output holds counts and place."""
    execution = run()
    assert execution.visited == [
        *("Check input", "Look at champion", "Begin", "Keep request", "Prepare", "Is there anything to score?"),
        *("Create model", "Score", "Delete model", "Is it scored?", "Join", "Done"),
    ]
    assert execution.output == {**PLAN, **COUNTS, "result": f"s3://artifacts/{RUN}/result/"}
    model = execution.arguments("Create model")
    assert model["PrimaryContainer"] == {"ModelPackageName": PACKAGE}
    assert model["EnableNetworkIsolation"] is True
    assert execution.arguments("Score")["ModelName"] == model["ModelName"]
    for step in ("Prepare", "Join"):
        assert execution.arguments(step)["NetworkConfig"] == {"EnableNetworkIsolation": True}


def test_each_step_finds_what_the_one_before_it_left() -> None:
    """The shards of this execution are scored into the run's state, which both steps read."""
    execution = run()
    token = execution.variables["token"]
    state = f"s3://artifacts/{RUN}/state"
    inputs = {"input/code": PARTS.job.code_uri, "input/data": INPUT["input"], "input/state": f"{state}/"}
    assert places(execution, "Prepare", "S3Input") == places(execution, "Join", "S3Input") == inputs
    todo = f"s3://artifacts/{RUN}/todo/{token}"
    assert places(execution, "Prepare", "S3Output") == {"output/plan": state, "output/todo": todo}
    assert places(execution, "Join", "S3Output") == {"output/result": f"s3://artifacts/{RUN}/result"}
    score = execution.arguments("Score")
    # With its slash: another execution's shards are not this one's.
    assert score["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == f"{todo}/"
    assert score["TransformOutput"]["S3OutputPath"] == f"{state}/answers"
    kept = execution.arguments("Keep request")
    assert (kept["Bucket"], kept["Key"]) == ("artifacts", f"{RUN}/state/request.json")
    wanted = {"package": PACKAGE, "execution": "run-1", "instance_type": PARTS.evidence_instance_type}
    assert kept["Body"] == {**DEFAULTS, **wanted, **INPUT}


def test_what_is_asked_for_reaches_the_jobs() -> None:
    """Machines, their number, and the run's folder."""
    execution = run({**INPUT, "instances": 3, "instance_type": "ml.c5.xlarge", "output": "mine"})
    machines = {"InstanceType": "ml.c5.xlarge", "InstanceCount": 3}
    assert execution.arguments("Score")["TransformResources"] == machines
    assert execution.arguments("Prepare")["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.c5.xlarge"
    assert execution.output["result"] == "s3://artifacts/bulk/mine/v7/result/"


def test_each_input_has_a_folder_of_its_own() -> None:
    """Also where the names differ in no letter: an answer never lands in another run."""
    inputs = ("s3://data/bulk/a-b/", "s3://data/bulk/a/b/", "s3://data/bulk/a/b")
    folders = {run({"input": given}).variables["key"] for given in inputs}
    assert len(folders) == 3 and all(folder.startswith("bulk/s3-data-bulk-a-b-") for folder in folders)


def test_a_dry_run_ends_with_the_estimate() -> None:
    """Nothing is scored, no model is made."""
    execution = run({**INPUT, "dry_run": True})
    assert execution.visited[-1] == "Estimated"
    assert execution.output == PLAN


def test_nothing_left_to_score_goes_to_the_join() -> None:
    """A run that was interrupted after its last answer costs no instance."""
    execution = run(Prepare=said({**PLAN, "to_score": 0}))
    assert "Create model" not in execution.visited
    assert execution.visited[-2:] == ["Join", "Done"]


def test_scoring_that_fails_is_stopped_and_can_be_resumed() -> None:
    """The job is stopped, the model removed, and the cause says that the same input resumes the run."""
    execution = run(Score=failed({"TransformJobStatus": "Failed", "FailureReason": "AlgorithmError: it fell over"}))
    assert execution.visited[-4:] == ["Stop scoring", "Delete model", "Is it scored?", "Not scored"]
    assert execution.failure == {
        "Error": "NotScored",
        "Cause": "AlgorithmError: it fell over Next: start the same input again, which resumes the run.",
    }


def test_model_that_cannot_be_removed_does_not_matter() -> None:
    """The answers are joined all the same."""
    assert run(Delete_model=failed({})).visited[-1] == "Done"


@pytest.mark.parametrize("state", ["Prepare", "Join"])
def test_a_step_that_fails_says_why(state: str) -> None:
    """The cause is what the job left as its message."""
    job = {"ProcessingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit code: 1", "ExitMessage": "No file."}
    execution = run(**{state: failed(job)})
    assert execution.failure == {"Error": "States.TaskFailed", "Cause": "No file."}


def test_without_a_released_model_nothing_starts() -> None:
    """The cause says what to do first."""
    execution = run(Look_at_champion=serves(None))
    assert execution.visited[-2:] == ["Begin", "Refused"]
    assert execution.failure is not None and "No model is released" in execution.failure["Cause"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "input is not as allowed"),
        ({"input": "data/bulk"}, "input is not as allowed"),
        ([], "input is not as allowed"),
        ({**INPUT, "instances": 0}, "instances is not as allowed. A whole number from 1 to 100"),
        ({**INPUT, "instances": 1.5}, "instances is not as allowed"),
        ({**INPUT, "instances": "2"}, "instances is not as allowed"),
        ({**INPUT, "instance_type": "large"}, "instance_type is not as allowed"),
        ({**INPUT, "price_per_hour": -1}, "price_per_hour is not as allowed"),
        ({**INPUT, "output": "a/b"}, "output is not as allowed"),
        ({**INPUT, "column": "x" * 257}, "column is not as allowed"),
        ({**INPUT, "dry_run": None}, "dry_run is not as allowed"),
        ({**INPUT, "instnaces": 2}, "instnaces is not a known key"),
    ],
)
def test_wrong_input_is_refused_with_what_is_allowed(given: Any, named: str) -> None:
    """The first state names each field that is wrong; nothing is called."""
    execution = run(given)
    assert (execution.visited, execution.calls) == (["Check input", "Refused"], [])
    assert execution.failure is not None
    assert execution.failure["Error"] == "InvalidExecutionInput" and named in execution.failure["Cause"]


@pytest.mark.parametrize(
    "given",
    [
        {**INPUT, **DEFAULTS},
        *({**INPUT, name: example} for name, rule in SCHEMA["properties"].items() for example in rule["examples"]),
    ],
)
def test_examples_of_the_schema_are_accepted(given: dict[str, Any]) -> None:
    """Each example in the schema passes the check that is made from it, and so do its defaults."""
    assert run(given).visited[1] == "Look at champion"


def test_page_has_every_key_and_examples_that_are_accepted() -> None:
    """docs/bulk.md says of each key what the schema says, and its JSON can be pasted."""
    page = (ROOT / "docs" / "bulk.md").read_text(encoding="utf-8")
    for name, rule in SCHEMA["properties"].items():
        assert f"| `{name}` | {rule['description']} |" in page
    examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        assert run(json.loads(example)).visited[1] == "Look at champion"
