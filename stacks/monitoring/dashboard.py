"""The dashboard: one page with the state of the API, the model and the costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.common import metric_names as names
from stacks.config.environment import MonitoringConfig
from stacks.config.serving import ServingConfig
from stacks.monitoring.emitted_metrics import PERIOD, EmittedMetrics

_THIRD = 8  # of the page's 24 columns
_PERCENTILES = ("p50", "p90", "p99")
# us-east-1, x86_64: aws.amazon.com/lambda/pricing and aws.amazon.com/api-gateway/pricing (REST, first tier).
_USD_PER_LAMBDA_GB_SECOND = 0.0000166667
_USD_PER_LAMBDA_REQUEST = 0.0000002
_USD_PER_API_REQUEST = 0.0000035


class OperationsDashboard(Construct):
    """CloudWatch's dashboard of one environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        metrics: EmittedMetrics,
        settings: MonitoringConfig,
        serving: ServingConfig,
        predict_memory_mb: int,
        alarms: list[cloudwatch.Alarm],
    ) -> None:
        """Create the dashboard; the settings' thresholds are drawn as lines, the alarms are at the top."""
        super().__init__(scope, construct_id)
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=name,
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=3)],
                [_traffic(metrics), _errors(metrics), _error_share(metrics, settings)],
                [_api_latency(metrics, settings), _function_latency(metrics), _endpoint_latency(metrics)],
                [_cold_starts(metrics), _concurrency(metrics, serving), _memory(metrics, serving)],
                [
                    _labels(metrics),
                    _bins(metrics, "Confidence", names.CONFIDENCE),
                    _bins(metrics, "Characters of the texts", names.LENGTH),
                ],
                [_drift(metrics, settings), _workflows(metrics), _cost(metrics, settings, serving, predict_memory_mb)],
            ],
        )


def _graph(title: str, left: Sequence[cloudwatch.IMetric], **more: Any) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(left), width=_THIRD, height=6, **more)


def _line(value: float, label: str) -> cloudwatch.HorizontalAnnotation:
    return cloudwatch.HorizontalAnnotation(value=value, label=label)


def _axis(label: str) -> cloudwatch.YAxisProps:
    return cloudwatch.YAxisProps(label=label, min=0, show_units=False)


def _traffic(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Traffic",
        [
            metrics.api("Count", "Sum", label="requests"),
            metrics.function("predict", "Invocations", "Sum", label="Lambda invocations"),
            metrics.endpoint("Invocations", "Sum", label="endpoint invocations"),
        ],
        left_y_axis=_axis("in 5 minutes"),
    )


def _errors(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Errors by kind",
        [
            metrics.found(names.PROBLEM_PREFIX.rstrip("."), label="${PROP('MetricName')}"),
            metrics.function("predict", "Errors", "Sum", label="Lambda crashed"),
            metrics.function("predict", "Throttles", "Sum", label="Lambda throttled"),
            metrics.endpoint("Invocation4XXErrors", "Sum", label="endpoint 4xx"),
            metrics.endpoint("Invocation5XXErrors", "Sum", label="endpoint 5xx"),
        ],
        left_y_axis=_axis("in 5 minutes"),
    )


def _error_share(metrics: EmittedMetrics, settings: MonitoringConfig) -> cloudwatch.GraphWidget:
    shares: list[cloudwatch.IMetric] = [
        cloudwatch.MathExpression(
            expression=f"100 * rate{digit}",
            using_metrics={f"rate{digit}": metrics.api(f"{digit}XXError", "Average")},
            label=f"{digit}xx",
            period=PERIOD,
        )
        for digit in (4, 5)
    ]
    return _graph(
        "Share of requests that failed",
        shares,
        left_y_axis=_axis("per cent"),
        left_annotations=[_line(settings.error_percent, "5xx alarm")],
    )


def _api_latency(metrics: EmittedMetrics, settings: MonitoringConfig) -> cloudwatch.GraphWidget:
    return _graph(
        "Latency: API",
        [metrics.api("Latency", stat, label=stat) for stat in _PERCENTILES]
        + [metrics.api("IntegrationLatency", "p50", label="p50 without the gateway")],
        left_y_axis=_axis("milliseconds"),
        left_annotations=[_line(settings.p99_ms, "p99 alarm")],
    )


def _function_latency(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Latency: Lambda",
        [metrics.function("predict", "Duration", stat, label=stat) for stat in _PERCENTILES],
        left_y_axis=_axis("milliseconds"),
    )


def _endpoint_latency(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Latency: endpoint",
        [metrics.endpoint("ModelLatency", stat, label=f"model {stat}") for stat in _PERCENTILES],
        left_y_axis=_axis("microseconds"),
    )


