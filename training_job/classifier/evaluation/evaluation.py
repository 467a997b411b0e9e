"""The figures of a set of answers: with intervals, by class, and how far the confidence can be believed."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.evaluation import figures as counted
from classifier.evaluation.metrics import load_metrics

BINS = 10
"""Bins of the calibration, each with as many rows."""
CONFUSED = 20
"""Most frequent pairs of labels that are reported as confused."""
_WHOLE = ("accuracy", "f1", "macro_f1", "micro_f1")


@dataclass(frozen=True)
class Figures:
    """The figures of one split; `pearson` is None without scores, or where they do not vary."""

    counted: counted.Figures
    pearson: float | None
    calibration: dict[str, Any]
    label_names: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the form of `evaluation.json`."""
        names, found = self.label_names, self.counted
        return {
            "rows": found.rows,
            **{name: getattr(found, name).as_dict() for name in _WHOLE},
            "pearson": self.pearson,
            "classes": {
                name: {
                    "rows": of.rows,
                    **{figure: getattr(of, figure).as_dict() for figure in ("precision", "recall", "f1")},
                }
                for name, of in zip(names, found.classes, strict=True)
            },
            "confused": [
                {"truth": names[truth], "answer": names[answer], "rows": rows}
                for truth, answer, rows in found.confused[:CONFUSED]
            ],
            "calibration": self.calibration,
        }

    def points(self) -> dict[str, float | None]:
        """Return the figures without their intervals."""
        return {**{name: getattr(self.counted, name).value for name in _WHOLE}, "pearson": self.pearson}


def point_figures(
    predictions: np.ndarray,
    truth: np.ndarray,
    labels: int,
    predicted_scores: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> dict[str, float | None]:
    """Compute accuracy, F1 and Pearson's correlation; for more than two labels also the mean of the labels' F1s.

    Predictions and truth are (rows,) ids, or (rows, labels) bool for several labels a text; scores are (rows,) float.
    """
    several = truth.ndim == 2
    if labels == 2 and not several:
        binary: dict[str, float | None] = load_metrics().compute(predictions=predictions, references=truth)
        return {**binary, "pearson": pearson(predicted_scores, scores)}
    found = counted.measure(as_ids(truth), as_ids(predictions), labels=labels, multilabel=several)
    names = ("accuracy", "f1", "macro_f1", *["micro_f1"] * several)
    return {**{name: getattr(found, name).value for name in names}, "pearson": None}


def evaluate_answers(
    predictions: np.ndarray,
    truth: np.ndarray,
    *,
    label_names: tuple[str, ...],
    confidences: np.ndarray,
    predicted_scores: np.ndarray | None = None,
    scores: np.ndarray | None = None,
) -> Figures:
    """Compute the figures of one split with 95 % intervals; `confidences`: (rows, labels), the rest as above."""
    several = truth.ndim == 2
    found = counted.measure(as_ids(truth), as_ids(predictions), labels=len(label_names), multilabel=several)
    rows, top = np.arange(len(truth)), confidences.argmax(axis=1)
    right = truth[rows, top] if several else truth == top
    believed = calibration(confidences[rows, top], right)
    return Figures(found, pearson(predicted_scores, scores), believed, label_names)


def as_ids(answers: np.ndarray) -> list[Any]:
    """Turn answers into what the gate counts too: ids, or the ids of each row for several labels."""
    return [np.flatnonzero(row).tolist() for row in answers] if answers.ndim == 2 else list(answers.tolist())


def calibration(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Compare the (rows,) `confidence` of the most probable label with whether it is `right`, in bins of equal size.

    Returns `ece`, the mean distance of the two weighted by rows (expected calibration error), and the `bins`.
    """
    order = np.argsort(confidence, kind="stable")
    bins = [
        {"confidence": float(confidence[rows].mean()), "accuracy": float(right[rows].mean()), "rows": len(rows)}
        for rows in np.array_split(order, min(BINS, len(order)))
    ]
    ece = sum(abs(of["confidence"] - of["accuracy"]) * of["rows"] for of in bins) / len(order)
    return {"ece": ece, "bins": bins}


def pearson(predicted: np.ndarray | None, wanted: np.ndarray | None) -> float | None:
    """Return Pearson's correlation of two (rows,) float arrays; None if one is missing or does not vary."""
    if predicted is None or wanted is None or len(wanted) < 2 or np.std(predicted) == 0 or np.std(wanted) == 0:
        return None
    value = float(np.corrcoef(predicted, wanted)[0, 1])
    return value if math.isfinite(value) else None
