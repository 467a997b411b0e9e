"""The figures of a set of answers: accuracy and F1 with intervals, and the correlation with the score."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from classifier.evaluation.bootstrap import Interval, figures
from classifier.evaluation.metrics import load_metrics


@dataclass(frozen=True)
class Figures:
    """The figures of one split; `pearson` is None without scores, or where they do not vary."""

    accuracy: Interval
    f1: Interval
    pearson: float | None
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return the form of `evaluation.json`."""
        return asdict(self)

    def points(self) -> dict[str, float | None]:
        """Return the figures without their intervals."""
        return {"accuracy": self.accuracy.value, "f1": self.f1.value, "pearson": self.pearson}


def point_figures(
    predictions: np.ndarray,
    labels: np.ndarray,
    predicted_scores: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> dict[str, float | None]:
    """Compute accuracy, F1 and Pearson's correlation.

    Args:
        predictions: (rows,) 0 or 1.
        labels: (rows,) 0 or 1.
        predicted_scores: (rows,) float, or None if the model gives none.
        scores: (rows,) float, or None if the data has none.
    """
    return {**_accuracy_and_f1(predictions, labels), "pearson": pearson(predicted_scores, scores)}


def evaluate_answers(
    predictions: np.ndarray,
    labels: np.ndarray,
    *,
    predicted_scores: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    resamples: int,
    seed: int,
) -> Figures:
    """Compute the figures of one split with 95 % bootstrap intervals; arguments as for `point_figures`."""
    values = _accuracy_and_f1(predictions, labels)
    found = figures(predictions, labels, resamples=resamples, seed=seed)
    accuracy, f1 = (replace(found[name], value=values[name]) for name in ("accuracy", "f1"))
    return Figures(accuracy, f1, pearson(predicted_scores, scores), rows=len(labels))


def pearson(predicted: np.ndarray | None, wanted: np.ndarray | None) -> float | None:
    """Return Pearson's correlation of two (rows,) float arrays; None if one is missing or does not vary."""
    if predicted is None or wanted is None or len(wanted) < 2 or np.std(predicted) == 0 or np.std(wanted) == 0:
        return None
    value = float(np.corrcoef(predicted, wanted)[0, 1])
    return value if math.isfinite(value) else None


def _accuracy_and_f1(predictions: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    values: dict[str, float] = load_metrics().compute(
        predictions=np.asarray(predictions), references=np.asarray(labels)
    )
    return values
