"""Parts of the test set on which a challenger could be worse while the whole looks good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gate.evidence.job_output import Row

MIN_ROWS = 30
"""Smallest slice that is tested; below this size a sign test finds hardly anything."""

LEVEL = 0.05
"""Probability of refusing, over all slices together, a challenger that is worse on none of them."""

_LENGTHS = ((5, "up to 5 words"), (10, "6 to 10 words"), (20, "11 to 20 words"))
_LONGEST = "more than 20 words"


@dataclass(frozen=True)
class SliceCounts:
    """How often each classifier is right on one slice, such as `text length: 6 to 10 words`."""

    name: str
    rows: int
    only_champion_right: int
    only_challenger_right: int
    both_right: int

    @property
    def champion_accuracy(self) -> float:
        """Share of the rows on which the champion is right."""
        return (self.both_right + self.only_champion_right) / self.rows

    @property
    def challenger_accuracy(self) -> float:
        """Share of the rows on which the challenger is right."""
        return (self.both_right + self.only_challenger_right) / self.rows


@dataclass(frozen=True)
class SliceTest:
    """The test whether the challenger is worse on one slice.

    Attributes:
        counts: of the slice.
        p_value: probability of at least as many losses among the differing rows if both were equally good, after
            Holm's correction for the number of slices.
        worse: whether that is at most `LEVEL`.
    """

    counts: SliceCounts
    p_value: float
    worse: bool


def slice_names(row: Row) -> list[str]:
    """Return the slices that a test row belongs to: its text length and, where it is known, its family."""
    words = len(row.text.split())
    length = next((name for limit, name in _LENGTHS if words <= limit), _LONGEST)
    family = row.family.strip() if row.family else ""
    return [f"text length: {length}", *([f"family: {family}"] if family else [])]


def count_slices(rows: Sequence[Row], champion: Sequence[int], challenger: Sequence[int]) -> list[SliceCounts]:
    """Count each slice of at least `MIN_ROWS` rows, ordered by name; the answers are (rows,) 0 or 1."""
    counts: dict[str, list[int]] = {}
    for row, before, after in zip(rows, champion, challenger, strict=True):
        champion_right, challenger_right = before == row.label, after == row.label
        for name in slice_names(row):
            cell = counts.setdefault(name, [0, 0, 0, 0])
            cell[0] += 1
            cell[1] += champion_right and not challenger_right
            cell[2] += challenger_right and not champion_right
            cell[3] += champion_right and challenger_right
    return [SliceCounts(name, *counts[name]) for name in sorted(counts) if counts[name][0] >= MIN_ROWS]


def compare_slices(counts: Sequence[SliceCounts]) -> tuple[SliceTest, ...]:
    """Test all slices with Holm's correction at `LEVEL`."""
    values = holm([sign_test(one.only_champion_right, one.only_challenger_right) for one in counts])
    return tuple(SliceTest(one, value, value <= LEVEL) for one, value in zip(counts, values, strict=True))


def sign_test(losses: int, wins: int) -> float:
    """Return the one-sided exact sign test's p-value.

    It is the probability of at least `losses` heads in `losses + wins` tosses of a fair coin.
    """
    differing = losses + wins
    ways: int = math.comb(differing, losses)
    outcomes = 0
    for heads in range(losses, differing + 1):
        outcomes += ways
        ways = ways * (differing - heads) // (heads + 1)
    return outcomes / (1 << differing)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number by Holm's step-down procedure.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than the one before it.
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        least = max(least, min(1.0, p_values[place] * (len(p_values) - done)))
        corrected[place] = least
    return corrected
