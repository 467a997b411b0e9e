"""The probability from which on each of several labels is given, chosen for the largest F1 on validation rows.

A rare label has few validation rows, so the best cut on them is luck. Each label's counts are joined with those that
its probabilities themselves expect, and the F1 is averaged over neighbouring cuts before the best one is taken.
"""

import numpy as np

CUTS = 1 / (1 + np.exp(-np.linspace(-4.5, 3.0, 76)))
"""The cuts that are compared: evenly spaced logits, probabilities from 0.01 to 0.95."""

NEIGHBOURS = 5
"""Cuts on either side whose F1 is averaged: half a unit of the logit."""

EXPECTED_ROWS = 500
"""Rows that the expectation counts as, whatever their number: it leads only where there are few observed ones."""

UNKNOWN = 0.5
"""The threshold of a label that no cut could ever give."""


def choose_thresholds(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Choose a threshold for each label, (labels,) float64, from validation rows.

    `probabilities`: (rows, labels) float. `truth`: (rows, labels) bool.
    """
    thresholds = np.full(probabilities.shape[1], UNKNOWN)
    weight = EXPECTED_ROWS / max(len(truth), 1)
    smooth = np.ones(2 * NEIGHBOURS + 1)
    whole = np.convolve(np.ones(len(CUTS)), smooth, mode="same")
    for label, (chances, wanted) in enumerate(zip(probabilities.T.astype(np.float64), truth.T, strict=True)):
        order = np.argsort(chances)
        below = np.searchsorted(chances[order], CUTS, side="left")
        given = len(chances) - below
        targets = wanted[order] + weight * chances[order]
        hits = np.concatenate([np.cumsum(targets[::-1])[::-1], [0.0]])[below]
        f1 = 2 * hits / np.maximum((1 + weight) * given + targets.sum(), 1e-9)
        f1 = np.convolve(f1, smooth, mode="same") / whole
        if f1.max() > 0:
            thresholds[label] = CUTS[int(f1.argmax())]
    return thresholds


def cross_fitted(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Decide each half of the rows with the thresholds of the other half, so that the figures are not flattered.

    The answer is (rows, labels) bool.
    """
    given = np.zeros(truth.shape, dtype=bool)
    for half in (slice(0, None, 2), slice(1, None, 2)):
        other = slice(1 - (half.start or 0), None, 2)
        given[half] = probabilities[half] >= choose_thresholds(probabilities[other], truth[other])
    return given
