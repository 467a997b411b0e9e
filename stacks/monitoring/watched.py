"""What operators watch: the alarms and the dashboard of `monitoring.yaml`, filled in for an environment."""

from pathlib import Path
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.api.predict_function import MEMORY_MB
from stacks.api.rest_api import STAGE
from stacks.common.filled_document import filled
from stacks.common.names import Names
from stacks.config.environment import MonitoringConfig
from stacks.config.serving import ServingConfig
from stacks.serving.variant import VARIANT

DOCUMENT = Path(__file__).with_name("monitoring.yaml")

_USD_PER_LAMBDA_GB_SECOND = 0.0000166667  # us-east-1, x86_64: aws.amazon.com/lambda/pricing


def watched(names: Names, settings: MonitoringConfig, serving: ServingConfig) -> dict[str, Any]:
    """Return the document with the names, limits and prices of an environment."""
    values = {
        "prefix": names.prefix,
        "stage": STAGE,
        "endpoint": names.endpoint,
        "variant": VARIANT,
        "training": names.state_machine_arn(names.training),
        "release": names.state_machine_arn(names.release),
        "percent": f"{settings.error_percent:g}",
        # A microsecond of the endpoint, a millisecond of the function.
        "endpoint_usd": f"{serving.memory_mb / 1024 * settings.usd_per_gb_second / 1_000_000:.18f}",
        "predict_usd": f"{MEMORY_MB / 1024 * _USD_PER_LAMBDA_GB_SECOND / 1000:.18f}",
    }
    return filled(DOCUMENT, vars(settings) | vars(serving), values)


def create_alarms(
    scope: Construct, rules: list[dict[str, Any]], *, prefix: str, runbook: str, topic: sns.ITopic
) -> list[cloudwatch.Alarm]:
    """Create all alarms of an environment; each notifies the topic when it is raised and when it is over."""
    action = actions.SnsAction(topic)
    alarms = []
    for rule in rules:
        name = rule["name"]
        alarm = cloudwatch.Alarm(
            scope,
            name.title().replace("-", ""),
            alarm_name=f"{prefix}-{name}",
            alarm_description=f"{rule['says']} What to do: {runbook}#{rule.get('section', name)}",
            metric=_metric(rule["metric"]),
            threshold=rule.get("threshold", 1),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=rule.get("periods", 1),
            treat_missing_data=cloudwatch.TreatMissingData[rule.get("missing", "NOT_BREACHING")],
        )
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
        alarms.append(alarm)
    return alarms


def add_dashboard(
    scope: Construct, rows: list[list[dict[str, Any]]], *, name: str, alarms: list[cloudwatch.Alarm]
) -> None:
    """Create the dashboard: the alarms at the top, then rows of graphs."""
    states = cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=3)
    graphs = [[_graph(graph) for graph in row] for row in rows]
    cloudwatch.Dashboard(scope, "Dashboard", dashboard_name=name, widgets=[[states], *graphs])


def _graph(graph: dict[str, Any]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=graph["title"],
        left=[_metric(one) for one in graph["left"]],
        right=[_metric(one) for one in graph.get("right", ())],
        left_annotations=[cloudwatch.HorizontalAnnotation(**graph["line"])] if "line" in graph else None,
        left_y_axis=cloudwatch.YAxisProps(label=graph["axis"], min=0, max=graph.get("max"), show_units=False),
        right_y_axis=cloudwatch.YAxisProps(label=graph["right_axis"], min=0, show_units=False)
        if "right_axis" in graph
        else None,
        stacked=graph.get("stacked"),
        width=8,  # of the page's 24 columns
        height=6,
    )


def _metric(members: dict[str, Any]) -> cloudwatch.IMetric:
    minutes, used = members.pop("minutes", 5), members.pop("using_metrics", {})
    members["period"] = Duration.minutes(minutes)
    if "expression" not in members:
        return cloudwatch.Metric(**members)
    return cloudwatch.MathExpression(using_metrics={name: _metric(one) for name, one in used.items()}, **members)
