"""Entry point of the drift check: publish metrics and write one log line each time the schedule calls."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from distribution.features import CONFIDENCE, LABEL, LENGTH
from drift.check import CheckResult, check
from drift.settings import Settings
from shared.function import client, failures_logged

DRIFT = "Drift"
"""Metric: the largest of `METRICS`; the alarm watches it."""
METRICS = {LABEL: "LabelDrift", CONFIDENCE.name: "ConfidenceDrift", LENGTH.name: "LengthDrift"}
"""Metric of each feature: its population stability index, less what chance explains."""
JUDGED = "JudgedPredictions"
"""Metric: number of predictions that a check looked at."""

logger = Logger()


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Handle the call; see `check`."""
    clients = {service: client(service) for service in ("cloudformation", "sagemaker", "s3", "cloudwatch")}
    with failures_logged(logger, "drift check failed"):
        settings = Settings.from_environment(os.environ)
        result = check(settings, **clients, now=datetime.now(UTC))
    publish(result, EphemeralMetrics(namespace=settings.namespace, service=settings.service))
    answer = as_dict(result)
    logger.info("drift checked", **answer)
    return answer


def publish(result: CheckResult, metrics: EphemeralMetrics) -> None:
    """Write the metrics of a check to the log; without a comparison only the number of predictions."""
    metrics.add_metric(JUDGED, MetricUnit.Count, result.predictions)
    for feature, shift in result.shifts.items():
        metrics.add_metric(METRICS[feature], MetricUnit.NoUnit, shift.excess)
    if result.largest is not None:
        metrics.add_metric(DRIFT, MetricUnit.NoUnit, result.largest)
    metrics.flush_metrics()


def as_dict(result: CheckResult) -> dict[str, Any]:
    """Return the result for the log and for people who call the function by hand."""
    features = {
        feature: {
            "index": round(shift.index, 4),
            "by_chance": round(shift.by_chance, 4),
            "drift": round(shift.excess, 4),
            "bins": shift.bins,
        }
        for feature, shift in result.shifts.items()
    }
    return {
        "version": result.version,
        "predictions": result.predictions,
        "drift": None if result.largest is None else round(result.largest, 4),
        "features": features,
        "nothing_said": result.nothing_said,
    }
