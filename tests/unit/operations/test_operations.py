"""Operations: what they compute and refuse before any AWS call."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from operations import command_line
from operations.aws.deployment import Deployment
from operations.errors import OperationError
from operations.verbs.training import hyperparameters


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


@pytest.mark.parametrize("port", ["abc", "0", "99999", "-1", "80"])
def test_a_port_that_cannot_be_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the value and what is allowed, without a stack trace."""
    with pytest.raises(SystemExit):
        command_line.parse(["up", f"--port={port}"])
    message = capsys.readouterr().err
    assert port in message
    assert "1024 to 65535" in message
