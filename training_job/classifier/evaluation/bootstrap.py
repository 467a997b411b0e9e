"""Accuracy and F1 with percentile bootstrap intervals, and their difference between two classifiers.

This module uses the standard library only: the gate's Lambda ships it, so that a model card, a verdict and
`make evaluate` agree on what an interval is.

All these figures depend on the rows only through counts, and the counts of a resample of rows are multinomial. So the
counts are drawn instead of the rows, which takes a fraction of the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import NamedTuple

CONFIDENCE = 0.95

_NEGLIGIBLE = 1e-18
"""Outcomes less likely than this, relative to the most likely one, are left out: no random float is so fine."""

Draw = Callable[[Sequence[int], int, int], Sequence[Sequence[int]]]
"""Draws resampled counts from counts, a number of resamples and a seed, as `draw_counts` does."""


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the form of `evaluation.json`."""
        return asdict(self)


class Confusion(NamedTuple):
    """Counts of answers against labels; label 1 is the positive one."""

    hits: int
    false_alarms: int
    misses: int
    rejections: int

    @property
    def rows(self) -> int:
        """Number of answers."""
        return sum(self)


class Joint(NamedTuple):
    """Counts of rows by label, champion's and challenger's answer, in this order: `n101` is label 1, 0, 1."""

    n000: int = 0
    n001: int = 0
    n010: int = 0
    n011: int = 0
    n100: int = 0
    n101: int = 0
    n110: int = 0
    n111: int = 0

    @classmethod
    def of(cls, labels: Iterable[int], champion: Iterable[int], challenger: Iterable[int]) -> Joint:
        """Count rows; every argument is (rows,) 0 or 1."""
        counts = [0] * 8
        for label, before, after in zip(labels, champion, challenger, strict=True):
            counts[4 * label + 2 * before + after] += 1
        return cls(*counts)

    @property
    def champion(self) -> Confusion:
        """The champion's answers alone."""
        n000, n001, n010, n011, n100, n101, n110, n111 = self
        return Confusion(n110 + n111, n010 + n011, n100 + n101, n000 + n001)

    @property
    def challenger(self) -> Confusion:
        """The challenger's answers alone."""
        n000, n001, n010, n011, n100, n101, n110, n111 = self
        return Confusion(n101 + n111, n001 + n011, n100 + n110, n000 + n010)


def confusion(predictions: Iterable[int], labels: Iterable[int]) -> Confusion:
    """Count answers against labels; both are (rows,) 0 or 1."""
    counts = [0, 0, 0, 0]
    for predicted, label in zip(predictions, labels, strict=True):
        counts[2 * (predicted != 1) + (label != 1)] += 1
    return Confusion(*counts)


def figures(predictions: Iterable[int], labels: Iterable[int], *, resamples: int, seed: int) -> dict[str, Interval]:
    """Return `accuracy` and `f1` with their intervals; predictions and labels are (rows,) 0 or 1, at least one row."""
    return figure_intervals(confusion(predictions, labels), resamples=resamples, seed=seed)


def draw_counts(counts: Sequence[int], resamples: int, seed: int) -> list[tuple[int, ...]]:
    """Draw `resamples` tuples of counts, each of as many rows as `counts` and in its layout; at least one row.

    They are multinomial: one cell after the other, each binomial given those before.
    """
    random = Random(seed).random
    columns: list[list[int]] = [[]] * len(counts)
    left, mass = [sum(counts)] * resamples, sum(counts)
    # Rare cells first: the rest then varies little and needs few tables.
    *drawn, rest = sorted(range(len(counts)), key=lambda cell: counts[cell])
    for cell in drawn:
        share = counts[cell] / mass
        mass -= counts[cell]
        columns[cell] = _binomials(left, share, random) if share else [0] * resamples
        left = [before - taken for before, taken in zip(left, columns[cell], strict=True)]
    columns[rest] = left
    return list(zip(*columns, strict=True))


