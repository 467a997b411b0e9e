"""The figures that a verdict needs, from answers."""

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
from gate.evidence.job_output import Row
from gate.statistics.slices import SliceCounts, SliceTest, compare_slices, count_slices

RESAMPLES = 9_999
SEED = 42
"""Seed of the bootstrap: the same evidence gives the same verdict."""


@dataclass(frozen=True)
class Comparison:
    """Challenger minus champion on the same rows; `joint` holds the counts behind it."""

    accuracy: Interval
    f1: Interval
    slices: tuple[SliceTest, ...]
    joint: Joint

    def champion_figures(self) -> dict[str, Interval]:
        """Compute the champion's own `accuracy` and `f1`."""
        return figure_intervals(self.joint.champion, resamples=RESAMPLES, seed=SEED)


@dataclass(frozen=True)
class Measured:
    """The figures of a challenger; `comparison` is None where there is no champion to compare with."""

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
        """Share of the commonest label, which is the accuracy of always answering it."""
        ones = self.counts.hits + self.counts.misses
        return max(ones, self.rows - ones) / self.rows


def measure(rows: Sequence[Row], challenger: Sequence[int], champion: Sequence[int] | None) -> Measured:
    """Measure answers.

    Args:
        rows: the test set, at least one row.
        challenger: (rows,) 0 or 1.
        champion: (rows,) 0 or 1; None without a champion.
    """
    labels = [row.label for row in rows]
    if champion is None:
        return measure_counts(confusion(challenger, labels))
    joint = Joint.of(labels, champion, challenger)
    return measure_counts(joint.challenger, joint, count_slices(rows, champion, challenger))


def measure_counts(
    counts: Confusion,
    joint: Joint | None = None,
    slices: Sequence[SliceCounts] = (),
    *,
    resamples: int = RESAMPLES,
    draw: Draw = draw_counts,
) -> Measured:
    """Measure answers by their counts, which are all that the figures depend on.

    Args:
        counts: the challenger's.
        joint: those of both classifiers; None without a champion.
        slices: those of the parts of the test set.
        resamples: number of resamples of each bootstrap.
        draw: draws the resamples; a simulation may bring a faster one.
    """
    figures = figure_intervals(counts, resamples=resamples, seed=SEED, draw=draw)
    comparison = None
    if joint is not None:
        difference = difference_intervals(joint, resamples=resamples, seed=SEED, draw=draw)
        comparison = Comparison(difference["accuracy"], difference["f1"], compare_slices(slices), joint)
    return Measured(counts, figures["accuracy"], figures["f1"], comparison)
