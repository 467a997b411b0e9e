"""The computations behind the charts, against scikit-learn."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve

from gate.evidence.answers import Answer
from gate.evidence.evidence import AnsweredRow
from gate.evidence.job_output import Row
from gate.report.probabilities import (
    average_precision,
    expected_calibration_error,
    precision_recall,
    reliability_bins,
)
from gate.report.report import Report
from gate.report.scores import correlation, score_pairs

SEEDS = range(12)


def sample(seed: int) -> tuple[list[int], list[float]]:
    """Labels and probabilities with many ties on odd seeds, and both ends of the range."""
    random_ = random.Random(seed)
    size = random_.choice([5, 40, 700])
    labels = [1, 0, *(random_.randint(0, 1) for _ in range(size))]
    decimals = 1 if seed % 2 else 6
    drawn = [min(1, max(0, random_.gauss(0.35 + 0.3 * label, 0.2))) for label in labels[2:]]
    return labels, [1.0, 0.0, *(round(probability, decimals) for probability in drawn)]


def row(label: int, answered: int, *, score: float | None = None, true_score: float | None = None) -> AnsweredRow:
    return AnsweredRow(Row("", label, true_score), Answer(answered, 0.5, score), None)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_precision_recall_curve_is_scikit_learns(seed: int) -> None:
    """Every threshold has scikit-learn's precision and recall, ties included."""
    labels, probabilities = sample(seed)
    precision, recall, thresholds = precision_recall_curve(labels, probabilities)
    ours = precision_recall(labels, probabilities)[::-1]
    assert [point.threshold for point in ours] == list(thresholds)
    assert [point.precision for point in ours] == pytest.approx(list(precision[:-1]))
    assert [point.recall for point in ours] == pytest.approx(list(recall[:-1]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_average_precision_is_scikit_learns(seed: int) -> None:
    """The same number to twelve digits."""
    labels, probabilities = sample(seed)
    ours = average_precision(precision_recall(labels, probabilities))
    assert ours == pytest.approx(average_precision_score(labels, probabilities), abs=1e-12)


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % 2 == 0])
def test_the_reliability_bins_are_scikit_learns(seed: int) -> None:
    """The filled bins have scikit-learn's predicted and observed shares."""
    labels, probabilities = sample(seed)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10, strategy="uniform")
    filled = [b for b in reliability_bins(labels, probabilities) if b.rows]
    assert [b.observed for b in filled] == pytest.approx(list(observed))
    assert [b.predicted for b in filled] == pytest.approx(list(predicted))


def test_every_row_is_in_one_bin() -> None:
    """The bins are closed above, and 0 and 1 fall into the first and the last."""
    bins = reliability_bins([0, 0, 1, 1], [0.0, 0.1, 0.1000001, 1.0])
    assert [b.rows for b in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_calibration_error_weighs_the_bins_with_their_rows() -> None:
    """Three rows at 0.95 of which two are true, one row at 0.05 that is false: (3 * |0.95 - 2/3| + 0.05) / 4."""
    bins = reliability_bins([1, 1, 0, 0], [0.95, 0.95, 0.95, 0.05])
    assert expected_calibration_error(bins) == pytest.approx((3 * (0.95 - 2 / 3) + 0.05) / 4)
    assert expected_calibration_error([]) == 0


def test_what_has_no_meaning_is_no_number() -> None:
    """Without rows of label 1 there is no curve."""
    assert precision_recall([0, 0], [0.2, 0.9]) == []


def test_only_rows_with_two_scores_that_can_be_drawn_are_in_the_scatter(report: Callable[..., Report]) -> None:
    """A row is left out where a score is missing, not a number, infinite or absurdly large."""
    rows = [row(1, 1, score=1.5, true_score=1.2), row(1, 0, score=1.5)]
    rows += [row(0, 0, score=score, true_score=1.0) for score in (float("nan"), float("inf"), -1.7e308)]
    assert score_pairs(report(rows)) == [(1.2, 1.5, True)]


def test_a_correlation_without_spread_is_none() -> None:
    """One row, or the same score everywhere, has no correlation; a straight line has 1."""
    assert correlation([(1.0, 1.0, True)]) is None
    assert correlation([(1.0, 1.0, True), (1.0, 2.0, True)]) is None
    assert correlation([(0.0, 1.0, True), (1.0, 3.0, True)]) == pytest.approx(1)
