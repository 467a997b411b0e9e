"""The structured log, and metrics in CloudWatch's embedded metric format.

A serverless endpoint captures no data, so predictions are counted here for the drift check: numbers only, never a text.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from distribution.features import (
    CONFIDENCE,
    LABEL_DIMENSION,
    LENGTH,
    NO_LABEL,
    PREDICTIONS,
    VERSION_DIMENSION,
    count_series,
)
from predict.settings import Settings
from shared.answers import Prediction

UNKNOWN_VERSION = "unknown"
"""Replaces the version of a model that has none. The drift check ignores its traffic."""


class Telemetry:
    """Counts the predictions of one function, under the version of the model that made them."""

    def __init__(self, *, namespace: str, service: str) -> None:
        """Count in the metric namespace `namespace`, under the dimension `service`."""
        self._namespace = namespace
        self._service = service

    def count_predictions(
        self,
        texts: Sequence[str],
        predictions: Sequence[Prediction],
        version: str | None,
        label_count: int | None = None,
    ) -> None:
        """Write the labels, confidences and text lengths of one answered request.

        `label_count` is the number of the model's labels, where it is known.
        """
        dimensions = {VERSION_DIMENSION: version or UNKNOWN_VERSION}
        counts = dict(zip(LENGTH.metrics, LENGTH.count(map(len, texts)), strict=True))
        confidence = CONFIDENCE.count(prediction.confidence for prediction in predictions)
        counts |= zip(CONFIDENCE.metrics, confidence, strict=True)
        self._write(dimensions, counts)
        given = Counter(label for prediction in predictions for label in prediction.given or (NO_LABEL,))
        for series, count in count_series(given, label_count).items():
            self._write({**dimensions, LABEL_DIMENSION: series}, {PREDICTIONS: count})

    def _write(self, dimensions: Mapping[str, str], counts: Mapping[str, int]) -> None:
        # A separate object, because a request's other metrics do not have these dimensions.
        metrics = EphemeralMetrics(namespace=self._namespace, service=self._service)
        for name, value in dimensions.items():
            metrics.add_dimension(name, value)
        for name, count in counts.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        metrics.flush_metrics()


@dataclass(frozen=True, kw_only=True)
class Observability:
    """What the rest of this package reports to."""

    logger: Logger
    """Writes one JSON object a line; every line of a request carries its correlation id and X-Ray's trace id."""
    metrics: EphemeralMetrics
    """Collects the metrics of one request under the dimension `service`; the handler flushes them at the end."""
    telemetry: Telemetry
    """Counts predictions, under dimensions of its own."""


def create_observability(settings: Settings) -> Observability:
    """Set up logging and metrics; nothing is sent yet."""
    return Observability(
        logger=Logger(service=settings.service),
        # Not `Metrics`, whose state the whole process shares, and so all tests.
        metrics=EphemeralMetrics(namespace=settings.metrics_namespace, service=settings.service),
        telemetry=Telemetry(namespace=settings.metrics_namespace, service=settings.service),
    )
