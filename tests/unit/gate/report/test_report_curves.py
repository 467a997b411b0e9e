"""The computations behind the charts, against scikit-learn."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from gate.report import curves
from gate.report.data import Row
from gate.report.errors import WrongReportData

SEEDS = range(12)


def sample(seed: int) -> tuple[list[int], list[float]]:
    """Labels and probabilities with many ties on odd seeds, and both ends of the range."""
    random_ = random.Random(seed)
    size = random_.choice([5, 40, 700])
    labels = [1, 0, *(random_.randint(0, 1) for _ in range(size))]
    decimals = 1 if seed % 2 else 6
    drawn = [min(1, max(0, random_.gauss(0.35 + 0.3 * label, 0.2))) for label in labels[2:]]
    return labels, [1.0, 0.0, *(round(probability, decimals) for probability in drawn)]


def row(label: int, predicted: int, *, score: float | None = None, true_score: float | None = None) -> Row:
    return Row(text="", label=label, predicted=predicted, probability=0.5, score=score, true_score=true_score)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_precision_recall_curve_is_scikit_learns(seed: int) -> None:
    """Every threshold has scikit-learn's precision and recall, ties included."""
    labels, probabilities = sample(seed)
    precision, recall, thresholds = precision_recall_curve(labels, probabilities)
    ours = curves.precision_recall(labels, probabilities)[::-1]
    assert [point.threshold for point in ours] == list(thresholds)
    assert [point.precision for point in ours] == pytest.approx(list(precision[:-1]))
    assert [point.recall for point in ours] == pytest.approx(list(recall[:-1]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_average_precision_is_scikit_learns(seed: int) -> None:
    """The same number to twelve digits."""
    labels, probabilities = sample(seed)
    ours = curves.average_precision(curves.precision_recall(labels, probabilities))
    assert ours == pytest.approx(average_precision_score(labels, probabilities), abs=1e-12)


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed % 2 == 0])
def test_the_reliability_bins_are_scikit_learns(seed: int) -> None:
    """The filled bins have scikit-learn's predicted and observed shares."""
    labels, probabilities = sample(seed)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10, strategy="uniform")
    filled = [b for b in curves.reliability(labels, probabilities) if b.count]
    assert [b.observed for b in filled] == pytest.approx(list(observed))
    assert [b.predicted for b in filled] == pytest.approx(list(predicted))


def test_every_row_is_in_one_bin() -> None:
    """The bins are closed above, and 0 and 1 fall into the first and the last."""
    bins = curves.reliability([0, 0, 1, 1], [0.0, 0.1, 0.1000001, 1.0])
    assert [b.count for b in bins] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_calibration_error_weighs_the_bins_with_their_rows() -> None:
    """Three rows at 0.95 of which two are true, one row at 0.05 that is false: (3 * |0.95 - 2/3| + 0.05) / 4."""
    bins = curves.reliability([1, 1, 0, 0], [0.95, 0.95, 0.95, 0.05])
    assert curves.expected_calibration_error(bins) == pytest.approx((3 * (0.95 - 2 / 3) + 0.05) / 4)
    assert curves.expected_calibration_error([]) == 0


def test_the_confusion_matrix_is_scikit_learns() -> None:
    """The same four counts, true labels down and answers across."""
    random_ = random.Random(3)
    pairs = [(random_.randint(0, 1), random_.randint(0, 1)) for _ in range(300)]
    matrix = curves.confusion(row(label, predicted) for label, predicted in pairs)
    assert [list(line) for line in matrix.counts] == confusion_matrix(*zip(*pairs, strict=True)).tolist()


def test_what_has_no_meaning_is_no_number() -> None:
    """Without rows of label 1 there is no curve and no recall, without answers of label 1 no precision."""
    assert curves.precision_recall([0, 0], [0.2, 0.9]) == []
    assert curves.confusion([row(0, 0)]).recall is None
    assert curves.confusion([row(0, 0)]).precision is None


def test_only_rows_with_two_scores_that_can_be_drawn_are_in_the_scatter() -> None:
    """A missing, an undefined, an endless or an absurd score leaves the row out."""
    rows = [row(1, 1, score=1.5, true_score=1.2), row(1, 0, score=1.5)]
    rows += [row(0, 0, score=score, true_score=1.0) for score in (float("nan"), float("inf"), -1.7e308)]
    assert curves.score_pairs(rows) == [(1.2, 1.5, True)]


def test_a_correlation_without_spread_is_none() -> None:
    """One row, or the same score everywhere, has no correlation; a straight line has 1."""
    assert curves.correlation([(1.0, 1.0, True)]) is None
    assert curves.correlation([(1.0, 1.0, True), (1.0, 2.0, True)]) is None
    assert curves.correlation([(0.0, 1.0, True), (1.0, 3.0, True)]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("label", 2), ("predicted", 0.5), ("champion_predicted", -1), ("probability", 1.5), ("probability", float("nan"))],
)
def test_a_row_that_nothing_can_draw_is_refused(field: str, value: float) -> None:
    """A label other than 0 and 1, or a probability outside of 0 to 1, is an error that names the field."""
    with pytest.raises(WrongReportData) as caught:
        replace(row(0, 0), **{field: value})  # type: ignore[arg-type]
    assert caught.value.name == field
