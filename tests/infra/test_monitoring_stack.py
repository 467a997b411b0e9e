"""The monitoring stack: every metric by its right name, a section of the runbook for every alarm, few rights."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from distribution import features
from drift import handler as drift
from metric_references import Metric, Search, of_dashboard
from predict.problems import PROBLEM_TYPES

if TYPE_CHECKING:
    from conftest import Assemblies

ROOT = Path(__file__).resolve().parents[2]
NAMESPACES = {"AWS/ApiGateway", "AWS/Lambda", "AWS/SageMaker", "/aws/sagemaker/Endpoints", "AWS/States"}


def alarms(assemblies: Assemblies, env: str = "dev") -> dict[str, dict[str, Any]]:
    """Properties of each alarm by its name without the prefix."""
    found = assemblies.resources(env, "monitoring", "AWS::CloudWatch::Alarm")
    prefix = f"text-classifier-{env}-"
    return {alarm["Properties"]["AlarmName"].removeprefix(prefix): alarm["Properties"] for alarm in found}


def dashboard_body(assemblies: Assemblies, env: str = "dev") -> str:
    """The dashboard with references replaced by words."""
    (found,) = assemblies.resources(env, "monitoring", "AWS::CloudWatch::Dashboard")
    body = found["Properties"]["DashboardBody"]
    if isinstance(body, str):
        return body
    return "".join(part if isinstance(part, str) else str(next(iter(part.values()))) for part in body["Fn::Join"][1])


def test_the_stacks_and_the_functions_use_the_same_names(assemblies: Assemblies) -> None:
    """The stacks may not import the Lambdas' code; its names are repeated there, letter by letter."""
    version, label = features.VERSION_DIMENSION, features.LABEL_DIMENSION
    bins = {name for feature in features.FEATURES for name in feature.metrics}
    shown = [one for one in of_dashboard(dashboard_body(assemblies)) if one.namespace == "text-classifier-dev"]
    searches = {(one.service, one.wanted, one.dimensions - {"service"}) for one in shown if isinstance(one, Search)}
    assert searches == {
        ("predict", f'MetricName="{features.PREDICTIONS}"', frozenset({version, label})),
        *(("predict", f'MetricName="{name}"', frozenset({version})) for name in bins),
        ("predict", "Problem", frozenset()),
    }
    assert {(one.name, *one.dimensions) for one in shown if isinstance(one, Metric)} == {
        (name, ("service", "drift")) for name in (drift.DRIFT, *drift.METRICS.values(), drift.JUDGED)
    }
    assert alarms(assemblies)["drift"]["MetricName"] == drift.DRIFT
    assert alarms(assemblies)["throttles-endpoint"]["MetricName"] == f"Problem.{PROBLEM_TYPES['throttled'].code}"


def test_a_bin_is_named_by_its_edges() -> None:
    """The numbers in the names of the metrics are those that the function counts by."""
    for feature, scale in ((features.CONFIDENCE, 100), (features.LENGTH, 1)):
        edges = [str(round(edge * scale)) for edge in feature.edges]
        bounds = [re.findall(r"\d+", metric) for metric in feature.metrics]
        assert bounds == [[edges[0]], *map(list, itertools.pairwise(edges)), [edges[-1]]]


def test_every_alarm_leads_to_a_section_of_the_runbook(assemblies: Assemblies) -> None:
    """And no section is left without an alarm, the budget's excepted."""
    sections = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE))
    linked = {alarm["AlarmDescription"].split("docs/runbook.md#")[1] for alarm in alarms(assemblies).values()}
    assert linked == sections - {"budget"}


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_every_alarm_tells_the_topic_of_its_beginning_and_its_end(assemblies: Assemblies, env: str) -> None:
    """The topic by its name: the stack refers to no other."""
    for alarm in alarms(assemblies, env).values():
        assert len(alarm["AlarmActions"]) == 1 and alarm["AlarmActions"] == alarm["OKActions"]
        assert f":text-classifier-{env}-notifications" in json.dumps(alarm["AlarmActions"])


def test_no_data_is_good_news_except_for_drift(assemblies: Assemblies) -> None:
    """Without traffic nothing fails; a drift is over when traffic says so."""
    treated = {name: alarm["TreatMissingData"] for name, alarm in alarms(assemblies).items()}
    assert treated.pop("drift") == "ignore"
    assert set(treated.values()) == {"notBreaching"}


def test_few_requests_call_nobody(assemblies: Assemblies) -> None:
    """The share of errors counts from a number of requests on."""
    alarm = alarms(assemblies)["api-errors"]
    queries = {query["Id"]: query for query in alarm["Metrics"]}
    (expression,) = (query["Expression"] for query in queries.values() if "Expression" in query)
    assert expression == "IF(requests >= 20, 100 * errors / requests, 0)"
    assert alarm["Threshold"] == 5
    watched = {name: queries[name]["MetricStat"]["Metric"]["MetricName"] for name in ("requests", "errors")}
    assert watched == {"requests": "Count", "errors": "5XXError"}


