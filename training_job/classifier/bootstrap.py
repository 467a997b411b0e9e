"""Percentile bootstrap intervals for accuracy and F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """As it stands in ``evaluation.json``."""
        return {"value": self.value, "low": self.low, "high": self.high}


def bootstrap_intervals(
    predictions: np.ndarray, labels: np.ndarray, *, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Low and high ends for accuracy and F1 over rows drawn with replacement.

    Both figures depend on the rows only through the counts of true and false positives and negatives, and those counts
    of a resample are multinomial: drawing them is drawing the rows, in a fraction of the time.

    Args:
        predictions: (rows,) 0 or 1.
        labels: (rows,) 0 or 1.
        resamples: number of resamples.
        seed: of the draw.

    Returns:
        ``{"accuracy": (low, high), "f1": (low, high)}``.
    """
    predicted, wanted = np.asarray(predictions) == 1, np.asarray(labels) == 1
    counts = [
        np.sum(predicted & wanted),
        np.sum(predicted & ~wanted),
        np.sum(~predicted & wanted),
        np.sum(~predicted & ~wanted),
    ]
    rows = int(sum(counts))
    drawn = np.random.default_rng(seed).multinomial(rows, np.array(counts) / rows, size=resamples)
    hits, false_alarms, misses, rejections = (drawn[:, column].astype(np.float64) for column in range(4))
    accuracy = (hits + rejections) / rows
    either = 2 * hits + false_alarms + misses
    f1 = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
    tails = [100 * (1 - CONFIDENCE) / 2, 100 * (1 + CONFIDENCE) / 2]
    return {name: tuple(np.percentile(values, tails).tolist()) for name, values in (("accuracy", accuracy), ("f1", f1))}
