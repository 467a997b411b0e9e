"""F1 of label 1 as a local module for the ``evaluate`` library: ``evaluate.load("…/metrics/f1")``."""

import datasets
import evaluate
import numpy as np

_DESCRIPTION = "Harmonic mean of precision and recall of the positive label: 2 TP / (2 TP + FP + FN)."


class F1(evaluate.Metric):
    """F1 of the positive label."""

    def _info(self) -> evaluate.MetricInfo:
        """What goes in: one integer label a row, on both sides."""
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description="predictions, references: labels, (rows,) int",
            features=datasets.Features({"predictions": datasets.Value("int32"), "references": datasets.Value("int32")}),
        )

    def _compute(self, predictions: list[int], references: list[int], pos_label: int = 1) -> dict[str, float]:
        """The metric by its name; 0 where neither side has the positive label."""
        predicted = np.asarray(predictions) == pos_label
        wanted = np.asarray(references) == pos_label
        either = predicted.sum() + wanted.sum()
        return {"f1": float(2 * (predicted & wanted).sum() / either) if either else 0.0}
