"""Accuracy as a local module for the `evaluate` library: `evaluate.load("…/metrics/accuracy")`."""

import datasets
import evaluate
import numpy as np

_LABELS = datasets.Value("int32")


class Accuracy(evaluate.Metric):  # type: ignore[misc]
    """Share of the predictions that equal their reference."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation="",
            inputs_description="predictions, references: labels, (rows,) int",
            features=datasets.Features({"predictions": _LABELS, "references": _LABELS}),
        )

    def _compute(self, predictions: list[int], references: list[int]) -> dict[str, float]:
        return {"accuracy": float(np.mean(np.asarray(predictions) == np.asarray(references)))}
