"""F1 of label 1 as a local module for the `evaluate` library: `evaluate.load("…/metrics/f1")`."""

import datasets
import evaluate
import numpy as np

_LABELS = datasets.Value("int32")


class F1(evaluate.Metric):  # type: ignore[misc]
    """Harmonic mean of precision and recall of the positive label: 2 TP / (2 TP + FP + FN)."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation="",
            inputs_description="predictions, references: labels, (rows,) int",
            features=datasets.Features({"predictions": _LABELS, "references": _LABELS}),
        )

    def _compute(self, predictions: list[int], references: list[int], pos_label: int = 1) -> dict[str, float]:
        predicted = np.asarray(predictions) == pos_label
        wanted = np.asarray(references) == pos_label
        either = predicted.sum() + wanted.sum()
        return {"f1": float(2 * (predicted & wanted).sum() / either) if either else 0.0}