def figure_intervals(counts: Confusion, *, resamples: int, seed: int, draw: Draw = draw_counts) -> dict[str, Interval]:
    """Return `accuracy` and `f1` of one classifier with their intervals; `counts` holds at least one answer."""
    return _intervals(_figures, counts, draw(counts, resamples, seed))


def difference_intervals(joint: Joint, *, resamples: int, seed: int, draw: Draw = draw_counts) -> dict[str, Interval]:
    """Return `accuracy` and `f1` of the challenger minus the champion's on the same rows, with paired intervals."""
    return _intervals(_differences, joint, draw(joint, resamples, seed))


def _figures(hits: int, false_alarms: int, misses: int, rejections: int) -> tuple[float, float]:
    """Return accuracy, and F1 = 2·hits / (2·hits + false alarms + misses): 0 where neither side has a positive."""
    wrong = false_alarms + misses
    f1 = 2 * hits / (2 * hits + wrong) if hits else 0.0
    return (hits + rejections) / (hits + wrong + rejections), f1


def _differences(
    n000: int, n001: int, n010: int, n011: int, n100: int, n101: int, n110: int, n111: int
) -> tuple[float, float]:
    """Return the differences of accuracy and F1 from the cells of `Joint`, as plain sums because it runs often."""
    ones = n100 + n101 + n110 + n111
    zeros = n000 + n001 + n010 + n011
    before, after = n110 + n111, n101 + n111
    either_before, either_after = ones + before + n010 + n011, ones + after + n001 + n011
    f1_before = 2 * before / either_before if either_before else 0.0
    f1_after = 2 * after / either_after if either_after else 0.0
    return (n010 + n101 - n001 - n110) / (ones + zeros), f1_after - f1_before


def _intervals(
    both: Callable[..., tuple[float, float]], counts: Sequence[int], resampled: Sequence[Sequence[int]]
) -> dict[str, Interval]:
    """Return both figures of the counts, each with the quantiles of its values over the resamples."""
    tail = (1 - CONFIDENCE) / 2
    found = {}
    columns = zip(*(both(*cells) for cells in resampled), strict=True)
    for name, value, column in zip(("accuracy", "f1"), both(*counts), columns, strict=True):
        values = sorted(column)
        found[name] = Interval(value, _quantile(values, tail), _quantile(values, 1 - tail))
    return found


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Interpolate linearly between the two neighbours, which is numpy's default."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _binomials(trials: Sequence[int], share: float, random: Callable[[], float]) -> list[int]:
    """Draw one binomial for each number of trials.

    The trials that all draws have in common come from one large table, the rest of each draw from a small one: the
    sum of two binomials with the same share is binomial.
    """
    common = min(trials)
    start, ends = _cumulative(common, share)
    tables: dict[int, tuple[int, list[float]]] = {}
    drawn = []
    for number in trials:
        more = number - common
        if more not in tables:
            tables[more] = _cumulative(more, share)
        first, steps = tables[more]
        drawn.append(start + bisect_right(ends, random()) + first + (bisect_right(steps, random()) if steps else 0))
    return drawn


def _cumulative(trials: int, share: float) -> tuple[int, list[float]]:
    """Return the smallest outcome that counts, and the cumulative probabilities from it on without the last (1).

    The weights are built outwards from the most likely outcome by the ratio of neighbours, so that nothing overflows.
    """
    odds = share / (1 - share)
    mode = min(trials, int((trials + 1) * share))
    below, weight = [], 1.0
    for outcome in range(mode, 0, -1):
        weight *= outcome / ((trials - outcome + 1) * odds)
        if weight < _NEGLIGIBLE:
            break
        below.append(weight)
    weights, weight = [*reversed(below), 1.0], 1.0
    for outcome in range(mode, trials):
        weight *= (trials - outcome) / (outcome + 1) * odds
        if weight < _NEGLIGIBLE:
            break
        weights.append(weight)
    total, ends, reached = sum(weights), [], 0.0
    for weight in weights[:-1]:
        reached += weight
        ends.append(reached / total)
    return mode - len(below), ends
