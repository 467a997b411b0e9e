"""Accuracy, F1, their intervals, and the metric modules behind them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.evaluation.evaluation import calibration, evaluate_answers, pearson, point_figures
from classifier.evaluation.metrics import MODULE, load_metrics

LABELS = np.array([1, 1, 1, 0, 0, 1, 0, 1])
ANSWERS = np.array([1, 0, 1, 0, 1, 1, 0, 1])  # 4 hits, 1 false alarm, 1 miss, 2 right rejections


def test_accuracy_and_f1_of_a_case_worked_by_hand() -> None:
    """6 of 8 are right; F1 is 2*4 / (2*4 + 1 + 1)."""
    assert point_figures(ANSWERS, LABELS, 2) == {"accuracy": 0.75, "f1": 0.8, "pearson": None}


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
    assert point_figures(np.array(predictions), np.array(labels), 2)["f1"] == pytest.approx(expected)


def test_a_metric_module_loads_by_path_as_in_the_article(monkeypatch: pytest.MonkeyPatch) -> None:
    """`evaluate.load` with the folder's path works without a network."""
    import evaluate

    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    metric = evaluate.load(str(MODULE), "accuracy", keep_in_memory=True)
    assert metric.compute(predictions=[1, 0], references=[1, 1]) == {"accuracy": 0.5}


def test_the_interval_holds_its_figure() -> None:
    """The figure lies between its ends, and the rows are counted."""
    confidences = np.full((8, 2), 0.5)
    found = evaluate_answers(ANSWERS, LABELS, label_names=("no", "yes"), confidences=confidences).as_dict()
    for name in ("accuracy", "f1", "macro_f1"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]
    assert found["rows"] == 8 and found["classes"]["yes"]["recall"]["value"] == 0.8
    assert found["confused"] == [
        {"truth": "no", "answer": "yes", "rows": 1},
        {"truth": "yes", "answer": "no", "rows": 1},
    ]


@pytest.mark.parametrize(("labels", "several"), [(2, False), (5, False), (4, True)])
def test_the_gates_figures_are_those_of_the_training_job(labels: int, several: bool) -> None:
    """The standard library's accuracy and F1s are those computed while training, and those of scikit-learn."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    shape = (333, labels) if several else (333,)
    truth = rng.integers(0, 2 if several else labels, shape)
    answers = np.where(rng.random(shape) < 0.8, truth, rng.integers(0, 2 if several else labels, shape))
    if several:
        truth, answers = truth.astype(bool), answers.astype(bool)
    names = tuple(map(str, range(labels)))
    confidences = np.ones((333, labels)) / labels
    job = point_figures(answers, truth, labels)
    gate = evaluate_answers(answers, truth, label_names=names, confidences=confidences).points()
    assert {name: gate[name] for name in job} == pytest.approx(job)
    average = "binary" if labels == 2 else "macro"
    assert job["f1"] == pytest.approx(metrics.f1_score(truth, answers, average=average))
    assert gate["macro_f1"] == pytest.approx(metrics.f1_score(truth, answers, average="macro"))
    assert gate["micro_f1"] == pytest.approx(metrics.f1_score(truth, answers, average="micro"))


@pytest.mark.parametrize("average", ["macro", "micro"])
def test_the_article_can_ask_for_another_average(average: str) -> None:
    """The metric module computes F1 of many classes by the name that `evaluate` users know."""
    metrics = pytest.importorskip("sklearn.metrics")
    import evaluate

    rng = np.random.default_rng(6)
    truth, answers = rng.integers(0, 4, 100), rng.integers(0, 4, 100)
    metric = evaluate.load(str(MODULE), "f1", keep_in_memory=True)
    found = metric.compute(predictions=answers, references=truth, average=average)
    assert found["f1"] == pytest.approx(metrics.f1_score(truth, answers, average=average))


def test_calibration_compares_confidence_with_what_is_right() -> None:
    """Answers that are 90 % sure and right in 60 % of the rows are off by 0.3; every row is in one bin."""
    right = np.arange(100) % 10 < 6
    found = calibration(np.full(100, 0.9), right)
    assert sum(of["rows"] for of in found["bins"]) == 100 and len(found["bins"]) == 10
    assert found["ece"] == pytest.approx(0.3)
    assert calibration(np.array([0.8]), np.array([True]))["ece"] == pytest.approx(0.2)


def test_pearson_is_left_out_where_it_is_not_defined() -> None:
    """No scores, or scores that do not vary, have no correlation."""
    varying = np.array([0.1, 0.9, 0.5])
    assert pearson(None, varying) is None
    assert pearson(varying, np.ones(3)) is None
    assert pearson(varying, 2 * varying + 1) == pytest.approx(1.0)
