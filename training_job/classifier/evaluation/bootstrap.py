"""Percentile bootstrap intervals for accuracy, F1 and their difference between two classifiers.

Standard library only: the gate's Lambda function carries this very file, so that a model card and a verdict
cannot disagree about what an interval is.

All these figures depend on the rows only through counts, and the counts of a resample of rows are multinomial:
drawing the counts is drawing the rows, in a fraction of the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

CONFIDENCE = 0.95

_NEGLIGIBLE = 1e-18
"""Relative to the most likely outcome; what is less likely is left out of a table. No random float is so fine."""

Draw = Callable[[Sequence[int], int, int], Sequence[Sequence[int]]]
"""Counts, number of resamples and seed to resampled counts, as ``draw_counts``."""


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """As it stands in ``evaluation.json``."""
        return {"value": self.value, "low": self.low, "high": self.high}


class Confusion(NamedTuple):
    """Counts of answers against labels; label 1 is the positive one."""

    hits: int
    false_alarms: int
    misses: int
    rejections: int

    @property
    def rows(self) -> int:
        """How many answers there are."""
        return sum(self)


class Joint(NamedTuple):
    """Counts of rows by label, champion's and challenger's answer, in this order: ``n101`` is label 1, 0, 1."""

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
        """Counts of rows; every argument is (rows,) 0 or 1."""
        counts = [0] * 8
        for label, before, after in zip(labels, champion, challenger, strict=True):
            counts[4 * label + 2 * before + after] += 1
        return cls(*counts)

    @property
    def champion(self) -> Confusion:
        """The champion's answers alone."""
        n = self
        return Confusion(n.n110 + n.n111, n.n010 + n.n011, n.n100 + n.n101, n.n000 + n.n001)

    @property
    def challenger(self) -> Confusion:
        """The challenger's answers alone."""
        n = self
        return Confusion(n.n101 + n.n111, n.n001 + n.n011, n.n100 + n.n110, n.n000 + n.n010)

    @property
    def only_champion_right(self) -> int:
        """Rows on which the champion is right and the challenger wrong."""
        return self.n001 + self.n110

    @property
    def only_challenger_right(self) -> int:
        """Rows on which the challenger is right and the champion wrong."""
        return self.n010 + self.n101


def confusion(predictions: Iterable[int], labels: Iterable[int]) -> Confusion:
    """Counts of answers against labels; both (rows,) 0 or 1."""
    counts = [0, 0, 0, 0]
    for predicted, label in zip(predictions, labels, strict=True):
        counts[2 * (predicted != 1) + (label != 1)] += 1
    hits, false_alarms, misses, rejections = counts
    return Confusion(hits, false_alarms, misses, rejections)


def bootstrap_intervals(
    predictions: Iterable[int], labels: Iterable[int], *, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """Low and high ends for accuracy and F1 over rows drawn with replacement.

    Args:
        predictions: (rows,) 0 or 1.
        labels: (rows,) 0 or 1.
        resamples: number of resamples.
        seed: of the draw.

    Returns:
        ``{"accuracy": (low, high), "f1": (low, high)}``.
    """
    intervals = figure_intervals(confusion(predictions, labels), resamples=resamples, seed=seed)
    return {name: (interval.low, interval.high) for name, interval in intervals.items()}


def draw_counts(counts: Sequence[int], resamples: int, seed: int) -> list[tuple[int, ...]]:
    """Counts of resamples of as many rows: multinomial, one cell after the other, each binomial given those before.

    Args:
        counts: rows in each cell, at least one row altogether.
        resamples: how many to draw.
        seed: of the draw.

    Returns:
        ``resamples`` tuples laid out as ``counts``.
    """
    random = Random(seed).random
    columns: list[list[int]] = [[]] * len(counts)
    left, mass = [sum(counts)] * resamples, sum(counts)
    # Rare cells first: what is left then varies little, and few tables are needed.
    *drawn, rest = sorted(range(len(counts)), key=lambda cell: counts[cell])
    for cell in drawn:
        share = counts[cell] / mass
        mass -= counts[cell]
        columns[cell] = _binomials(left, share, random) if share else [0] * resamples
        left = [before - taken for before, taken in zip(left, columns[cell], strict=True)]
    columns[rest] = left
    return list(zip(*columns, strict=True))


def figure_intervals(counts: Confusion, *, resamples: int, seed: int, draw: Draw = draw_counts) -> dict[str, Interval]:
    """Accuracy and F1 of one classifier with their intervals.

    Args:
        counts: of its answers, at least one.
        resamples: number of resamples.
        seed: of the draw.
        draw: what draws the resamples; a simulation may bring a faster one.

    Returns:
        ``{"accuracy": …, "f1": …}``.
    """
    drawn = [_figures(*cells) for cells in draw(counts, resamples, seed)]
    return {
        name: _interval(value, [figures[place] for figures in drawn])
        for place, (name, value) in enumerate(zip(("accuracy", "f1"), _figures(*counts), strict=True))
    }


def _figures(hits: int, false_alarms: int, misses: int, rejections: int) -> tuple[float, float]:
    """Accuracy, and F1 = ``2·hits / (2·hits + false alarms + misses)``: 0 where nothing is positive on either side."""
    wrong = false_alarms + misses
    f1 = 2 * hits / (2 * hits + wrong) if hits else 0.0
    return (hits + rejections) / (hits + wrong + rejections), f1


def difference_intervals(joint: Joint, *, resamples: int, seed: int, draw: Draw = draw_counts) -> dict[str, Interval]:
    """Challenger minus champion on the same rows; arguments and keys as in ``figure_intervals``."""
    drawn = [_differences(*cells) for cells in draw(joint, resamples, seed)]
    return {
        name: _interval(value, [figures[place] for figures in drawn])
        for place, (name, value) in enumerate(zip(("accuracy", "f1"), _differences(*joint), strict=True))
    }


def _differences(
    n000: int, n001: int, n010: int, n011: int, n100: int, n101: int, n110: int, n111: int
) -> tuple[float, float]:
    """Challenger's accuracy and F1 minus the champion's, from the cells of ``Joint``. Plain sums: it runs often."""
    ones = n100 + n101 + n110 + n111
    zeros = n000 + n001 + n010 + n011
    before, after = n110 + n111, n101 + n111
    either_before, either_after = ones + before + n010 + n011, ones + after + n001 + n011
    f1_before = 2 * before / either_before if either_before else 0.0
    f1_after = 2 * after / either_after if either_after else 0.0
    return (n010 + n101 - n001 - n110) / (ones + zeros), f1_after - f1_before


def _interval(value: float, values: list[float]) -> Interval:
    values.sort()
    tail = (1 - CONFIDENCE) / 2
    return Interval(value, _quantile(values, tail), _quantile(values, 1 - tail))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two neighbours, which is numpy's default."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _binomials(trials: Sequence[int], share: float, random: Callable[[], float]) -> list[int]:
    """One binomial draw for each number of trials.

    The trials differ from draw to draw. Those that all have are drawn from one table, what one has beyond them from a
    small table of its own: the sum of two binomials of one share is binomial, and large tables are made once.
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
    """The smallest outcome worth counting, and the cumulative probabilities from it on, without the last (1).

    Weights grow outwards from the most likely outcome by the ratio of neighbours, so that nothing overflows.
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
