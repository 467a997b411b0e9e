"""The dashboard: one page with the state of the API, the model and the costs."""

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.api.predict_function import MEMORY_MB
from stacks.common import metric_names as names
from stacks.config.environment import MonitoringConfig
from stacks.config.serving import ServingConfig
from stacks.monitoring.emitted_metrics import PERIOD, EmittedMetrics

_CONTAINERS = "/aws/sagemaker/Endpoints"
_THIRD = 8  # of the page's 24 columns
_PERCENTILES = ("p50", "p90", "p99")
# us-east-1, x86_64: aws.amazon.com/lambda/pricing and aws.amazon.com/api-gateway/pricing (REST, first tier).
_USD_PER_LAMBDA_GB_SECOND = 0.0000166667
_USD_PER_LAMBDA_REQUEST = 0.0000002
_USD_PER_API_REQUEST = 0.0000035


def add_dashboard(
    scope: Construct,
    *,
    metrics: EmittedMetrics,
    settings: MonitoringConfig,
    serving: ServingConfig,
    alarms: list[cloudwatch.Alarm],
) -> None:
    """Create the dashboard; the settings' thresholds are drawn as lines, the alarms are at the top."""
    cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=metrics.names.prefix,
        widgets=[
            [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=3)],
            _requests(metrics, settings),
            _latencies(metrics, settings),
            _endpoint(metrics, serving),
            _predictions(metrics),
            [*_operations(metrics, settings), _cost(metrics, settings, serving)],
        ],
    )


def _graph(
    title: str, left: Sequence[cloudwatch.IMetric], axis: str, line: tuple[float, str] | None = None, **more: Any
) -> cloudwatch.GraphWidget:
    """Return a graph with the unit of its left axis, and a horizontal line at a value with its label."""
    lines = [cloudwatch.HorizontalAnnotation(value=line[0], label=line[1])] if line else None
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        width=_THIRD,
        height=6,
        left_annotations=lines,
        **{"left_y_axis": _axis(axis), **more},
    )


def _axis(label: str) -> cloudwatch.YAxisProps:
    return cloudwatch.YAxisProps(label=label, min=0, show_units=False)


def _requests(metrics: EmittedMetrics, settings: MonitoringConfig) -> list[cloudwatch.IWidget]:
    shares: list[cloudwatch.IMetric] = [
        cloudwatch.MathExpression(
            expression=f"100 * rate{digit}",
            using_metrics={f"rate{digit}": metrics.api(f"{digit}XXError", "Average")},
            label=f"{digit}xx",
            period=PERIOD,
        )
        for digit in (4, 5)
    ]
    traffic = [
        metrics.api("Count", "Sum", label="requests"),
        metrics.function("predict", "Invocations", "Sum", label="Lambda invocations"),
        metrics.endpoint("Invocations", "Sum", label="endpoint invocations"),
    ]
    errors: list[cloudwatch.IMetric] = [
        metrics.found(names.PROBLEM_PREFIX.rstrip("."), label="${PROP('MetricName')}"),
        metrics.function("predict", "Errors", "Sum", label="Lambda crashed"),
        metrics.function("predict", "Throttles", "Sum", label="Lambda throttled"),
        metrics.endpoint("Invocation4XXErrors", "Sum", label="endpoint 4xx"),
        metrics.endpoint("Invocation5XXErrors", "Sum", label="endpoint 5xx"),
    ]
    return [
        _graph("Traffic", traffic, "in 5 minutes"),
        _graph("Errors by kind", errors, "in 5 minutes"),
        _graph("Share of requests that failed", shares, "per cent", (settings.error_percent, "5xx alarm")),
    ]


def _latencies(metrics: EmittedMetrics, settings: MonitoringConfig) -> list[cloudwatch.IWidget]:
    api = [metrics.api("Latency", stat, label=stat) for stat in _PERCENTILES]
    api.append(metrics.api("IntegrationLatency", "p50", label="p50 without the gateway"))
    function = [metrics.function("predict", "Duration", stat, label=stat) for stat in _PERCENTILES]
    model = [metrics.endpoint("ModelLatency", stat, label=f"model {stat}") for stat in _PERCENTILES]
    return [
        _graph("Latency: API", api, "milliseconds", (settings.p99_ms, "p99 alarm")),
        _graph("Latency: Lambda", function, "milliseconds"),
        _graph("Latency: endpoint", model, "microseconds"),
    ]


