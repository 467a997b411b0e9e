"""Killing the local cloud: what was running ends with a reason, and stacks agree with what they are about."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tiny_serving import artifact
from waiting import until

pytestmark = pytest.mark.integration

BUCKET = "restart"
STACK = "kept"
_SLOW_START_SECONDS = 2
_CONTAINER = {
    "Image": "tiny-serving:1",
    "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
    "Environment": {"MODEL_VERSION": {"Ref": "Version"}, "START_SECONDS": {"Ref": "StartSeconds"}},
}
_VARIANT = {
    "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
    "VariantName": "main",
    "ServerlessConfig": {"MaxConcurrency": 5, "MemorySizeInMB": 2048},
}
TEMPLATE = {
    "Parameters": {
        "Version": {"Type": "String"},
        "StartSeconds": {"Type": "String", "Default": "0"},
        "Role": {"Type": "String"},
    },
    "Resources": {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ExecutionRoleArn": {"Ref": "Role"}, "PrimaryContainer": _CONTAINER},
        },
        "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": [_VARIANT]}},
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": {"Ref": "AWS::StackName"},
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
            },
        },
    },
}


def _stack(server: Any, name: str = STACK) -> dict[str, Any]:
    return server.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def _parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def _update(server: Any, version: str, start_seconds: float) -> None:
    parameters: list[dict[str, Any]] = _parameters(Version=version, StartSeconds=str(start_seconds))
    server.client("cloudformation").update_stack(
        StackName=STACK,
        UsePreviousTemplate=True,
        Parameters=[*parameters, {"ParameterKey": "Role", "UsePreviousValue": True}],
    )


def _answer(server: Any) -> str:
    runtime = server.client("sagemaker-runtime")

    def ask() -> str:
        try:
            return runtime.invoke_endpoint(EndpointName=STACK, Body=b"x")["Body"].read().decode()
        except ClientError:  # the endpoint is still coming up
            return ""

    return until(ask)


def _finished(server: Any, name: str = STACK) -> dict[str, Any]:
    """The stack, once nothing is being done to it."""
    return until(lambda: None if (stack := _stack(server, name))["StackStatus"].endswith("IN_PROGRESS") else stack)


def _names(server: Any) -> tuple[list[str], list[str]]:
    sagemaker = server.client("sagemaker")
    models = [entry["ModelName"] for entry in sagemaker.list_models()["Models"]]
    return models, [entry["EndpointConfigName"] for entry in sagemaker.list_endpoint_configs()["EndpointConfigs"]]


@pytest.fixture
def serving(new_server: Callable[..., Any]) -> Any:
    """A server whose stack serves version ``one``."""
    server = new_server()
    server.start()
    server.client("s3").create_bucket(Bucket=BUCKET)
    server.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=artifact())
    read = {"Action": "s3:*", "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}
    role = server.role("model", "sagemaker.amazonaws.com", read)
    # Saved about a second after the change; a kill before that would lose the role, which is not what is tried here.
    saved = server.state_dir / "services" / "iam.json"
    until(lambda: saved.exists() and BUCKET in saved.read_text())
    server.client("cloudformation").create_stack(
        StackName=STACK, TemplateBody=json.dumps(TEMPLATE), Parameters=_parameters(Version="one", Role=role)
    )
    assert _finished(server)["StackStatus"] == "CREATE_COMPLETE"
    return server


def _before_the_endpoint_is_up(server: Any, former: tuple[list[str], list[str]]) -> bool:
    endpoint = server.client("sagemaker").describe_endpoint(EndpointName=STACK)
    return endpoint["EndpointStatus"] == "Updating"


def _after_the_switch(server: Any, former: tuple[list[str], list[str]]) -> bool:
    endpoint = server.client("sagemaker").describe_endpoint(EndpointName=STACK)
    return endpoint["EndpointConfigName"] not in former[1]


def _during_the_cleanup(server: Any, former: tuple[list[str], list[str]]) -> bool:
    return not set(former[1]) & set(_names(server)[1])


@pytest.mark.parametrize(
    ("moment", "outcomes"),
    [
        (_before_the_endpoint_is_up, {"UPDATE_ROLLBACK_COMPLETE": "one"}),
        (_after_the_switch, {"UPDATE_ROLLBACK_COMPLETE": "one", "UPDATE_COMPLETE": "two"}),
        (_during_the_cleanup, {"UPDATE_COMPLETE": "two"}),
    ],
)
def test_a_killed_update_leaves_stack_and_endpoint_in_agreement(
    serving: Any, moment: Callable[..., bool], outcomes: dict[str, str]
) -> None:
    """Whenever SIGKILL hits: the endpoint answers as the stack says, nothing is left over, the next update works."""
    former = _names(serving)
    _update(serving, "two", _SLOW_START_SECONDS)
    until(lambda: moment(serving, former), pause=0.005)
    serving.stop(signal.SIGKILL)
    serving.start()
    stack = _finished(serving)
    assert stack["StackStatus"] in outcomes
    version = outcomes[stack["StackStatus"]]
    assert {"ParameterKey": "Version", "ParameterValue": version} in stack["Parameters"]
    assert _answer(serving) == version
    models, configs = _names(serving)
    assert (len(models), len(configs)) == (1, 1)
    endpoint = serving.client("sagemaker").describe_endpoint(EndpointName=STACK)
    assert endpoint["EndpointConfigName"] == configs[0]
    _update(serving, "three", 0)
    assert _finished(serving)["StackStatus"] == "UPDATE_COMPLETE"
    assert _answer(serving) == "three"
    assert tuple(map(len, _names(serving))) == (1, 1)


def test_an_update_that_a_stop_cuts_off_is_undone(serving: Any) -> None:
    """SIGTERM while a model takes longer than the stop waits: the champion serves again, nothing is left over."""
    _update(serving, "two", 20)
    until(lambda: _before_the_endpoint_is_up(serving, _names(serving)))
    serving.stop()
    serving.start()
    assert _finished(serving)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert _answer(serving) == "one"
    assert tuple(map(len, _names(serving))) == (1, 1)


def test_a_killed_creation_leaves_nothing_that_the_next_one_stumbles_over(serving: Any) -> None:
    """The stack that was being made ends as failed, can be deleted, and can be made again under the same names."""
    cloudformation = serving.client("cloudformation")
    role = serving.client("iam").get_role(RoleName="model")["Role"]["Arn"]
    template = json.dumps(TEMPLATE)
    parameters = _parameters(Version="one", Role=role, StartSeconds="2")
    cloudformation.create_stack(StackName="again", TemplateBody=template, Parameters=parameters)
    until(lambda: len(serving.client("sagemaker").list_endpoints()["Endpoints"]) == 2, pause=0.01)
    serving.stop(signal.SIGKILL)
    serving.start()
    cloudformation = serving.client("cloudformation")
    assert _finished(serving, "again")["StackStatus"] == "ROLLBACK_FAILED"
    assert len(serving.client("sagemaker").list_endpoints()["Endpoints"]) == 1
    cloudformation.delete_stack(StackName="again")
    until(lambda: tuple(map(len, _names(serving))) == (1, 1))
    cloudformation.create_stack(StackName="again", TemplateBody=template, Parameters=parameters)
    assert _finished(serving, "again")["StackStatus"] == "CREATE_COMPLETE"
    assert _answer(serving) == "one"


def test_an_update_of_a_busy_stack_is_refused_as_on_aws(serving: Any) -> None:
    """A second UpdateStack names the stack's ARN and state; the first goes on undisturbed."""
    _update(serving, "two", 1)
    with pytest.raises(ClientError) as refused:
        _update(serving, "three", 0)
    arn = _stack(serving)["StackId"]
    assert refused.value.response["Error"] == {
        "Type": "Sender",
        "Code": "ValidationError",
        "Message": f"Stack:{arn} is in UPDATE_IN_PROGRESS state and can not be updated.",
    }
    assert _finished(serving)["StackStatus"] == "UPDATE_COMPLETE"
    assert _answer(serving) == "two"


def test_an_execution_cut_off_by_a_kill_is_failed_with_the_reason(new_server: Callable[..., Any]) -> None:
    """An execution started right before SIGKILL is there afterwards: FAILED, in list and history as well."""
    server = new_server()
    server.start()
    states = server.client("stepfunctions")
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    role = server.role("waiting", "states.amazonaws.com")
    machine = states.create_state_machine(name="waiting", definition=json.dumps(definition), roleArn=role)
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    server.stop(signal.SIGKILL)
    server.start()
    states = server.client("stepfunctions")
    described = states.describe_execution(executionArn=execution)
    assert (described["status"], described["error"]) == ("FAILED", "LocalCloud.Stopped")
    assert "was stopped while the execution was running" in described["cause"]
    listed = states.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="FAILED")["executions"]
    assert [entry["executionArn"] for entry in listed] == [execution]
    last = states.get_execution_history(executionArn=execution)["events"][-1]
    assert last["type"] == "ExecutionFailed"
    assert last["executionFailedEventDetails"]["error"] == "LocalCloud.Stopped"