def _cold_starts(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Cold starts of the endpoint",
        [
            metrics.endpoint("OverheadLatency", "Maximum", label="longest overhead"),
            metrics.endpoint("ModelSetupTime", "Average", label="start of a container"),
        ],
        left_y_axis=_axis("microseconds"),
        right=[metrics.endpoint("ModelSetupTime", "SampleCount", label="starts")],
        right_y_axis=_axis("in 5 minutes"),
    )


def _concurrency(metrics: EmittedMetrics, serving: ServingConfig) -> cloudwatch.GraphWidget:
    used = cloudwatch.MathExpression(
        expression=f"{serving.max_concurrency} * share",
        label="endpoint",
        period=PERIOD,
        using_metrics={"share": metrics.endpoint("ServerlessConcurrentExecutionsUtilization", "Maximum")},
    )
    return _graph(
        "Concurrency",
        [used, metrics.function("predict", "ConcurrentExecutions", "Maximum", label="Lambda")],
        left_y_axis=_axis("at once"),
        left_annotations=[_line(serving.max_concurrency, "limit of the endpoint")],
    )


def _memory(metrics: EmittedMetrics, serving: ServingConfig) -> cloudwatch.GraphWidget:
    return _graph(
        "Memory of the endpoint",
        [metrics.endpoint_memory("Maximum", label=f"of {serving.memory_mb} MB")],
        left_y_axis=cloudwatch.YAxisProps(label="per cent", min=0, max=100, show_units=False),
    )


def _labels(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    label = f"${{PROP('Dim.{names.LABEL}')}} (version ${{PROP('Dim.{names.VERSION}')}})"
    return _graph(
        "Predictions by label",
        [metrics.found(f'MetricName="{names.PREDICTIONS}"', names.VERSION, names.LABEL, label=label)],
        stacked=True,
        left_y_axis=_axis("in 5 minutes"),
    )


def _bins(metrics: EmittedMetrics, title: str, bins: tuple[str, ...]) -> cloudwatch.GraphWidget:
    return _graph(
        title,
        [metrics.found(f'MetricName="{name}"', names.VERSION, label=name) for name in bins],
        stacked=True,
        left_y_axis=_axis("predictions in 5 minutes"),
    )


def _drift(metrics: EmittedMetrics, settings: MonitoringConfig) -> cloudwatch.GraphWidget:
    return _graph(
        "Drift (population stability index, less chance)",
        [metrics.drift(name, "Maximum", label=name) for name in (names.DRIFT, *names.DRIFT_OF)],
        left_y_axis=_axis(""),
        left_annotations=[_line(settings.drift_threshold, "alarm")],
        right=[metrics.drift(names.JUDGED, "Maximum", label="predictions looked at")],
        right_y_axis=_axis(""),
    )


def _workflows(metrics: EmittedMetrics) -> cloudwatch.GraphWidget:
    return _graph(
        "Workflows",
        [
            metrics.workflow(machine, f"Executions{how}", "Sum", label=f"{machine} {how.lower()}")
            for machine in ("training", "release")
            for how in ("Succeeded", "Failed")
        ],
        left_y_axis=_axis("in 5 minutes"),
    )


def _cost(
    metrics: EmittedMetrics, settings: MonitoringConfig, serving: ServingConfig, predict_memory_mb: int
) -> cloudwatch.GraphWidget:
    """Estimate the costs in the time shown, without free tiers, training and storage."""
    endpoint = serving.memory_mb / 1024 * settings.usd_per_gb_second / 1_000_000  # a microsecond
    function = predict_memory_mb / 1024 * _USD_PER_LAMBDA_GB_SECOND / 1000  # a millisecond
    parts = {
        "endpoint": (f"{endpoint:.18f} * latency", {"latency": metrics.endpoint("ModelLatency", "Sum")}),
        # Separate: in a sum, periods without a start would have no value.
        "endpoint's starts": (f"{endpoint:.18f} * setup", {"setup": metrics.endpoint("ModelSetupTime", "Sum")}),
        "Lambda": (
            f"{function:.18f} * duration + {_USD_PER_LAMBDA_REQUEST:.10f} * calls",
            {
                "duration": metrics.function("predict", "Duration", "Sum"),
                "calls": metrics.function("predict", "Invocations", "Sum"),
            },
        ),
        "API Gateway": (f"{_USD_PER_API_REQUEST:.10f} * requests", {"requests": metrics.api("Count", "Sum")}),
    }
    sums: list[cloudwatch.IMetric] = [
        cloudwatch.MathExpression(
            expression=f"RUNNING_SUM({expression})", using_metrics=used, label=name, period=PERIOD
        )
        for name, (expression, used) in parts.items()
    ]
    return _graph("Cost so far in the time shown (estimate)", sums, stacked=True, left_y_axis=_axis("US dollars"))
