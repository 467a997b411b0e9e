"""Accuracy as a local module for the ``evaluate`` library: ``evaluate.load("…/metrics/accuracy")``."""

import datasets
import evaluate
import numpy as np

_DESCRIPTION = "Share of the predictions that equal their reference."


class Accuracy(evaluate.Metric):
    """Share of right labels."""

    def _info(self) -> evaluate.MetricInfo:
        """What goes in: one integer label a row, on both sides."""
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description="predictions, references: labels, (rows,) int",
            features=datasets.Features({"predictions": datasets.Value("int32"), "references": datasets.Value("int32")}),
        )

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]:
        """The metric by its name."""
        return {"accuracy": float(np.mean(np.asarray(predictions) == np.asarray(references)))}