@pytest.mark.parametrize(
    ("name", "metric", "threshold"),
    [
        ("api-latency", "Latency", 3000),
        ("throttles-lambda", "Throttles", 1),
        ("throttles-endpoint", "Problem.throttled", 1),
        ("endpoint-errors", "Invocation5XXErrors", 3),
        ("training-failed", "ExecutionsFailed", 1),
        ("release-timed-out", "ExecutionsTimedOut", 1),
        ("drift", "Drift", 0.2),
        ("drift-check-failed", "Errors", 1),
    ],
)
def test_alarms_watch_what_they_are_named_after(
    assemblies: Assemblies, name: str, metric: str, threshold: float
) -> None:
    """At the thresholds of the configuration."""
    alarm = alarms(assemblies, "prod")[name]
    assert (alarm["MetricName"], alarm["Threshold"]) == (metric, threshold)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_the_dashboard_shows_this_environment_only(assemblies: Assemblies) -> None:
    """Its own namespace and the services'; a hundred metrics would be no overview."""
    shown = set(of_dashboard(dashboard_body(assemblies)))
    assert {one.namespace for one in shown} == {*NAMESPACES, "text-classifier-dev"}
    assert 40 < len(shown) < 60


def test_the_dashboard_draws_the_limits(assemblies: Assemblies) -> None:
    """Thresholds of the alarms and the endpoint's concurrency are lines in the graphs."""
    widgets = json.loads(dashboard_body(assemblies))["widgets"]
    lines = {
        line["label"]: line["value"]
        for widget in widgets
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    }
    assert lines == {"5xx alarm": 5, "p99 alarm": 5000, "limit of the endpoint": 5, "alarm": 0.2}


def test_the_check_reads_and_writes_nothing_but_its_log(assemblies: Assemblies) -> None:
    """The serving stack, the group's packages, baselines and metrics; no model, no text, no PutMetricData."""
    template = assemblies.template("dev", "monitoring")
    statements = [
        statement
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]
    actions = {
        action
        for statement in statements
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    assert actions == {
        "cloudformation:DescribeStacks",
        "sagemaker:DescribeModelPackage",
        "cloudwatch:GetMetricData",
        "s3:GetObject",
        "s3:ListBucket",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    (objects,) = (statement["Resource"] for statement in statements if statement["Action"] == "s3:GetObject")
    assert objects["Fn::Join"][1][-1] == "/training/*/evaluation/*/baseline.json"


@pytest.mark.parametrize(("env", "rate"), [("local", "rate(1 minute)"), ("dev", "rate(15 minutes)")])
def test_the_check_is_scheduled_as_configured(assemblies: Assemblies, env: str, rate: str) -> None:
    """A lost look is not repeated: the next one sees the same."""
    (rule,) = assemblies.resources(env, "monitoring", "AWS::Events::Rule")
    assert rule["Properties"]["ScheduleExpression"] == rate
    assert rule["Properties"]["Targets"][0]["RetryPolicy"] == {"MaximumRetryAttempts": 0}


def test_the_budget_tells_before_and_at_its_limit(assemblies: Assemblies) -> None:
    """A monthly limit of the whole account, from the configuration."""
    (budget,) = assemblies.resources("prod", "monitoring", "AWS::Budgets::Budget")
    limit = budget["Properties"]["Budget"]
    assert (limit["BudgetLimit"], limit["TimeUnit"]) == ({"Amount": 200, "Unit": "USD"}, "MONTHLY")
    assert "CostFilters" not in limit
    told = [
        (entry["Notification"]["NotificationType"], entry["Notification"]["Threshold"])
        for entry in budget["Properties"]["NotificationsWithSubscribers"]
    ]
    assert told == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]


@pytest.mark.parametrize(
    ("service", "source"), [("cloudwatch", "alarm:text-classifier-dev-*"), ("budgets", "budget/text-classifier-dev-*")]
)
def test_alarms_and_budget_may_publish_to_the_topic(assemblies: Assemblies, service: str, source: str) -> None:
    """Those of this account and environment: the policy that enforces TLS leaves nothing of SNS's default."""
    (policy,) = assemblies.resources("dev", "training", "AWS::SNS::TopicPolicy")
    (statement,) = (
        entry
        for entry in policy["Properties"]["PolicyDocument"]["Statement"]
        if entry.get("Principal") == {"Service": f"{service}.amazonaws.com"}
    )
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sns:Publish")
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1][-1].endswith(source)
