"""Parts of the test set on which a challenger could be worse while the whole looks good."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from classifier.evaluation.figures import Labels, as_sets
from gate.evidence.job_output import Row

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
    """The test whether the challenger is worse on one slice: whether `p_value` is at most `LEVEL`.

    It is the probability of at least as many losses among the differing rows if both were equally good, after Holm's
    correction for the number of slices.
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


def count_slices(
    rows: Sequence[Row], champion: Labels, challenger: Labels, labels: Sequence[str] = ("0", "1")
) -> list[SliceCounts]:
    """Count each slice, ordered by name. The rows that truly have a label are a slice too: right is who gives it."""
    counts: dict[str, list[int]] = {}
    for row, before, after in zip(rows, as_sets(champion), as_sets(challenger), strict=True):
        true = row.labels
        whole = 2 * (before == true) + (after == true)
        rights = [(name, whole) for name in slice_names(row)]
        rights += [(f"label: {labels[label]}", 2 * (label in before) + (label in after)) for label in true]
        for name, right in rights:
            counts.setdefault(name, [0, 0, 0, 0])[right] += 1
    return [SliceCounts(name, sum(cell), cell[2], cell[1], cell[3]) for name, cell in sorted(counts.items())]


def compare_slices(counts: Sequence[SliceCounts]) -> tuple[SliceTest, ...]:
    """Test the slices with Holm's correction at `LEVEL`.

    Slices that are too small to show even the loss of every row are left out. The correction counts the slices on which
    the two classifiers differ often enough to show anything (R. Tarone, 1990, "A modified Bonferroni method for
    discrete data"): the sign test takes the number of differing rows as given, so this keeps the level.
    """
    least = least_loss(_able([one.rows for one in counts]))
    counts = [one for one in counts if one.rows >= least]
    differing = [one.only_champion_right + one.only_challenger_right for one in counts]
    least = least_loss(_able(differing))
    tested = [one for one, rows in zip(counts, differing, strict=True) if rows >= least]
    corrected = holm([sign_test(one.only_champion_right, one.only_challenger_right) for one in tested])
    values = dict(zip((one.name for one in tested), corrected, strict=True))
    return tuple(SliceTest(one, value, value <= LEVEL) for one in counts for value in [values.get(one.name, 1.0)])


def least_loss(slices: int) -> int:
    """Return how many rows of a slice only the champion must have right to show a loss, among so many slices.

    It is the smallest number whose p-value passes in the first step of Holm's correction, if the challenger alone is
    right on none of the slice's rows.
    """
    return math.ceil(math.log2(max(1, slices) / LEVEL))


def _able(rows: Sequence[int]) -> int:
    """Return how many slices of these numbers of rows can show a loss while all of them are corrected for."""
    ordered = sorted(rows, reverse=True)
    return max((place for place, size in enumerate(ordered, 1) if size >= least_loss(place)), default=0)


def sign_test(losses: int, wins: int) -> float:
    """Return the exact sign test's p-value: that of at least `losses` heads in `losses + wins` fair tosses."""
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
