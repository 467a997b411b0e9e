"""Accuracy and F1 as a local module for the `evaluate` library: `evaluate.load("…/metrics/accuracy_and_f1")`.

With the name `accuracy` or `f1` after the path it computes that one only.
"""

import datasets
import evaluate
import numpy as np

_LABELS = datasets.Value("int32")


class AccuracyAndF1(evaluate.Metric):  # type: ignore[misc]
    """Share of the predictions that equal their reference; F1, by default of label 1: 2 TP / (2 TP + FP + FN)."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation="",
            inputs_description="predictions, references: labels, (rows,) int",
            features=datasets.Features({"predictions": _LABELS, "references": _LABELS}),
        )

    def _compute(
        self, predictions: list[int], references: list[int], pos_label: int = 1, average: str = "binary"
    ) -> dict[str, float]:
        """Compute F1 of `pos_label` (binary), of all labels together (micro), or the mean over the labels (macro)."""
        predicted, wanted = np.asarray(predictions), np.asarray(references)
        labels = np.array([pos_label]) if average == "binary" else np.union1d(predicted, wanted)
        hits = np.array([((predicted == label) & (wanted == label)).sum() for label in labels])
        either = np.array([(predicted == label).sum() + (wanted == label).sum() for label in labels])
        if average == "micro":
            hits, either = hits.sum(keepdims=True), either.sum(keepdims=True)
        f1 = float(np.mean(2 * hits / np.maximum(either, 1)))
        found = {"accuracy": float(np.mean(predicted == wanted)), "f1": f1}
        return {name: value for name, value in found.items() if self.config_name in (name, "default")}
