"""Following the workflows, reading the registry, and what the commands make of their arguments, without any AWS."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from operations.aws import executions, registry, training
from operations.aws import releases as release_workflow
from operations.aws.deployment import Deployment
from operations.errors import OperationError
from operations.verbs.model import releases
from operations.verbs.model import training as training_verbs
from operations.verbs.model.training import overrides_of

GROUP = "text-classifier-local"
ARN = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}"


def package(version: int, status: str = "Approved", **metadata: str) -> dict[str, Any]:
    """What DescribeModelPackage answers."""
    return {
        "ModelPackageArn": f"{ARN}/{version}",
        "ModelPackageVersion": version,
        "ModelApprovalStatus": status,
        "CreationTime": datetime(2026, 1, version, tzinfo=UTC),
        "ApprovalDescription": f"about {version}",
        "CustomerMetadataProperties": metadata,
        "InferenceSpecification": {"Containers": [{"Image": "image", "ModelDataUrl": f"s3://models/{version}"}]},
    }


class FakeRegistry:
    """SageMaker's registry of one group."""

    def __init__(self, *packages: dict[str, Any]) -> None:
        self._packages = {found["ModelPackageArn"]: found for found in packages}

    def get_paginator(self, _: str) -> FakeRegistry:
        return self

    def paginate(self, ModelPackageGroupName: str) -> Iterator[dict[str, Any]]:
        assert ModelPackageGroupName == GROUP
        yield {"ModelPackageSummaryList": [{"ModelPackageArn": arn} for arn in reversed(self._packages)]}

    def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:
        return self._packages[ModelPackageName]


class FakeDeployment(Deployment):
    """A deployment with these clients and this champion."""

    clients: dict[str, Any] = {}
    champion: str = ""

    def client(self, service: str) -> Any:
        return self.clients[service]

    def ask_model(self) -> tuple[str | None, str]:
        return None, "does not answer: asleep"

    def output(self, name: str) -> str:
        return GROUP if name == "ModelPackageGroup" else name

    @property
    def released_package(self) -> str:
        return self.champion


def deployment(champion: int = 0, **clients: Any) -> FakeDeployment:
    """A fake deployment whose champion has this version number (0: none)."""
    made = FakeDeployment("local", boto3.Session(region_name="us-east-1"), None)
    object.__setattr__(made, "clients", clients)
    object.__setattr__(made, "champion", f"{ARN}/{champion}" if champion else "")
    return made


RELEASED = {"release": "released"}


def test_the_previous_package_is_the_one_released_last_besides_the_champion() -> None:
    """Neither a rejected one, nor one that never served, nor the champion itself."""
    known = FakeRegistry(
        package(1, released_at="2026-01-01T00:00:00Z", **RELEASED),
        package(2, released_at="2026-01-02T00:00:00Z", **RELEASED),
        package(3, "Rejected", released_at="2026-01-03T00:00:00Z", **RELEASED),
        package(4),
        package(5, released_at="2026-01-05T00:00:00Z", **RELEASED),
    )
    assert registry.previous(deployment(5, sagemaker=known)).version == 2


def test_without_a_former_release_there_is_nothing_to_go_back_to() -> None:
    """The message says so and names the command that lists what there is."""
    known = FakeRegistry(package(1, released_at="2026-01-01T00:00:00Z", **RELEASED), package(2, release="failed"))
    with pytest.raises(OperationError) as caught:
        registry.previous(deployment(1, sagemaker=known))
    assert "nothing to go back to" in caught.value.message
    assert "make releases" in caught.value.hint


@pytest.mark.parametrize("given", ["2", f"{ARN}/2"])
def test_a_package_is_named_by_version_or_arn(given: str) -> None:
    """Both find the same package."""
    assert registry.package(deployment(sagemaker=FakeRegistry(package(1), package(2))), given).version == 2


def test_an_unknown_package_lists_those_there_are() -> None:
    """The refusal names the version asked for and the existing ones."""
    with pytest.raises(OperationError) as caught:
        registry.package(deployment(sagemaker=FakeRegistry(package(1), package(2))), "7")
    assert "'7'" in caught.value.message and "1, 2" in caught.value.message


