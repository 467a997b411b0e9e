"""How good a set of answers is: accuracy and F1 with intervals, and the correlation with the score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from classifier.evaluation.bootstrap import Interval, bootstrap_intervals
from classifier.evaluation.metrics import load_metrics

if TYPE_CHECKING:
    from evaluate import CombinedEvaluations


@dataclass(frozen=True)
class Figures:
    """How good the answers to one split are; ``pearson`` is None without scores, or where they do not vary."""

    accuracy: Interval
    f1: Interval
    pearson: float | None
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """As it stands in ``evaluation.json``."""
        return {
            "accuracy": self.accuracy.as_dict(),
            "f1": self.f1.as_dict(),
            "pearson": self.pearson,
            "rows": self.rows,
        }

    def points(self) -> dict[str, float | None]:
        """The figures without their intervals."""
        return {"accuracy": self.accuracy.value, "f1": self.f1.value, "pearson": self.pearson}


def point_figures(
    predictions: np.ndarray,
    labels: np.ndarray,
    predicted_scores: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> dict[str, float | None]:
    """Accuracy, F1 and Pearson's correlation.

    Args:
        predictions: (rows,) 0 or 1.
        labels: (rows,) 0 or 1.
        predicted_scores: (rows,) float, or None if the model gives none.
        scores: (rows,) float, or None if the data has none.
    """
    values = _metrics().compute(predictions=np.asarray(predictions), references=np.asarray(labels))
    return {"accuracy": values["accuracy"], "f1": values["f1"], "pearson": pearson(predicted_scores, scores)}


def evaluate_answers(
    predictions: np.ndarray,
    labels: np.ndarray,
    *,
    predicted_scores: np.ndarray | None = None,
    scores: np.ndarray | None = None,
    resamples: int,
    seed: int,
) -> Figures:
    """The figures of one split with 95 % bootstrap intervals; arguments as for ``point_figures``."""
    points = point_figures(predictions, labels, predicted_scores, scores)
    ends = bootstrap_intervals(predictions, labels, resamples=resamples, seed=seed)
    return Figures(
        accuracy=Interval(float(points["accuracy"] or 0.0), *ends["accuracy"]),
        f1=Interval(float(points["f1"] or 0.0), *ends["f1"]),
        pearson=points["pearson"],
        rows=len(labels),
    )


def pearson(predicted: np.ndarray | None, wanted: np.ndarray | None) -> float | None:
    """Pearson's correlation of two (rows,) float arrays; None if one is missing or does not vary."""
    if predicted is None or wanted is None or len(wanted) < 2 or np.std(predicted) == 0 or np.std(wanted) == 0:
        return None
    value = float(np.corrcoef(predicted, wanted)[0, 1])
    return value if math.isfinite(value) else None


@cache
def _metrics() -> CombinedEvaluations:
    return load_metrics()
