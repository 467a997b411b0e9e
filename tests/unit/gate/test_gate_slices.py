"""Slices of the test set, the sign test, and Holm's correction."""

from __future__ import annotations

import math

import pytest

from gate.evidence.job_output import Row
from gate.statistics.slices import MIN_ROWS, SliceCounts, compare_slices, count_slices, holm, sign_test, slice_names


@pytest.mark.parametrize(
    ("words", "name"),
    [(0, "up to 5"), (5, "up to 5"), (6, "6 to 10"), (10, "6 to 10"), (11, "11 to 20"), (20, "11 to 20"), (21, "more")],
)
def test_a_text_belongs_to_one_length(words: int, name: str) -> None:
    """The bins touch and do not overlap."""
    assert [one.split(": ")[1].startswith(name) for one in slice_names(Row("word " * words, 1))] == [True]


def test_a_known_family_is_a_slice() -> None:
    """An empty family does not count."""
    assert slice_names(Row("a", 1, family="kettles"))[1:] == ["family: kettles"]
    assert len(slice_names(Row("a", 1, family=" "))) == 1


def test_a_small_slice_does_not_count() -> None:
    """A slice counts from 30 rows on."""
    rows = [Row("a", 1, family="small")] * (MIN_ROWS - 1) + [Row("a", 1, family="large")] * MIN_ROWS
    right = [1] * len(rows)
    names = [one.name for one in count_slices(rows, right, right)]
    assert names == ["family: large", "text length: up to 5 words"]


def test_the_counts_of_a_slice() -> None:
    """They say who alone is right, and the accuracies follow from them."""
    champion = [1] * 10 + [0] * 4 + [1] * 16
    challenger = [0] * 10 + [1] * 4 + [1] * 16
    (counts,) = count_slices([Row("a", 1)] * 30, champion, challenger)
    assert (counts.only_champion_right, counts.only_challenger_right, counts.both_right) == (10, 4, 16)
    assert (counts.champion_accuracy, counts.challenger_accuracy) == (26 / 30, 20 / 30)


@pytest.mark.parametrize(("losses", "wins", "p"), [(0, 0, 1.0), (5, 0, 1 / 32), (0, 5, 1.0), (4, 1, 6 / 32)])
def test_the_sign_test_worked_by_hand(losses: int, wins: int, p: float) -> None:
    """The p-values are those of tosses of a fair coin."""
    assert sign_test(losses, wins) == pytest.approx(p)


def test_the_sign_test_is_exact_for_many_rows() -> None:
    """Intermediate numbers may exceed a float's range; there is no normal approximation."""
    assert sign_test(5_000, 5_000) == pytest.approx(0.5 + math.comb(10_000, 5_000) / 2**10_001)
    assert sign_test(2_000, 0) == 0.5**2_000


def test_holm_worked_by_hand() -> None:
    """Times 3, times 2, times 1, never smaller than the one before, never above 1."""
    assert holm([0.03, 0.01, 0.04]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_one_slice_much_worse_is_found_among_many() -> None:
    """Twelve losses and no win remain significant after correction for eight slices; five losses do not."""
    fine = [SliceCounts(f"fine {place}", 100, 3, 3, 90) for place in range(7)]
    assert [test.worse for test in compare_slices([*fine, SliceCounts("bad", 40, 12, 0, 20)])] == [False] * 7 + [True]
    assert not any(test.worse for test in compare_slices([*fine, SliceCounts("bad", 40, 5, 0, 20)]))
