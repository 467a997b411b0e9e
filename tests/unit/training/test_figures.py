"""The figures of any labels: worked by hand, against scikit-learn, and how honest their intervals are."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.evaluation.figures import Interval, compare, measure, wilson


def test_two_classes_worked_by_hand() -> None:
    """6 of 8 are right; F1 of label 1 is 2*4 / (2*4 + 1 + 1)."""
    found = measure([1, 1, 1, 0, 0, 1, 0, 1], [1, 0, 1, 0, 1, 1, 0, 1], labels=2)
    assert (found.rows, found.accuracy.value, found.f1.value) == (8, 0.75, pytest.approx(0.8))
    assert found.f1 == found.classes[1].f1 != found.macro_f1
    assert found.micro_f1 == found.accuracy


def test_several_labels_worked_by_hand() -> None:
    """One of three sets is right; a missed label is paired with one that was given in error."""
    found = measure([(0, 1), (2,), ()], [(0, 2), (2,), ()], labels=3, multilabel=True)
    assert found.accuracy.value == pytest.approx(2 / 3)
    assert [one.f1.value for one in found.classes] == [1.0, 0.0, pytest.approx(2 / 3)]
    assert found.macro_f1.value == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert found.micro_f1.value == pytest.approx(2 * 2 / 6)
    assert found.confused == ((1, 2, 1),)


def test_the_most_confused_pair_comes_first() -> None:
    """Pairs are ordered by their rows, equal ones by their ids."""
    assert measure([0, 0, 0, 1, 2], [1, 2, 2, 0, 2], labels=3).confused == ((0, 2, 2), (0, 1, 1), (1, 0, 1))


def test_a_label_without_test_rows_does_not_count_in_the_mean() -> None:
    """A thousand labels of which ten occur are judged on the ten."""
    assert measure([0, 1], [0, 1], labels=1_000).macro_f1.value == 1.0


@pytest.mark.parametrize("multilabel", [False, True])
def test_all_right_is_not_certain(multilabel: bool) -> None:
    """80 right of 80 leaves room below 1, for every figure."""
    truth = [place % 4 for place in range(80)]
    found = measure(truth, truth, labels=4, multilabel=multilabel)
    for interval in (found.accuracy, found.f1, found.macro_f1, found.micro_f1):
        assert (interval.value, interval.high) == (1.0, 1.0) and 0.94 < interval.low < 0.97
    assert found.classes[0].recall.low == pytest.approx(0.8389, abs=1e-4)  # 20 of 20


def test_without_rows_anything_is_possible() -> None:
    """A label that is never given has a precision nobody knows."""
    assert wilson(0, 0) == Interval(0.0, 0.0, 1.0)
    assert measure([0, 0], [0, 0], labels=2).f1 == Interval(0.0, 0.0, 1.0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_the_figures_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    """Each label's figures agree, and so does the mean over the labels of the truth; a figure lies in its interval."""
    sklearn = pytest.importorskip("sklearn.metrics")
    truth, answers = zip(*pairs, strict=True)
    found = measure(truth, answers, labels=4)
    wanted = sklearn.precision_recall_fscore_support(truth, answers, labels=range(4), zero_division=0.0)
    for label, one in enumerate(found.classes):
        assert (one.precision.value, one.recall.value, one.f1.value, one.rows) == pytest.approx(
            [column[label] for column in wanted]
        )
    macro = sklearn.f1_score(truth, answers, labels=sorted(set(truth)), average="macro", zero_division=0.0)
    assert found.macro_f1.value == pytest.approx(macro)
    for one in (found.accuracy, found.macro_f1, found.micro_f1, *(label.f1 for label in found.classes)):
        assert 0 <= one.low <= one.value <= one.high <= 1


@pytest.mark.parametrize(("labels", "rows"), [(2, 400), (5, 400), (20, 800)])
def test_the_intervals_are_those_of_resampling_rows(labels: int, rows: int) -> None:
    """A bootstrap of rows, which takes a thousand times as long, gives nearly the same ends."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, labels, rows)
    before = np.where(rng.random(rows) < 0.85, truth, rng.integers(0, labels, rows))
    after = np.where(rng.random(rows) < 0.9, before, rng.integers(0, labels, rows))
    figures, difference = [], []
    for _ in range(400):
        drawn = rng.integers(0, rows, rows)
        one, two = (measure(truth[drawn].tolist(), given[drawn].tolist(), labels=labels) for given in (before, after))
        figures.append((two.accuracy.value, two.f1.value))
        difference.append((two.accuracy.value - one.accuracy.value, two.f1.value - one.f1.value))
    found = measure(truth.tolist(), after.tolist(), labels=labels)
    differ = compare(truth.tolist(), before.tolist(), after.tolist(), labels=labels)
    for pair, draws in (((found.accuracy, found.f1), figures), ((differ.accuracy, differ.f1), difference)):
        for interval, column in zip(pair, zip(*draws, strict=True), strict=True):
            low, high = np.percentile(column, [2.5, 97.5])
            assert (interval.low, interval.high) == (pytest.approx(low, abs=0.013), pytest.approx(high, abs=0.013))


def test_the_interval_of_the_mean_f1_covers_the_truth_as_often_as_it_says() -> None:
    """200 small test sets of a classifier of five labels; the bounds allow for the chance in them."""
    draw = random.Random(7)
    skill = (0.95, 0.9, 0.8, 0.7, 0.99)

    def sample(rows: int) -> tuple[list[int], list[int]]:
        truth = [draw.randrange(5) for _ in range(rows)]
        return truth, [label if draw.random() < skill[label] else draw.randrange(5) for label in truth]

    real = measure(*sample(100_000), labels=5).macro_f1.value
    found = [measure(*sample(60), labels=5).macro_f1 for _ in range(200)]
    assert 0.90 <= sum(one.low <= real <= one.high for one in found) / 200 <= 0.99


def test_classifiers_that_agree_do_not_differ() -> None:
    """The same answers differ by nothing, for one label a text and for several."""
    for truth, answers in (([0, 1, 2], [0, 1, 1]), ([(0,), (1, 2), ()], [(1,), (1,), (0, 2)])):
        found = compare(truth, answers, answers, labels=3, multilabel=isinstance(truth[0], tuple))
        assert found.accuracy == found.f1 == Interval(0.0, 0.0, 0.0)


def test_two_classes_use_the_f1_of_label_1() -> None:
    """The difference is that of the figures that `measure` gives."""
    truth, before, after = [1, 1, 0, 0, 1], [1, 0, 0, 0, 0], [1, 1, 1, 0, 0]
    found = compare(truth, before, after, labels=2)
    wanted = measure(truth, after, labels=2).f1.value - measure(truth, before, labels=2).f1.value
    assert found.f1.value == pytest.approx(wanted)
