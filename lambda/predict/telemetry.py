"""Counts predictions for the drift check, because a serverless endpoint captures no data.

The counts, never a text, go to the log in CloudWatch's embedded metric format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from distribution.features import CONFIDENCE, LABEL_DIMENSION, LENGTH, PREDICTIONS, VERSION_DIMENSION
from shared.answers import Prediction

UNKNOWN_VERSION = "unknown"
"""Replaces the version of a model that has none. The drift check ignores its traffic."""


class Telemetry:
    """Counts the predictions of one function, under the version of the model that made them."""

    def __init__(self, *, namespace: str, service: str) -> None:
        """Count in the metric namespace `namespace`, under the dimension `service`."""
        self._namespace = namespace
        self._service = service

    def count_predictions(self, texts: Sequence[str], predictions: Sequence[Prediction], version: str | None) -> None:
        """Write the labels, confidences and text lengths of one answered request."""
        dimensions = {VERSION_DIMENSION: version or UNKNOWN_VERSION}
        counts = dict(zip(LENGTH.metrics, LENGTH.count(map(len, texts)), strict=True))
        confidence = CONFIDENCE.count(prediction.confidence for prediction in predictions)
        counts |= zip(CONFIDENCE.metrics, confidence, strict=True)
        self._write(dimensions, counts)
        for label, count in Counter(prediction.label for prediction in predictions).items():
            self._write({**dimensions, LABEL_DIMENSION: label}, {PREDICTIONS: count})

    def _write(self, dimensions: Mapping[str, str], counts: Mapping[str, int]) -> None:
        # A separate object, because a request's other metrics do not have these dimensions.
        metrics = EphemeralMetrics(namespace=self._namespace, service=self._service)
        for name, value in dimensions.items():
            metrics.add_dimension(name, value)
        for name, count in counts.items():
            metrics.add_metric(name, MetricUnit.Count, count)
        metrics.flush_metrics()
