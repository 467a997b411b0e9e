"""The alarms; a section of the runbook explains each of them."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.common import metric_names as names
from stacks.config.environment import MonitoringConfig
from stacks.monitoring.emitted_metrics import PERIOD, EmittedMetrics

_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
"""Without requests nothing fails: no data counts as good."""
_UNTIL_PROVEN = cloudwatch.TreatMissingData.IGNORE
"""Without data the alarm keeps its state."""


@dataclass(frozen=True)
class _Rule:
    """One alarm: what has happened, the last part of its name, and the lowest value that raises it.

    `section` is the anchor of the runbook's section, where it differs from the name.
    """

    says: str
    name: str
    metric: cloudwatch.IMetric
    bound: float = 1
    periods: int = 1
    missing: cloudwatch.TreatMissingData = _QUIET
    section: str = ""


def create_alarms(
    scope: Construct, *, metrics: EmittedMetrics, settings: MonitoringConfig, topic: sns.ITopic
) -> list[cloudwatch.Alarm]:
    """Create all alarms of an environment; each notifies the topic when it is raised and when it is over."""
    rules = (*_api_rules(metrics, settings), *_workflow_rules(metrics), *_drift_rules(metrics, settings))
    action = actions.SnsAction(topic)
    alarms = []
    for rule in rules:
        alarm = cloudwatch.Alarm(
            scope,
            rule.name.title().replace("-", ""),
            alarm_name=f"{metrics.names.prefix}-{rule.name}",
            alarm_description=f"{rule.says} What to do: {settings.runbook_url}#{rule.section or rule.name}",
            metric=rule.metric,
            threshold=rule.bound,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=rule.periods,
            treat_missing_data=rule.missing,
        )
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)
        alarms.append(alarm)
    return alarms


def _api_rules(metrics: EmittedMetrics, settings: MonitoringConfig) -> tuple[_Rule, ...]:
    errors = cloudwatch.MathExpression(
        expression=f"IF(requests >= {settings.error_min_requests}, 100 * errors / requests, 0)",
        using_metrics={"requests": metrics.api("Count", "Sum"), "errors": metrics.api("5XXError", "Sum")},
        period=PERIOD,
        label="answers with 5xx, per cent",
    )
    percent, latency = settings.error_percent, settings.p99_ms
    return (
        _Rule(f"{percent:g} % or more of the requests were answered with 5xx.", "api-errors", errors, bound=percent),
        _Rule(
            f"The slowest hundredth of the requests took {latency} ms or more.",
            "api-latency",
            metrics.api("Latency", "p99"),
            bound=latency,
            periods=3,
        ),
        _Rule(
            "Lambda refused to run the predict function.",
            "throttles-lambda",
            metrics.function("predict", "Throttles", "Sum"),
            section="throttles",
        ),
        _Rule(
            "Requests found the endpoint at its concurrency limit, retries included.",
            "throttles-endpoint",
            metrics.own(names.PREDICT_SERVICE, names.THROTTLED, "Sum"),
            section="throttles",
        ),
        _Rule(
            "The model failed on requests, or its container does not answer.",
            "endpoint-errors",
            metrics.endpoint("Invocation5XXErrors", "Sum"),
            bound=3,
        ),
    )


def _workflow_rules(metrics: EmittedMetrics) -> tuple[_Rule, ...]:
    # One alarm per metric: a sum of two has no value while one of them has never been emitted.
    return tuple(
        _Rule(
            f"An execution of the {machine} workflow {said}.",
            f"{machine}-{how}",
            metrics.workflow(machine, metric, "Sum"),
            section=f"{machine}-failed",
        )
        for machine in ("training", "release")
        for how, metric, said in (
            ("failed", "ExecutionsFailed", "failed"),
            ("timed-out", "ExecutionsTimedOut", "took too long"),
        )
    )


def _drift_rules(metrics: EmittedMetrics, settings: MonitoringConfig) -> tuple[_Rule, ...]:
    period = Duration.minutes(settings.drift_minutes)
    return (
        _Rule(
            "The traffic no longer looks like the sentences that the model was judged on.",
            "drift",
            metrics.own(names.DRIFT_SERVICE, names.DRIFT, "Maximum", period=period),
            bound=settings.drift_threshold,
            missing=_UNTIL_PROVEN,
        ),
        _Rule(
            "The drift check failed, so it is unknown whether the traffic has drifted.",
            "drift-check-failed",
            metrics.function("drift", "Errors", "Sum", period=period),
        ),
    )