def test_the_table_marks_the_champion_and_shows_its_figures() -> None:
    """Verdict, accuracy with its interval, and the difference to the champion of that time."""
    found = registry.packages(
        deployment(
            sagemaker=FakeRegistry(
                package(
                    2,
                    verdict="passed",
                    accuracy="0.868",
                    accuracy_low="0.846",
                    accuracy_high="0.888",
                    difference="0.004",
                    compared_with="1",
                    released_at="2026-01-02T10:11:12Z",
                    **RELEASED,
                )
            )
        )
    )
    line = releases.table(found, f"{ARN}/2").splitlines()[1]
    assert line.split()[:4] == ["*", "2", "Approved", "passed"]
    assert "0.868 (.846-.888)" in line and "+0.004 v1" in line and "2026-01-02 10:11" in line


def test_a_package_without_figures_shows_dashes() -> None:
    """One registered by hand is listed all the same."""
    found = registry.packages(deployment(sagemaker=FakeRegistry(package(1, "PendingManualApproval"))))
    assert releases.table(found, "").splitlines()[1].split()[2:6] == ["-", "-", "-", "-"]


def test_a_package_without_report_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written, and the hint names the way to have it judged."""
    monkeypatch.setattr(releases, "connect", lambda env: deployment(sagemaker=FakeRegistry(package(1))))
    with pytest.raises(OperationError) as caught:
        releases.report(argparse.Namespace(env="local", package="1"))
    assert "TRAINING_JOB" in caught.value.hint


def test_a_run_is_read_from_the_executions_output() -> None:
    """Package, status and summary of the verdict."""
    output = {"model_package_arn": f"{ARN}/3", "verdict": {"status": "Rejected", "summary": "accuracy below the floor"}}
    run = training.result({"status": "SUCCEEDED", "output": json.dumps(output)})
    assert run == {"package": f"{ARN}/3", "status": "Rejected", "summary": "accuracy below the floor"}


def test_a_failed_execution_shows_error_and_cause() -> None:
    """What the console shows is what the terminal shows."""
    with pytest.raises(OperationError) as caught:
        training.result(
            {"status": "FAILED", "error": "InvalidExecutionInputError", "cause": "epochs is -1. Allowed: 1"}
        )
    assert "InvalidExecutionInputError" in caught.value.message and "epochs is -1" in caught.value.message


def exited(state: str, output: str) -> dict[str, Any]:
    """A history event."""
    return {"type": "TaskStateExited", "stateExitedEventDetails": {"name": state, "output": output}}


def test_only_the_state_asked_for_is_read_from_an_event() -> None:
    """Other states' outputs, and outputs that are no objects, are nothing."""
    assert executions.left_with(exited("Train", '{"job_name": "j"}'), "Check input") == {}
    assert executions.left_with(exited("Check input", '{"job_name": "j"}'), "Check input") == {"job_name": "j"}
    assert executions.left_with(exited("Check input", "[1]"), "Check input") == {}


