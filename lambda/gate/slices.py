"""Parts of the test set on which a challenger could be worse while the whole looks well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gate.evidence import Row

MIN_ROWS = 30
"""A slice counts from this size on; below it a sign test can hardly find anything."""

LEVEL = 0.05
"""Chance of refusing, over all slices together, a challenger that is worse on none of them."""

_LENGTHS = ((5, "up to 5 words"), (10, "6 to 10 words"), (20, "11 to 20 words"))
_LONGEST = "more than 20 words"


@dataclass(frozen=True)
class SliceCounts:
    """How often the two classifiers differ on one slice.

    Attributes:
        name: such as ``text length: 6 to 10 words``.
        rows: size of the slice.
        only_champion_right: rows on which the champion is right and the challenger wrong.
        only_challenger_right: the other way round.
        both_right: rows on which both are right.
    """

    name: str
    rows: int
    only_champion_right: int
    only_challenger_right: int
    both_right: int

    @property
    def champion_accuracy(self) -> float:
        """Share of the champion's right answers."""
        return (self.both_right + self.only_champion_right) / self.rows

    @property
    def challenger_accuracy(self) -> float:
        """Share of the challenger's right answers."""
        return (self.both_right + self.only_challenger_right) / self.rows


@dataclass(frozen=True)
class SliceTest:
    """One slice with the test that the challenger is worse on it.

    Attributes:
        counts: what was counted.
        p_value: chance of at least so many losses among the differing rows if both were equally good, after Holm's
            correction for the number of slices.
        worse: whether that is at most ``LEVEL``.
    """

    counts: SliceCounts
    p_value: float
    worse: bool


def slice_names(row: Row) -> list[str]:
    """The slices a test row belongs to: its text length, and its family where one is known."""
    words = len(row.text.split())
    length = next((name for limit, name in _LENGTHS if words <= limit), _LONGEST)
    family = row.family.strip() if row.family else ""
    return [f"text length: {length}", *([f"family: {family}"] if family else [])]


def count_slices(
    rows: Sequence[Row], champion_right: Sequence[bool], challenger_right: Sequence[bool]
) -> list[SliceCounts]:
    """Counts of every slice that is large enough, in the order of their names; arguments are (rows,)."""
    counts: dict[str, list[int]] = {}
    for row, before, after in zip(rows, champion_right, challenger_right, strict=True):
        for name in slice_names(row):
            cell = counts.setdefault(name, [0, 0, 0, 0])
            cell[0] += 1
            cell[1] += before and not after
            cell[2] += after and not before
            cell[3] += before and after
    return [SliceCounts(name, *counts[name]) for name in sorted(counts) if counts[name][0] >= MIN_ROWS]


def compare_slices(counts: Sequence[SliceCounts]) -> tuple[SliceTest, ...]:
    """Sign tests on all slices, with Holm's correction at ``LEVEL``."""
    values = holm([sign_test(one.only_champion_right, one.only_challenger_right) for one in counts])
    return tuple(SliceTest(one, value, value <= LEVEL) for one, value in zip(counts, values, strict=True))


def sign_test(losses: int, wins: int) -> float:
    """One-sided exact sign test: chance of at least ``losses`` heads in ``losses + wins`` tosses of a fair coin."""
    differing = losses + wins
    ways, outcomes = math.comb(differing, losses), 0
    for heads in range(losses, differing + 1):
        outcomes += ways
        ways = ways * (differing - heads) // (heads + 1)
    return outcomes / 2**differing


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number by Holm's step-down procedure.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than the one before it.
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, p_values[place] * (len(p_values) - done)))
        corrected[place] = least
    return corrected