def _endpoint(metrics: EmittedMetrics, serving: ServingConfig) -> list[cloudwatch.IWidget]:
    starts = [
        metrics.endpoint("OverheadLatency", "Maximum", label="longest overhead"),
        metrics.endpoint("ModelSetupTime", "Average", label="start of a container"),
    ]
    used = cloudwatch.MathExpression(
        expression=f"{serving.max_concurrency} * share",
        label="endpoint",
        period=PERIOD,
        using_metrics={"share": metrics.endpoint("ServerlessConcurrentExecutionsUtilization", "Maximum")},
    )
    concurrency: list[cloudwatch.IMetric] = [
        used,
        metrics.function("predict", "ConcurrentExecutions", "Maximum", label="Lambda"),
    ]
    return [
        _graph(
            "Cold starts of the endpoint",
            starts,
            "microseconds",
            right=[metrics.endpoint("ModelSetupTime", "SampleCount", label="starts")],
            right_y_axis=_axis("in 5 minutes"),
        ),
        _graph("Concurrency", concurrency, "at once", (serving.max_concurrency, "limit of the endpoint")),
        _graph(
            "Memory of the endpoint",
            [metrics.endpoint("MemoryUtilization", "Maximum", _CONTAINERS, label=f"of {serving.memory_mb} MB")],
            "",
            left_y_axis=cloudwatch.YAxisProps(label="per cent", min=0, max=100, show_units=False),
        ),
    ]


def _predictions(metrics: EmittedMetrics) -> list[cloudwatch.IWidget]:
    label = f"${{PROP('Dim.{names.LABEL}')}} (version ${{PROP('Dim.{names.VERSION}')}})"
    labels = [metrics.found(f'MetricName="{names.PREDICTIONS}"', names.VERSION, names.LABEL, label=label)]
    bins = {"Confidence": names.CONFIDENCE, "Characters of the texts": names.LENGTH}
    return [
        _graph("Predictions by label", labels, "in 5 minutes", stacked=True),
        *(
            _graph(
                title,
                [metrics.found(f'MetricName="{name}"', names.VERSION, label=name) for name in found],
                "predictions in 5 minutes",
                stacked=True,
            )
            for title, found in bins.items()
        ),
    ]


def _operations(metrics: EmittedMetrics, settings: MonitoringConfig) -> list[cloudwatch.IWidget]:
    workflows = [
        metrics.workflow(machine, f"Executions{how}", "Sum", label=f"{machine} {how.lower()}")
        for machine in ("training", "release")
        for how in ("Succeeded", "Failed")
    ]
    return [
        _graph(
            "Drift (population stability index, less chance)",
            [metrics.own(names.DRIFT_SERVICE, name, "Maximum", label=name) for name in (names.DRIFT, *names.DRIFT_OF)],
            "",
            (settings.drift_threshold, "alarm"),
            right=[metrics.own(names.DRIFT_SERVICE, names.JUDGED, "Maximum", label="predictions looked at")],
            right_y_axis=_axis(""),
        ),
        _graph("Workflows", workflows, "in 5 minutes"),
    ]


def _cost(metrics: EmittedMetrics, settings: MonitoringConfig, serving: ServingConfig) -> cloudwatch.GraphWidget:
    """Estimate the costs in the time shown, without free tiers, training and storage."""
    endpoint = serving.memory_mb / 1024 * settings.usd_per_gb_second / 1_000_000  # a microsecond
    function = MEMORY_MB / 1024 * _USD_PER_LAMBDA_GB_SECOND / 1000  # a millisecond
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
    return _graph("Cost so far in the time shown (estimate)", sums, "US dollars", stacked=True)
