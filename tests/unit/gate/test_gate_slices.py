"""Slices of the test set, the sign test, and Holm's correction."""

from __future__ import annotations

import math

import pytest

from gate.evidence.job_output import Row
from gate.statistics.slices import (
    SliceCounts,
    compare_slices,
    count_slices,
    holm,
    least_loss,
    sign_test,
    slice_names,
)


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


def test_a_slice_that_can_show_nothing_is_left_out() -> None:
    """Four rows of one slice cannot be significant; five can, unless there are more slices to correct for."""
    names = [one.counts.name for one in compare_slices([SliceCounts("a", 5, 5, 0, 0), SliceCounts("b", 4, 4, 0, 0)])]
    assert names == ["a"]
    assert [least_loss(slices) for slices in (1, 2, 77, 1_000)] == [5, 6, 11, 15]
    assert compare_slices([]) == ()


def test_the_correction_counts_slices_that_differ_enough() -> None:
    """Of 77 slices of which 76 hardly differ, a loss of six rows of 20 shows; without them it would take eleven."""
    fine = [SliceCounts(f"fine {place}", 20, 1, 1, 17) for place in range(76)]
    tests = compare_slices([*fine, SliceCounts("bad", 20, 6, 0, 13)])
    assert [test.counts.name for test in tests if test.worse] == ["bad"]
    differing = [SliceCounts(f"fine {place}", 20, 6, 6, 7) for place in range(76)]
    assert not any(test.worse for test in compare_slices([*differing, SliceCounts("bad", 20, 10, 0, 9)]))


def test_each_label_is_a_slice_of_the_rows_that_have_it() -> None:
    """With several labels a text, right is who gives the label, whatever else is given."""
    rows = [Row("a", (0, 1)), Row("a", (1,)), Row("a", ())]
    counts = {one.name: one for one in count_slices(rows, [(0,), (1,), ()], [(0, 1), (0,), ()], ["joy", "anger"])}
    assert set(counts) == {"text length: up to 5 words", "label: joy", "label: anger"}
    assert (counts["label: joy"].rows, counts["label: joy"].both_right) == (1, 1)
    anger = counts["label: anger"]
    assert (anger.rows, anger.only_champion_right, anger.only_challenger_right, anger.both_right) == (2, 1, 1, 0)


def test_the_counts_of_a_slice() -> None:
    """They say who alone is right, and the accuracies follow from them."""
    champion = [1] * 10 + [0] * 4 + [1] * 16
    challenger = [0] * 10 + [1] * 4 + [1] * 16
    _, counts = count_slices([Row("a", 1)] * 30, champion, challenger)
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
