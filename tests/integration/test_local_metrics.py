"""Metrics of the local cloud's own services, and the alarms, dashboards and budgets of a template."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError

pytestmark = pytest.mark.integration

NAMESPACE = "Shop"
HANDLER = """
import json

def handler(event, context):
    metrics = [{"Name": "Sales", "Unit": "Count"}]
    directive = {"Namespace": "Shop", "Dimensions": [["counter"]], "Metrics": metrics}
    print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "counter": "north", "Sales": [2, 3]}))
    if event.get("fail"):
        raise ValueError("as asked")
"""


def share(bad: str) -> list[dict[str, Any]]:
    """Queries of an alarm on the share of bad sales; numbers as strings, as templates may have them."""

    def measured(name: str, metric: str, counter: str) -> dict[str, Any]:
        dimensions = [{"Name": "counter", "Value": counter}]
        metric_of = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
        return {"Id": name, "ReturnData": False, "MetricStat": {"Metric": metric_of, "Period": "60", "Stat": "Sum"}}

    return [
        {"Id": "share", "Expression": f"IF(all >= 10, 100 * {bad} / all, 0)"},
        measured("all", "Sales", "south"),
        measured("bad", "Returns", "south"),
    ]


def template(**changes: Any) -> str:
    """An alarm on metric math, an ordinary one on one dimension, a dashboard, a budget."""
    ordinary = {
        "AlarmName": "few",
        "Namespace": NAMESPACE,
        "MetricName": "Sales",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 100,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Dimensions": [{"Name": "counter", "Value": "south"}],
        "TreatMissingData": "notBreaching",
    }
    mathematical = {
        "AlarmName": "returns",
        "Metrics": share("bad"),
        "EvaluationPeriods": 1,
        "Threshold": 50,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
        **changes,
    }
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80}
    subscriber = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:000000000000:t"}
    limit = {
        "BudgetName": "shop",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": 60 if changes else 50, "Unit": "USD"},
    }
    told = [{"Notification": notification, "Subscribers": [subscriber]}]
    budget = {"Budget": limit, "NotificationsWithSubscribers": told}
    board = {"DashboardName": "shop", "DashboardBody": '{"widgets": []}'}
    resources = {
        "Few": ("CloudWatch::Alarm", ordinary),
        "Returns": ("CloudWatch::Alarm", mathematical),
        "Board": ("CloudWatch::Dashboard", board),
        "Budget": ("Budgets::Budget", budget),
    }
    return json.dumps(
        {
            "Resources": {
                name: {"Type": f"AWS::{kind}", "Properties": properties}
                for name, (kind, properties) in resources.items()
            }
        }
    )


def until(look: Callable[[], Any], wanted: Any, seconds: float = 60) -> None:
    """Wait until something looks as it should."""
    deadline = time.monotonic() + seconds
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"still {seen}, not {wanted}"
        time.sleep(0.3)


def total(server: Any, namespace: str, metric: str, **dimensions: str) -> float:
    """Sum of a metric over the last minutes."""
    found = server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Statistics=["Sum"],
        Period=60,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
    )
    return sum(point["Sum"] for point in found["Datapoints"])


def state(server: Any, alarm: str) -> str:
    (found,) = server.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return found["StateValue"]


def sell(server: Any, **values: float) -> None:
    """Publish metrics of the southern counter."""
    dimensions = [{"Name": "counter", "Value": "south"}]
    server.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[{"MetricName": name, "Value": value, "Dimensions": dimensions} for name, value in values.items()],
    )


@pytest.fixture(scope="module")
def function(server: Any) -> str:
    """A function that writes metrics into its log."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("shop.py", HANDLER)
    server.client("lambda").create_function(
        FunctionName="shop",
        Runtime="python3.12",
        Handler="shop.handler",
        Code={"ZipFile": archive.getvalue()},
        Role=server.role("shop", "lambda.amazonaws.com"),
    )
    return "shop"


