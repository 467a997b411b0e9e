"""Entry point of the drift check: the schedule's event in, metrics and one log line out."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from distribution.features import CONFIDENCE, LABEL, LENGTH
from drift.check import Found, check
from drift.errors import DriftError
from drift.settings import Settings
from gate.errors import GateError

DRIFT = "Drift"
"""Metric: the largest of those below; the alarm watches it."""
METRICS = {LABEL: "LabelDrift", CONFIDENCE.name: "ConfidenceDrift", LENGTH.name: "LengthDrift"}
"""Metric of each feature: its population stability index, less what chance explains."""
JUDGED = "JudgedPredictions"
"""Metric: how many predictions a check looked at."""

logger = Logger()


@functools.cache
def _clients() -> dict[str, Any]:
    """One client of each kind for all calls of a warm function."""
    return {name: boto3.client(name) for name in ("cloudformation", "sagemaker", "s3", "cloudwatch")}


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See `check`."""
    try:
        settings = Settings.from_environment(os.environ)
        found = check(settings, **_clients(), now=datetime.now(UTC))
    except (DriftError, GateError) as error:
        logger.error("drift check failed", error=type(error).__name__, reason=str(error))
        raise
    publish(found, EphemeralMetrics(namespace=settings.namespace, service=settings.service))
    answer = as_dict(found)
    logger.info("drift checked", **answer)
    return answer


def publish(found: Found, metrics: EphemeralMetrics) -> None:
    """Write the metrics of a check to the log; without a comparison only how many predictions there were."""
    metrics.add_metric(JUDGED, MetricUnit.Count, found.predictions)
    for feature, shift in (found.shifts or {}).items():
        metrics.add_metric(METRICS[feature], MetricUnit.NoUnit, shift.excess)
    if found.largest is not None:
        metrics.add_metric(DRIFT, MetricUnit.NoUnit, found.largest)
    metrics.flush_metrics()


def as_dict(found: Found) -> dict[str, Any]:
    """The check for the log and for whoever calls the function by hand."""
    features: Mapping[str, Any] = {
        feature: {
            "index": round(shift.index, 4),
            "by_chance": round(shift.by_chance, 4),
            "drift": round(shift.excess, 4),
            "bins": shift.bins,
        }
        for feature, shift in (found.shifts or {}).items()
    }
    return {
        "version": found.version,
        "predictions": found.predictions,
        "drift": None if found.largest is None else round(found.largest, 4),
        "features": features,
        "nothing_said": found.nothing_said,
    }
