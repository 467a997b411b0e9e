"""What the local cloud lets through: reserved concurrency of a function, throttle and quota of a key."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration

SLOW = "import time\ndef handler(event, _):\n    time.sleep(2)\n    return {'statusCode': 200, 'body': '{}'}\n"
QUICK = "def handler(event, _):\n    return {'statusCode': 200, 'body': '{}'}\n"
BELOW_MINIMUM = r"UnreservedConcurrentExecution below its minimum value of \[100\]"


def template(role: str, *, code: str, reserved: int | None = None, **plan: Any) -> str:
    """An API with a function behind it, and a key whose plan has these limits."""
    gateway, api = "AWS::ApiGateway::", {"Ref": "Api"}
    target = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    function = {"Runtime": "python3.12", "Handler": "index.handler", "Role": role, "Code": {"ZipFile": code}}
    if reserved is not None:
        function["ReservedConcurrentExecutions"] = reserved  # type: ignore[assignment]
    method = {
        "RestApiId": api,
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "POST",
        "AuthorizationType": "NONE",
        "ApiKeyRequired": True,
        "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": target}},
    }
    allowed = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "Function"},
        "Principal": "apigateway.amazonaws.com",
    }
    stages = [{"ApiId": api, "Stage": "live"}]
    resources = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": allowed},
        "Api": {"Type": f"{gateway}RestApi", "Properties": {"Name": "limits"}},
        "Method": {"Type": f"{gateway}Method", "Properties": method},
        "Deployment": {
            "Type": f"{gateway}Deployment",
            "DependsOn": ["Method"],
            "Properties": {"RestApiId": api, "StageName": "live"},
        },
        "Key": {"Type": f"{gateway}ApiKey", "Properties": {"Enabled": True}},
        "Plan": {
            "Type": f"{gateway}UsagePlan",
            "DependsOn": ["Deployment"],
            "Properties": {"ApiStages": stages, **plan},
        },
        "PlanKey": {
            "Type": f"{gateway}UsagePlanKey",
            "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        },
    }
    outputs = {"Api": {"Value": api}, "Key": {"Value": {"Ref": "Key"}}, "Function": {"Value": {"Ref": "Function"}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


@pytest.fixture(scope="module")
def role(server: Any) -> str:
    """A role for the functions."""
    arn: str = server.role("limits", "lambda.amazonaws.com")
    return arn


def created(server: Any, name: str, body: str) -> dict[str, str]:
    """Create a stack; its outputs, with the key's value."""
    server.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    assert server.settled(name) == "CREATE_COMPLETE"
    stack = server.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    key = server.client("apigateway").get_api_key(apiKey=outputs["Key"], includeValue=True)
    return {**outputs, "Value": key["value"]}


def statuses(server: Any, outputs: dict[str, str], count: int) -> list[int]:
    """The statuses of so many requests at once with the key."""
    url = f"{server.url}/restapis/{outputs['Api']}/live/_user_request_/"

    def status(_: int) -> int:
        request = urllib.request.Request(
            url, b"{}", {"content-type": "application/json", "x-api-key": outputs["Value"]}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(status, range(count)))


def test_a_function_runs_no_more_often_at_once_than_is_reserved(server: Any, role: str) -> None:
    """Of three calls at once two run; the third is refused by Lambda, which API Gateway answers with 500."""
    outputs = created(server, "reserved", template(role, code=SLOW, reserved=2))
    assert statuses(server, outputs, 3) == [200, 200, 500]
    functions = server.client("lambda")
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(functions.invoke, FunctionName=outputs["Function"]) for _ in range(3)]
    refused = [call.exception() for call in calls if call.exception()]
    assert [type(error) for error in refused] == [functions.exceptions.TooManyRequestsException]


def test_a_reservation_leaves_a_hundred_executions_to_the_others(server: Any, role: str) -> None:
    """As on AWS, 901 of 1,000 are refused, in a template and in a call, and nothing changes."""
    outputs = created(server, "greedy", template(role, code=QUICK, reserved=5))
    functions, stacks = server.client("lambda"), server.client("cloudformation")
    with pytest.raises(ClientError, match=BELOW_MINIMUM):
        functions.put_function_concurrency(FunctionName=outputs["Function"], ReservedConcurrentExecutions=901)
    stacks.update_stack(StackName="greedy", TemplateBody=template(role, code=QUICK, reserved=901))
    assert server.settled("greedy") == "UPDATE_ROLLBACK_COMPLETE"
    events = stacks.describe_stack_events(StackName="greedy")["StackEvents"]
    assert any("minimum value of [100]" in event.get("ResourceStatusReason", "") for event in events)
    assert functions.get_function_concurrency(FunctionName=outputs["Function"])["ReservedConcurrentExecutions"] == 5
    stacks.update_stack(StackName="greedy", TemplateBody=template(role, code=QUICK))
    assert server.settled("greedy") == "UPDATE_COMPLETE"
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=outputs["Function"])


def test_a_key_is_throttled_and_has_a_daily_quota(server: Any, role: str) -> None:
    """A burst over a key's throttle is refused; so is everything once the day's requests are used up."""
    throttle = {"RateLimit": 0.1, "BurstLimit": 3}
    outputs = created(server, "throttled", template(role, code=QUICK, Throttle=throttle))
    assert statuses(server, outputs, 10) == [200] * 3 + [429] * 7
    outputs = created(server, "quota", template(role, code=QUICK, Quota={"Limit": 4, "Period": "DAY"}))
    assert [statuses(server, outputs, 1)[0] for _ in range(6)] == [200] * 4 + [429] * 2