class FakeWorkflows:
    """Step Functions with one execution that ends at the second look."""

    def __init__(self, ended: dict[str, Any]) -> None:
        self._descriptions = iter([{"status": "RUNNING"}, ended])

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        return next(self._descriptions)

    def get_paginator(self, _: str) -> FakeWorkflows:
        return self

    def paginate(self, executionArn: str) -> Iterator[dict[str, Any]]:
        states = ["Wait for turn", "Is it the turn?", "Wait for turn", "Is it the turn?", "Update endpoint"]
        yield {
            "events": [
                {"id": number, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": state}}
                for number, state in enumerate(states)
            ]
        }


def test_following_shows_a_waiting_state_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each event is shown once, and a state entered again and again is one line."""
    monkeypatch.setattr(executions, "POLL_SECONDS", 0)
    ended = FakeWorkflows({"status": "SUCCEEDED", "output": '{"outcome": "released"}'})
    assert release_workflow.follow(deployment(1, stepfunctions=ended), "arn") == "released"
    shown = [line.removeprefix("  release: ") for line in capsys.readouterr().out.splitlines()]
    assert shown == ["Wait for turn", "Is it the turn?", "Update endpoint"]


def test_a_failed_release_says_which_model_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workflow's reason, and what the model said when it was asked, not what the stack names."""
    monkeypatch.setattr(executions, "POLL_SECONDS", 0)
    ended = FakeWorkflows({"status": "FAILED", "error": "ReleaseFailed", "cause": "2 of 20 answers were wrong"})
    with pytest.raises(OperationError) as caught:
        release_workflow.follow(deployment(4, stepfunctions=ended), "arn")
    assert "2 of 20" in caught.value.message and caught.value.message.endswith("does not answer: asleep")


def arguments(**given: Any) -> argparse.Namespace:
    """The command line of `make train`."""
    nothing: dict[str, Any] = {
        "hyperparameter": [],
        "data_source": None,
        "training_job": None,
        "approval": None,
        "tune": None,
        "input": "",
    }
    return argparse.Namespace(**{**nothing, **given})


def test_nothing_on_the_command_line_is_the_empty_input() -> None:
    """The same `{}` as in the console."""
    assert overrides_of(arguments()) == {}


def test_options_are_put_into_the_given_input() -> None:
    """INPUT holds anything; the shorter options win over it."""
    made = overrides_of(
        arguments(
            input='{"spot": true, "hyperparameters": {"epochs": 1, "seed": 2}}',
            hyperparameter=["epochs=3"],
            approval="manual",
        )
    )
    assert made == {"spot": True, "hyperparameters": {"epochs": "3", "seed": 2}, "approval": "manual"}


def test_tuning_is_a_part_of_the_input() -> None:
    """TUNE holds an object, `{}` for the defaults; without it nothing is tuned."""
    assert overrides_of(arguments(tune="{}", input='{"spot": true}')) == {"spot": True, "tune": {}}
    assert overrides_of(arguments(tune='{"max_jobs": 4}')) == {"tune": {"max_jobs": 4}}


@pytest.mark.parametrize("wrong", ["{", "[1]", "3"])
@pytest.mark.parametrize(("option", "example"), [("input", "spot"), ("tune", "max_jobs")])
def test_an_input_that_is_no_json_object_is_refused(wrong: str, option: str, example: str) -> None:
    """Before anything is started, with an example."""
    with pytest.raises(OperationError) as caught:
        overrides_of(arguments(**{option: wrong}))
    assert option.upper() in caught.value.message and example in caught.value.hint


class FakeTuning:
    """SageMaker with a tuning job that goes on with every look; at first there is none."""

    def __init__(self) -> None:
        self._looks = 0

    def describe_hyper_parameter_tuning_job(self, HyperParameterTuningJobName: str) -> dict[str, Any]:
        self._looks += 1
        if self._looks == 1:
            raise ClientError({"Error": {"Code": "ResourceNotFound", "Message": "no"}}, "Describe")
        best = {
            "TunedHyperParameters": {"learning_rate": "0.0001", "epochs": "3"},
            "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "tuning_objective", "Value": 0.87},
        }
        return {
            "HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxNumberOfTrainingJobs": 8}},
            "TrainingJobStatusCounters": {"Completed": self._looks // 4, "InProgress": 2, "Stopped": 0},
            **({"BestTrainingJob": best} if self._looks >= 4 else {}),
        }


def test_progress_of_a_tuning_job_is_told_when_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    """How many trials have ended, and the best so far with its values; not the same line twice."""
    progress = training.TuningProgress(deployment(sagemaker=FakeTuning()), "tuning")
    for _ in range(5):
        progress.show_new()
    assert capsys.readouterr().out.splitlines() == [
        "    8 trials: 2 InProgress",
        "    8 trials: 1 Completed, 2 InProgress; best so far 0.8700 with epochs=3 learning_rate=0.0001",
    ]


def test_the_recipes_fields_have_paths_like_the_request() -> None:
    """Nested members and list items are spelt as SageMaker names them."""
    assert training_verbs.fields({"A": {"B": 1}, "C": [{"D": "x"}]}) == [("A.B", "1"), ("C[0].D", "x")]


def test_a_report_is_written_into_the_projects_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One HTML file per environment and version, fetched from where the package says."""

    class FakeStorage:
        def download_file(self, bucket: str, key: str, file: str) -> None:
            Path(file).write_text(f"{bucket} {key}")

    monkeypatch.setattr("operations.paths.LOCAL", tmp_path)
    known = FakeRegistry(package(1, report="s3://artifacts/training/job/evaluation/report.html"))
    monkeypatch.setattr(releases, "connect", lambda env: deployment(sagemaker=known, s3=FakeStorage()))
    file = tmp_path / "reports" / "local-1.html"
    answer = releases.report(argparse.Namespace(env="local", package=None))
    assert answer.text == file.as_uri() and answer.document == {"version": 1, "file": str(file)}
    assert file.read_text() == "artifacts training/job/evaluation/report.html"
