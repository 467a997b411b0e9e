"""State machines in the local cloud: what the workflows of this project are made of, with the rights of their roles."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from waiting import until_ended

pytestmark = pytest.mark.integration

ACCOUNT = "000000000000"
REGION = "us-east-1"
STATES = "arn:aws:states:::"
_FUNCTION = """
class Refused(Exception):
    pass

def handler(event, context):
    if event["who"] == "nobody":
        raise Refused("nobody is asked")
    return {"asked": event["who"]}
"""
_OLDEST = """{% $sort($states.result.Executions, function($a, $b) {
    $a.StartDate > $b.StartDate or ($a.StartDate = $b.StartDate and $a.ExecutionArn > $b.ExecutionArn)
})[0].ExecutionArn %}"""
_UPDATE = {
    "StackName": "{% $states.context.Execution.Input.stack %}",
    "UsePreviousTemplate": True,
    "RoleARN": "{% $states.context.Execution.Input.role %}",
    "Parameters": [{"ParameterKey": "Value", "ParameterValue": "{% $states.context.Execution.Name %}"}],
}
_ITEM = {
    "Create": {
        "Type": "Task",
        "Resource": f"{STATES}aws-sdk:sagemaker:createModel",
        "Arguments": {
            "ModelName": "{% $states.input.name %}",
            "ExecutionRoleArn": "{% $states.input.role %}",
            "PrimaryContainer": {"Image": "tiny-serving:1", "ModelDataUrl": "s3://any/model.tar.gz"},
        },
        "Assign": {"made": "{% $states.input.name %}"},
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Output": {"who": "{% $states.input.name %}", "error": "{% $states.errorOutput.Error %}"},
                "Next": "Failed",
            }
        ],
        "Next": "Delete",
    },
    "Delete": {
        "Type": "Task",
        "Resource": f"{STATES}aws-sdk:sagemaker:deleteModel",
        "Arguments": {"ModelName": "{% $made %}"},
        "Output": {"who": "{% $made %}", "error": None},
        "End": True,
    },
    "Failed": {"Type": "Pass", "End": True},
}
DEFINITION = {
    "QueryLanguage": "JSONata",
    "StartAt": "List",
    "TimeoutSeconds": 60,
    "States": {
        "List": {
            "Type": "Task",
            "Resource": f"{STATES}aws-sdk:sfn:listExecutions",
            "Arguments": {"StateMachineArn": "{% $states.context.StateMachine.Id %}", "StatusFilter": "RUNNING"},
            "Assign": {"oldest": _OLDEST},
            "Output": "{% $states.input %}",
            "Next": "My turn",
        },
        "My turn": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $oldest = $states.context.Execution.Id %}", "Next": "Each"}],
            "Default": "Wait",
        },
        "Wait": {"Type": "Wait", "Seconds": "{% $states.context.Execution.Input.pause %}", "Next": "List"},
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input.models %}",
            "ItemSelector": {
                "name": "{% $states.context.Map.Item.Value %}",
                "role": "{% $states.input.model_role %}",
            },
            "MaxConcurrency": 1,
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "Create", "States": _ITEM},
            "Assign": {"scores": "{% $states.result %}"},
            "Next": "Update",
        },
        "Update": {
            "Type": "Task",
            "Resource": f"{STATES}aws-sdk:cloudformation:updateStack",
            "Arguments": _UPDATE,
            "Next": "Poll",
        },
        "Poll": {
            "Type": "Task",
            "Resource": f"{STATES}aws-sdk:cloudformation:describeStacks",
            "Arguments": {"StackName": "{% $states.context.Execution.Input.stack %}"},
            "Assign": {"status": "{% $states.result.Stacks[0].StackStatus %}"},
            "Next": "Settled",
        },
        "Settled": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $contains($status, 'IN_PROGRESS') %}", "Next": "Pause"}],
            "Default": "Events",
        },
        "Pause": {"Type": "Wait", "Seconds": 1, "Next": "Poll"},
        "Events": {
            "Type": "Task",
            "Resource": f"{STATES}aws-sdk:cloudformation:describeStackEvents",
            "Arguments": {"StackName": "{% $states.context.Execution.Input.stack %}"},
            "Assign": {"newest": "{% $states.result.StackEvents[0].ResourceStatus %}"},
            "Next": "Ask",
        },
        "Ask": {
            "Type": "Task",
            "Resource": f"{STATES}lambda:invoke",
            "Arguments": {"FunctionName": "asked", "Payload": {"who": "{% $states.context.Execution.Input.who %}"}},
            "Assign": {"answer": "{% $states.result.Payload.asked %}"},
            "Catch": [
                {
                    "ErrorEquals": ["Refused"],
                    "Assign": {"problem": "{% $parse($states.errorOutput.Cause).errorMessage %}"},
                    "Next": "Give up",
                }
            ],
            "Next": "Tell",
        },
        "Tell": {
            "Type": "Task",
            "Resource": f"{STATES}sns:publish",
            "Arguments": {"TopicArn": "{% $states.context.Execution.Input.topic %}", "Message": "{% $answer %}"},
            "Next": "Done",
        },
        "Done": {
            "Type": "Succeed",
            "Output": {
                "scores": "{% $scores %}",
                "status": "{% $status %}",
                "newest": "{% $newest %}",
                "answer": "{% $answer %}",
            },
        },
        "Give up": {"Type": "Fail", "Error": "GaveUp", "Cause": "{% 'Because ' & $problem %}"},
    },
}
_PARAMETER = {
    "Parameters": {"Value": {"Type": "String", "Default": "none"}},
    "Resources": {
        "P": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/workflows/value", "Type": "String", "Value": {"Ref": "Value"}},
        }
    },
}


def _start(server: Any, machine: str, **execution_input: Any) -> str:
    states = server.client("stepfunctions")
    return states.start_execution(stateMachineArn=machine, input=json.dumps(execution_input))["executionArn"]


@pytest.fixture(scope="module")
def world(server: Any) -> dict[str, Any]:
    """A stack to update, a function, a topic, roles; the input of an execution that succeeds."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("index.py", _FUNCTION)
    server.client("lambda").create_function(
        FunctionName="asked",
        Runtime="python3.12",
        Role=server.role("asked", "lambda.amazonaws.com"),
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    server.deploy("updated", _PARAMETER)
    ssm = {"Action": "ssm:*", "Resource": "*"}
    return {
        "stack": "updated",
        "role": server.role("updater", "cloudformation.amazonaws.com", ssm),
        "model_role": server.role("modelled", "sagemaker.amazonaws.com"),
        "topic": server.client("sns").create_topic(Name="told")["TopicArn"],
        "models": ["alpha", "beta"],
        "pause": 1,
        "who": "somebody",
    }


def _rights(world: dict[str, Any], machine: str = "*") -> list[dict[str, Any]]:
    """What the role of DEFINITION needs, one right a statement."""
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{world['stack']}/*"
    updating = {"StringEquals": {"cloudformation:RoleArn": world["role"]}}
    to_cloudformation = {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}
    models = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/*"
    return [
        {"Action": "states:ListExecutions", "Resource": machine},
        {"Action": ["sagemaker:CreateModel", "sagemaker:DeleteModel"], "Resource": models},
        {"Action": "iam:PassRole", "Resource": world["model_role"]},
        {"Action": "cloudformation:UpdateStack", "Resource": stack, "Condition": updating},
        {"Action": "iam:PassRole", "Resource": world["role"], "Condition": to_cloudformation},
        {"Action": ["cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"], "Resource": stack},
        {"Action": "lambda:InvokeFunction", "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:asked"},
        {"Action": "sns:Publish", "Resource": world["topic"]},
    ]


def test_a_workflow_runs_with_its_role_and_waits_for_its_turn(server: Any, world: dict[str, Any]) -> None:
    """Two executions at once go one after the other, oldest first; each ends with the output of its Succeed state."""
    role = server.role("workflow", "states.amazonaws.com", *_rights(world))
    machine = server.state_machine("workflow", role, DEFINITION)
    executions = [_start(server, machine, **world) for _ in range(2)]
    ended = [until_ended(server.client("stepfunctions"), execution) for execution in executions]
    for description in ended:
        assert description["status"] == "SUCCEEDED", description.get("cause")
        assert json.loads(description["output"]) == {
            "scores": [{"who": "alpha", "error": None}, {"who": "beta", "error": None}],
            "status": "UPDATE_COMPLETE",
            "newest": "UPDATE_COMPLETE",
            "answer": "somebody",
        }
    assert ended[0]["stopDate"] <= ended[1]["stopDate"]
    value = server.client("ssm").get_parameter(Name="/workflows/value")["Parameter"]["Value"]
    assert value == executions[1].rpartition(":")[2]
    assert server.client("sagemaker").list_models()["Models"] == []


def test_an_item_of_a_map_catches_what_its_role_may_not(server: Any, world: dict[str, Any]) -> None:
    """The threads of a Map have the execution's rights and no others: the item's Catch names the denial."""
    rights = [right for right in _rights(world) if right["Resource"] != world["model_role"]]
    machine = server.state_machine("narrow", server.role("narrow", "states.amazonaws.com", *rights), DEFINITION)
    output = json.loads(until_ended(server.client("stepfunctions"), _start(server, machine, **world))["output"])
    assert [entry["who"] for entry in output["scores"]] == ["alpha", "beta"]
    assert all(entry["error"].startswith("SageMaker.") for entry in output["scores"])


@pytest.mark.parametrize(
    ("dropped", "named"), [(3, "cloudformation:UpdateStack"), (4, "iam:PassRole"), (7, "sns:Publish")]
)
def test_a_missing_right_fails_the_workflow_by_name(
    server: Any, world: dict[str, Any], dropped: int, named: str
) -> None:
    """Updating a stack with a service role, passing that role, and publishing are rights of their own."""
    rights = _rights(world)
    del rights[dropped]
    machine = server.state_machine(
        f"without-{dropped}", server.role(f"without-{dropped}", "states.amazonaws.com", *rights), DEFINITION
    )
    ended = until_ended(server.client("stepfunctions"), _start(server, machine, **{**world, "models": []}))
    assert ended["status"] == "FAILED"
    assert named in ended["cause"]


def test_a_fail_state_says_why(server: Any, world: dict[str, Any]) -> None:
    """Error and Cause of a Fail state may be JSONata, with what a Catch of a Lambda's exception assigned."""
    machine = server.state_machine("fails", server.role("fails", "states.amazonaws.com", *_rights(world)), DEFINITION)
    ended = until_ended(
        server.client("stepfunctions"), _start(server, machine, **{**world, "models": [], "who": "nobody"})
    )
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "GaveUp", "Because nobody is asked")


def test_a_stopped_execution_stays_aborted(server: Any, world: dict[str, Any]) -> None:
    """What its task does afterwards neither changes the status nor runs another state.

    An execution that starts after the stop takes as long; when it has ended, the stopped one would have gone on too.
    """
    machine = server.state_machine(
        "stopped",
        server.role("stopped", "states.amazonaws.com", *_rights(world)),
        {
            "StartAt": "W",
            "States": {
                "W": {"Type": "Wait", "Seconds": 1, "Next": "T"},
                "T": {
                    "Type": "Task",
                    "Resource": f"{STATES}sns:publish",
                    "End": True,
                    "Parameters": {"TopicArn": world["topic"], "Message": "never"},
                },
            },
        },
    )
    execution = _start(server, machine)
    server.client("stepfunctions").stop_execution(executionArn=execution, error="Enough", cause="by hand")
    assert until_ended(server.client("stepfunctions"), _start(server, machine))["status"] == "SUCCEEDED"
    description = server.client("stepfunctions").describe_execution(executionArn=execution)
    assert (description["status"], description["error"]) == ("ABORTED", "Enough")
    history = server.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    assert "T" not in [event.get("stateEnteredEventDetails", {}).get("name") for event in history]


def test_the_time_limit_of_a_state_machine_ends_its_executions(server: Any) -> None:
    """``TimeoutSeconds`` of the definition: the execution is TIMED_OUT."""
    waiting = {"StartAt": "W", "TimeoutSeconds": 1, "States": {"W": {"Type": "Wait", "Seconds": 3, "End": True}}}
    machine = server.state_machine("limited", server.role("limited", "states.amazonaws.com"), waiting)
    assert until_ended(server.client("stepfunctions"), _start(server, machine))["status"] == "TIMED_OUT"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{not json", "InvalidExecutionInput", "Invalid State Machine Execution Input"),
        (json.dumps("ü" * 131_072, ensure_ascii=False), "ValidationException", "less than or equal to 262144"),
    ],
)
def test_an_input_that_cannot_be_is_refused_at_the_start(server: Any, text: str, code: str, message: str) -> None:
    """Broken JSON and more than 262,144 bytes of UTF-8 never become an execution."""
    machine = server.state_machine("inputs", server.role(f"inputs-{code}", "states.amazonaws.com"))
    with pytest.raises(ClientError, match=message) as refused:
        server.client("stepfunctions").start_execution(stateMachineArn=machine, input=text)
    assert refused.value.response["Error"]["Code"] == code
    assert server.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"] == []


def test_a_result_over_the_quota_fails_the_execution(server: Any) -> None:
    """States.DataLimitExceeded, which States.ALL does not catch."""
    doubling = "{% $join([$states.input.text, $states.input.text]) %}"
    machine = server.state_machine(
        "doubling",
        server.role("doubling", "states.amazonaws.com"),
        {
            "QueryLanguage": "JSONata",
            "StartAt": "Double",
            "States": {"Double": {"Type": "Pass", "Output": {"text": doubling}, "End": True}},
        },
    )
    ended = until_ended(server.client("stepfunctions"), _start(server, machine, text="x" * 140_000))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
