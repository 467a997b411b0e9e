"""The stability index, its average by chance, and how rarely chance alone would raise an alarm."""

from __future__ import annotations

import random

import pytest

from drift.stability import compare, join_rare

REFERENCE = [60, 90, 150, 250, 300, 150]  # 1,000 sentences
THRESHOLD = 0.2


def drawn(weights: list[int], count: int, generator: random.Random) -> list[int]:
    """Counts of a sample from a distribution."""
    counts = [0] * len(weights)
    for place in generator.choices(range(len(weights)), weights, k=count):
        counts[place] += 1
    return counts


def test_equal_shares_have_an_index_of_nothing() -> None:
    """This holds for any sizes; only the smoothing of empty bins remains."""
    shift = compare(REFERENCE, [count * 2 for count in REFERENCE])
    assert shift.index == pytest.approx(0, abs=1e-5) and shift.excess == 0


def test_the_index_is_that_of_the_textbook() -> None:
    """(p - q) ln(p / q), summed: 0.8/0.2 against 0.5/0.5."""
    assert compare([5000, 5000], [8000, 2000]).index == pytest.approx(0.3 * 0.4700 + 0.3 * 0.9163, abs=1e-3)


def test_chance_gives_what_the_formula_says() -> None:
    """Over 400 samples of the reference's own distribution the mean index is (B - 1)(1/n + 1/m)."""
    generator = random.Random(1)
    shifts = [compare(drawn(REFERENCE, 1000, generator), drawn(REFERENCE, 500, generator)) for _ in range(400)]
    mean = sum(shift.index for shift in shifts) / len(shifts)
    assert shifts[0].by_chance == pytest.approx(5 * (1 / 500 + 1 / 1000))
    assert mean == pytest.approx(shifts[0].by_chance, rel=0.15)


def test_unchanged_traffic_does_not_call() -> None:
    """In 400 samples of 500, with a baseline of only 177 rows, the largest excess stays far below the threshold."""
    generator = random.Random(2)
    baseline = drawn(REFERENCE, 177, generator)
    excesses = [compare(baseline, drawn(REFERENCE, 500, generator)).excess for _ in range(400)]
    assert max(excesses) < THRESHOLD / 2


def test_a_bin_that_nobody_falls_into_any_more_is_finite() -> None:
    """An empty bin has no logarithm, so half a count is added."""
    assert THRESHOLD < compare([500, 500], [500, 0]).index < 10


def test_rare_bins_are_joined_with_their_neighbours() -> None:
    """Each joined bin holds at least a twentieth of the reference, and nothing is lost."""
    reference, current = join_rare([0, 10, 500, 20, 460, 10], [7, 1, 2, 3, 4, 5])
    assert (reference, current) == ([510, 490], [10, 12])


def test_bins_that_are_common_stay_apart() -> None:
    """Order and counts are kept."""
    assert join_rare(REFERENCE, [1, 2, 3, 4, 5, 6]) == (REFERENCE, [1, 2, 3, 4, 5, 6])