def test_invocations_and_what_a_function_logs_become_metrics(server: Any, function: str) -> None:
    """Once each, crashes too; the metrics in its log with the dimensions that it gave them."""
    for event in ({}, {"fail": True}):
        server.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    until(lambda: total(server, "Shop", "Sales", counter="north"), 10.0)
    assert [
        total(server, "AWS/Lambda", metric, FunctionName=function) for metric in ("Invocations", "Errors", "Throttles")
    ] == [2.0, 1.0, 0.0]
    assert total(server, "AWS/Lambda", "Duration", FunctionName=function) > 0


def test_a_throttled_invocation_is_counted(server: Any, function: str) -> None:
    """Without concurrency of its own left, the function is not run."""
    functions = server.client("lambda")
    functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException) as caught:
        functions.invoke(FunctionName=function)
    functions.delete_function_concurrency(FunctionName=function)
    attempts = 1 + caught.value.response["ResponseMetadata"]["RetryAttempts"]
    assert total(server, "AWS/Lambda", "Throttles", FunctionName=function) == attempts


def test_executions_become_metrics(server: Any) -> None:
    """Started, succeeded, failed, timed out: each under its machine."""
    workflows = server.client("stepfunctions")
    ends = {
        "ExecutionsSucceeded": {"Type": "Pass", "End": True},
        "ExecutionsFailed": {"Type": "Fail"},
        "ExecutionsTimedOut": {"Type": "Wait", "Seconds": 3, "End": True},
    }
    for metric, last in ends.items():
        definition = {"StartAt": "S", "TimeoutSeconds": 1, "States": {"S": last}}
        machine = workflows.create_state_machine(
            name=metric, definition=json.dumps(definition), roleArn=server.role(metric, "states.amazonaws.com")
        )["stateMachineArn"]
        workflows.start_execution(stateMachineArn=machine)
        until(lambda m=metric, a=machine: total(server, "AWS/States", m, StateMachineArn=a), 1.0)
        assert total(server, "AWS/States", "ExecutionsStarted", StateMachineArn=machine) == 1.0


def test_alarms_of_a_template_look_at_their_metrics(server: Any) -> None:
    """Metric math, dimensions, missing data and time: raised, and over by itself; then all of it is gone."""
    stacks = server.client("cloudformation")
    stacks.create_stack(StackName="shop", TemplateBody=template())
    stacks.get_waiter("stack_create_complete").wait(StackName="shop", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    until(lambda: state(server, "few"), "OK")
    assert state(server, "returns") == "INSUFFICIENT_DATA"  # 'ignore' keeps what an alarm is born with

    sell(server, Sales=9, Returns=9)
    until(lambda: state(server, "returns"), "OK")  # fewer than ten
    sell(server, Sales=9, Returns=9)
    until(lambda: state(server, "returns"), "ALARM")
    sell(server, Sales=40)
    until(lambda: state(server, "returns"), "OK")  # 18 of 58
    assert state(server, "few") == "OK"  # the sales of the other counter are not its own

    stacks.update_stack(StackName="shop", TemplateBody=template(Threshold=20))
    until(lambda: state(server, "returns"), "ALARM")
    stacks.delete_stack(StackName="shop")
    stacks.get_waiter("stack_delete_complete").wait(StackName="shop", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    cloudwatch = server.client("cloudwatch")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == cloudwatch.list_dashboards()["DashboardEntries"] == []


def test_math_that_this_cloud_does_not_know_fails_the_stack(server: Any) -> None:
    """By its name, instead of an alarm that never calls."""
    stacks = server.client("cloudformation")
    metrics = [
        {**query, "Expression": "ANOMALY_DETECTION_BAND(all)"} if "Expression" in query else query
        for query in share("bad")
    ]
    stacks.create_stack(StackName="odd", TemplateBody=template(Metrics=metrics), OnFailure="ROLLBACK")
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(StackName="odd", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    reasons = [
        event.get("ResourceStatusReason", "") for event in stacks.describe_stack_events(StackName="odd")["StackEvents"]
    ]
    assert any("ANOMALY_DETECTION_BAND" in reason and "the local cloud knows" in reason for reason in reasons)
