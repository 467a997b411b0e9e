"""The computations behind the charts, in plain Python: a Lambda has no numerical library."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from gate.report.data import Row

BINS = 10
_LARGEST_SCORE = 1e9
_INNER_EDGES = [n / BINS for n in range(1, BINS)]


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Rows by true label and answer: ``counts[true][predicted]``."""

    counts: tuple[tuple[int, int], tuple[int, int]]

    @property
    def precision(self) -> float | None:
        """Share of the answers "label 1" that are right; None if there is no such answer."""
        return _share(self.counts[1][1], self.counts[0][1] + self.counts[1][1])

    @property
    def recall(self) -> float | None:
        """Share of the rows of label 1 that are found; None if there is no such row."""
        return _share(self.counts[1][1], sum(self.counts[1]))


@dataclass(frozen=True)
class PrecisionRecall:
    """The share of right answers and of found rows when label 1 is answered from ``threshold`` on."""

    threshold: float
    precision: float
    recall: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """The rows whose probability of label 1 lies in (low, high]; the first bin holds 0 too."""

    low: float
    high: float
    count: int
    predicted: float | None
    """Their mean probability; None for an empty bin."""

    observed: float | None
    """The share of them that truly has label 1; None for an empty bin."""


def confusion(rows: Iterable[Row]) -> Confusion:
    """Counts the rows by true label and answer."""
    counts = [[0, 0], [0, 0]]
    for row in rows:
        counts[row.label][row.predicted] += 1
    return Confusion(counts=((counts[0][0], counts[0][1]), (counts[1][0], counts[1][1])))


def precision_recall(labels: Sequence[int], probabilities: Sequence[float]) -> list[PrecisionRecall]:
    """The precision-recall curve of label 1, one point a distinct probability, from the highest threshold down.

    Empty without a row of label 1: recall has no meaning then.
    """
    positives = sum(labels)
    if not positives:
        return []
    points = []
    answered = found = 0
    ranked = sorted(zip(probabilities, labels, strict=True), reverse=True)
    for threshold, tied in groupby(ranked, key=lambda pair: pair[0]):
        group = [label for _, label in tied]
        answered += len(group)
        found += sum(group)
        points.append(PrecisionRecall(threshold, found / answered, found / positives))
    return points


def average_precision(points: Iterable[PrecisionRecall]) -> float:
    """The precision at each threshold, weighted with the recall gained there (no interpolation)."""
    total = reached = 0.0
    for point in points:
        total += (point.recall - reached) * point.precision
        reached = point.recall
    return total


def reliability(labels: Sequence[int], probabilities: Sequence[float]) -> list[Bin]:
    """Ten bins of equal width over the probability of label 1."""
    members: list[list[tuple[float, int]]] = [[] for _ in range(BINS)]
    for probability, label in zip(probabilities, labels, strict=True):
        members[bisect_left(_INNER_EDGES, probability)].append((probability, label))
    return [
        Bin(
            low=n / BINS,
            high=(n + 1) / BINS,
            count=len(pairs),
            predicted=_share(math.fsum(probability for probability, _ in pairs), len(pairs)),
            observed=_share(sum(label for _, label in pairs), len(pairs)),
        )
        for n, pairs in enumerate(members)
    ]


def expected_calibration_error(bins: Iterable[Bin]) -> float:
    """The mean distance between predicted and observed share, each bin weighted with its rows; 0 without rows."""
    count, gaps = 0, 0.0
    for part in bins:
        if part.predicted is not None and part.observed is not None:
            count += part.count
            gaps += part.count * abs(part.predicted - part.observed)
    return gaps / (count or 1)


def score_pairs(rows: Iterable[Row]) -> list[tuple[float, float, bool]]:
    """(true score, answered score, whether the label is right) of each row with two scores that an axis can show."""
    return [
        (row.true_score, row.score, row.label == row.predicted)
        for row in rows
        if row.true_score is not None
        and row.score is not None
        and abs(row.true_score) <= _LARGEST_SCORE
        and abs(row.score) <= _LARGEST_SCORE
    ]


def correlation(pairs: Sequence[tuple[float, float, bool]]) -> float | None:
    """Pearson's correlation of the two scores; None where it has no meaning (fewer than two rows, or no spread)."""
    try:
        return statistics.correlation([true for true, _, _ in pairs], [answered for _, answered, _ in pairs])
    except statistics.StatisticsError:
        return None


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
