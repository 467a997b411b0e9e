"""Operations: what they compute and refuse before any AWS call."""

from __future__ import annotations

import argparse
import io
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations import command_line
from operations.aws import data
from operations.aws.deployment import Deployment
from operations.errors import OperationError
from operations.verbs.deployment import teardown
from operations.verbs.model.evaluate import figures_of
from operations.verbs.model.training import hyperparameters
from stubbed_deployment import CREDENTIALS, StubbedDeployment


class FakeDeployment(Deployment):
    """A deployment whose stacks are a dict."""

    stacks: dict[str, Any] = {}

    def stack(self, part: str) -> dict[str, Any] | None:
        return self.stacks.get(part)


def deployment(endpoint_url: str | None = None, **stacks: Any) -> FakeDeployment:
    """A fake deployment with these stack descriptions."""
    made = FakeDeployment("local", boto3.Session(region_name="us-east-1"), endpoint_url)
    object.__setattr__(made, "stacks", stacks)
    return made


def outputs(**values: str) -> dict[str, Any]:
    """A stack description with these outputs."""
    return {"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]}


AWS_URL = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/"


def test_api_url_on_aws_is_the_output_without_its_last_slash() -> None:
    """The base has no /v1 and no final slash."""
    assert deployment(api=outputs(ApiUrl=AWS_URL)).api_url == AWS_URL[:-1]


def test_api_url_on_the_local_cloud_points_at_its_own_address() -> None:
    """The AWS host name does not resolve on a laptop; the local form holds the same API id and stage."""
    made = deployment("http://127.0.0.1:4566", api=outputs(ApiUrl=AWS_URL))
    assert made.api_url == "http://127.0.0.1:4566/restapis/abc123/prod/_user_request_"


def test_a_missing_output_names_the_environment_and_the_next_step() -> None:
    """An operation on something that is not deployed says so."""
    with pytest.raises(OperationError) as caught:
        deployment().output("DataBucket")
    assert "'local'" in caught.value.message
    assert caught.value.hint == "make up"


@pytest.mark.parametrize(("arn", "version"), [("", None), ("arn:aws:sagemaker:us-east-1:0:model-package/g/7", "7")])
def test_the_champion_is_the_stacks_parameter(arn: str, version: str | None) -> None:
    """The model version is the last part of the parameter, and none where it is empty."""
    serving = {"Parameters": [{"ParameterKey": "ModelPackageArn", "ParameterValue": arn}]}
    assert deployment(serving=serving).model_version == version


def test_hyperparameters_are_name_value_pairs() -> None:
    """Values may hold further equals signs."""
    assert hyperparameters(["epochs=3", "note=a=b"]) == {"epochs": "3", "note": "a=b"}


@pytest.mark.parametrize("wrong", ["epochs", "=3"])
def test_a_hyperparameter_without_name_or_value_is_refused(wrong: str) -> None:
    """The message shows the item and the form that is allowed."""
    with pytest.raises(OperationError) as caught:
        hyperparameters([wrong])
    assert wrong in caught.value.message
    assert "epochs=3" in caught.value.hint


def test_measured_figures_match_a_count_by_hand() -> None:
    """6 of 8 right, precision 4/5 and recall 4/5."""
    truth, given = ((1,), (1,), (1,), (1,), (1,), (0,), (0,), (0,)), ((1,), (1,), (1,), (1,), (0,), (1,), (0,), (0,))
    figures = figures_of(truth, given, ("no", "yes"), multilabel=False)
    assert (figures["rows"], figures["accuracy"], figures["f1"]) == (8, 0.75, 0.8)
    assert figures["classes"]["yes"] == {"rows": 5, "precision": 0.8, "recall": 0.8, "f1": 0.8}
    assert figures["confused"][0]["rows"] == 1


def test_several_labels_a_text_are_measured() -> None:
    """A row is right with its whole set of labels; F1 is the mean over the labels."""
    figures = figures_of(((0, 1), (2,), ()), ((0,), (2,), ()), ("a", "b", "c"), multilabel=True)
    assert figures["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["micro_f1"] == pytest.approx(0.8)


def test_the_interval_of_a_thousand_rows_is_as_wide_as_the_binomial_says() -> None:
    """At 90 % of 1,000 rows the 95 % interval is about ±1.86 points."""
    given = [(1,)] * 900 + [(0,)] * 100
    low, high = figures_of([(1,)] * 1000, given, ("no", "yes"), multilabel=False)["accuracy_95"]
    assert low == pytest.approx(0.8814, abs=0.004)
    assert high == pytest.approx(0.9186, abs=0.004)


def test_data_is_refused_before_anything_is_uploaded(tmp_path: Path) -> None:
    """The message is the training job's own, with what helps."""
    file = tmp_path / "train.csv"
    file.write_text("text,label\ngood,yes\n" * 40)
    with pytest.raises(OperationError) as caught:
        data.read(file, {"label_column": "mood"})
    assert "mood" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("port", ["abc", "0", "99999", "-1", "80"])
def test_a_port_that_cannot_be_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the value and what is allowed, without a stack trace."""
    with pytest.raises(SystemExit):
        command_line.parse(["up", f"--port={port}"])
    message = capsys.readouterr().err
    assert port in message
    assert "1024 to 65535" in message


@pytest.mark.parametrize(("typed", "goes"), [("prod\n", True), ("", False), ("\n", False), ("yes\n", False)])
def test_a_protected_stack_goes_only_after_its_environments_name(
    typed: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-D is no answer, and no stack trace: nothing is destroyed."""
    terminal = io.StringIO(typed)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    stacks = [{"StackName": "a-stack", "EnableTerminationProtection": True}]
    with nullcontext() if goes else pytest.raises(OperationError, match="nobody confirmed"):
        teardown._confirm(stacks, "prod", argparse.Namespace(env="prod", yes=False))


def test_a_teardown_stops_whatever_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Training, release and bulk scoring, whose instances would cost money when everything else is gone."""
    aws = StubbedDeployment("dev", boto3.Session(**CREDENTIALS), None)
    arn, now = "arn:aws:states:us-east-1:000000000000", datetime.now(tz=UTC)
    outputs = {"StateMachineArn": "training", "ReleaseStateMachineArn": "release", "BulkStateMachineArn": "bulk"}
    aws.__dict__["outputs"] = {output: f"{arn}:stateMachine:{name}" for output, name in outputs.items()}
    for output, name in outputs.items():
        run = {"executionArn": f"{arn}:execution:{name}:1", "stateMachineArn": aws.output(output), "name": name}
        aws.answer("stepfunctions", "list_executions", {"executions": [{**run, "status": "RUNNING", "startDate": now}]})
        aws.answer("stepfunctions", "stop_execution", {"stopDate": now})
    models = [f"text-classifier-{rest}" for rest in ("dev-evidence-1", "dev-bulk-1", "dev--7-abc", "dev-2-bulk-1")]
    made = [{"ModelName": name, "ModelArn": "arn:aws:sagemaker:us-east-1:000000000000:model/m"} for name in models]
    aws.answer("sagemaker", "list_models", {"Models": [{**model, "CreationTime": now} for model in made]})
    deleted: list[str] = []
    aws.client("sagemaker").meta.events.register(
        "provide-client-params.sagemaker.DeleteModel", lambda params, **_: deleted.append(params["ModelName"])
    )
    for _ in models[:2]:
        aws.answer("sagemaker", "delete_model", {})
    teardown._stop_executions(aws)
    assert deleted == models[:2]
    assert capsys.readouterr().out.split() == ["stopping", "training", "stopping", "release", "stopping", "bulk"]
