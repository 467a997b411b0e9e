"""Accuracy, F1, their intervals, and the metric modules behind them."""

import numpy as np
import pytest
from classifier.bootstrap import bootstrap_intervals
from classifier.evaluation import evaluate_answers, pearson, point_figures
from classifier.metrics import FOLDER, load_metrics
from hypothesis import given, settings
from hypothesis import strategies as st

LABELS = np.array([1, 1, 1, 0, 0, 1, 0, 1])
ANSWERS = np.array([1, 0, 1, 0, 1, 1, 0, 1])  # 4 hits, 1 false alarm, 1 miss, 2 right rejections


def test_accuracy_and_f1_of_a_case_worked_by_hand() -> None:
    """6 of 8 are right; F1 is 2*4 / (2*4 + 1 + 1)."""
    assert point_figures(ANSWERS, LABELS) == {"accuracy": 0.75, "f1": 0.8, "pearson": None}


def test_f1_without_any_positive_is_zero() -> None:
    """No positive on either side is 0 rather than a division by zero."""
    assert load_metrics().compute(predictions=[0, 0], references=[0, 0])["f1"] == 0.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_f1_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    """The local module agrees with the usual implementation on any answers."""
    sklearn = pytest.importorskip("sklearn.metrics")
    predictions, labels = zip(*pairs, strict=True)
    expected = sklearn.f1_score(labels, predictions, zero_division=0.0)
    assert point_figures(np.array(predictions), np.array(labels))["f1"] == pytest.approx(expected)


def test_a_metric_module_loads_by_path_as_in_the_article(monkeypatch: pytest.MonkeyPatch) -> None:
    """`evaluate.load` with the folder's path works without a network."""
    import evaluate

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    metric = evaluate.load(str(FOLDER / "accuracy"), keep_in_memory=True)
    assert metric.compute(predictions=[1, 0], references=[1, 1]) == {"accuracy": 0.5}


def test_the_interval_is_that_of_resampling_rows() -> None:
    """Drawing the counts is drawing the rows: both ways give the same ends within the noise of the draw."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 500)
    answers = np.where(rng.random(500) < 0.8, labels, 1 - labels)
    ends = bootstrap_intervals(answers, labels, resamples=9_999, seed=0)
    rows = rng.integers(0, 500, (4_000, 500))
    accuracy = (answers == labels)[rows].mean(axis=1)
    hits, positives = (answers & labels)[rows].sum(axis=1), answers[rows].sum(axis=1) + labels[rows].sum(axis=1)
    assert ends["accuracy"] == pytest.approx(np.percentile(accuracy, [2.5, 97.5]), abs=0.004)
    assert ends["f1"] == pytest.approx(np.percentile(2 * hits / positives, [2.5, 97.5]), abs=0.004)


def test_the_interval_holds_its_figure() -> None:
    """The figure lies between its ends, and the rows are counted."""
    figures = evaluate_answers(ANSWERS, LABELS, resamples=999, seed=0)
    assert figures.accuracy.low <= figures.accuracy.value <= figures.accuracy.high
    assert figures.f1.low <= figures.f1.value <= figures.f1.high
    assert figures.rows == 8


def test_the_same_seed_gives_the_same_interval() -> None:
    """A report can be made again."""
    first = bootstrap_intervals(ANSWERS, LABELS, resamples=999, seed=5)
    assert first == bootstrap_intervals(ANSWERS, LABELS, resamples=999, seed=5)


def test_pearson_is_left_out_where_it_is_not_defined() -> None:
    """No scores, or scores that do not vary, have no correlation."""
    varying = np.array([0.1, 0.9, 0.5])
    assert pearson(None, varying) is None
    assert pearson(varying, np.ones(3)) is None
    assert pearson(varying, 2 * varying + 1) == pytest.approx(1.0)
