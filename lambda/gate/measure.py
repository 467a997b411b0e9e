"""From answers to the figures that a verdict needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from classifier.evaluation.bootstrap import (
    Confusion,
    Draw,
    Interval,
    Joint,
    confusion,
    difference_intervals,
    draw_counts,
    figure_intervals,
)
from gate.evidence import Row
from gate.slices import SliceCounts, SliceTest, compare_slices, count_slices

RESAMPLES = 9_999
SEED = 42
"""Of the bootstrap: the same evidence gives the same verdict."""


@dataclass(frozen=True)
class Comparison:
    """Challenger minus champion on the same rows; ``joint`` are the counts behind it."""

    accuracy: Interval
    f1: Interval
    slices: tuple[SliceTest, ...]
    joint: Joint


@dataclass(frozen=True)
class Measured:
    """What is known about a challenger; ``comparison`` is None where there is no champion to compare with."""

    counts: Confusion
    accuracy: Interval
    f1: Interval
    comparison: Comparison | None

    @property
    def rows(self) -> int:
        """Size of the test set."""
        return self.counts.rows

    @property
    def commonest_share(self) -> float:
        """Share of the commonest label: the accuracy of saying always that."""
        ones = self.counts.hits + self.counts.misses
        return max(ones, self.rows - ones) / self.rows


def measure(rows: Sequence[Row], challenger: Sequence[int], champion: Sequence[int] | None) -> Measured:
    """Counts answers and draws the intervals.

    Args:
        rows: the test set, at least one row.
        challenger: (rows,) 0 or 1, its answers.
        champion: (rows,) 0 or 1, or None without one.
    """
    labels = [row.label for row in rows]
    if champion is None:
        return measure_counts(confusion(challenger, labels))
    slices = count_slices(
        rows,
        [answer == label for answer, label in zip(champion, labels, strict=True)],
        [answer == label for answer, label in zip(challenger, labels, strict=True)],
    )
    joint = Joint.of(labels, champion, challenger)
    return measure_counts(joint.challenger, joint, slices)


def measure_counts(
    counts: Confusion,
    joint: Joint | None = None,
    slices: Sequence[SliceCounts] = (),
    *,
    resamples: int = RESAMPLES,
    draw: Draw = draw_counts,
) -> Measured:
    """The same from counts, which is all that the figures depend on.

    Args:
        counts: of the challenger's answers.
        joint: counts of both classifiers' answers, or None without a champion.
        slices: counts of the parts of the test set.
        resamples: of each bootstrap.
        draw: what draws them; a simulation may bring a faster one.
    """
    figures = figure_intervals(counts, resamples=resamples, seed=SEED, draw=draw)
    comparison = None
    if joint is not None:
        difference = difference_intervals(joint, resamples=resamples, seed=SEED, draw=draw)
        comparison = Comparison(difference["accuracy"], difference["f1"], compare_slices(slices), joint)
    return Measured(counts, figures["accuracy"], figures["f1"], comparison)
