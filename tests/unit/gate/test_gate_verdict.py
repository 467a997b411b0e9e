"""The rules of the verdict, one by one."""

from __future__ import annotations

import math

import pytest

from classifier.evaluation.figures import ClassFigures, Figures, Interval, measure
from gate.evidence.job_output import Baseline
from gate.statistics.measure import Comparison, Measured
from gate.statistics.slices import SliceCounts, compare_slices
from gate.statistics.verdict import (
    MIN_COMPARED_ROWS,
    MIN_ROWS,
    Thresholds,
    Verdict,
    floor_for,
    margin_for,
    reach_verdict,
)

FIGURES = Figures(1, *[Interval(0.9, 0.8, 1.0)] * 4, classes=(), confused=())
GATE = Thresholds(min_accuracy=0.8, min_f1=0.8, margin=0.03)


def comparison(accuracy_low: float = 0.0, f1_low: float = 0.0, *slices: SliceCounts) -> Comparison:
    return Comparison(
        Interval(accuracy_low + 0.01, accuracy_low, accuracy_low + 0.02),
        Interval(f1_low + 0.01, f1_low, f1_low + 0.02),
        compare_slices(slices),
        FIGURES,
    )


def measured(
    accuracy_low: float = 0.9,
    f1_low: float = 0.9,
    *,
    ones: int = 600,
    rows: int = 1000,
    compared: Comparison | None = None,
    multilabel: bool = False,
    baseline: Baseline | None = None,
) -> Measured:
    """A challenger with these lower ends; the rules do not read the number of right answers."""
    accuracy = Interval(accuracy_low + 0.02, accuracy_low, accuracy_low + 0.04)
    f1 = Interval(f1_low + 0.02, f1_low, f1_low + 0.04)
    classes = (ClassFigures(rows - ones, rows - ones, rows - ones), ClassFigures(ones, ones, ones))
    figures = Figures(rows, accuracy, f1, f1, accuracy, classes, ())
    return Measured(figures, multilabel, max(ones, rows - ones) / rows, compared, baseline)


def failed(verdict: Verdict) -> list[str]:
    return [check.name for check in verdict.checks if not check.passed]


def test_a_first_model_needs_only_the_floors() -> None:
    """Without a champion there are three checks."""
    verdict = reach_verdict(measured(), GATE)
    assert verdict.outcome == "passed"
    assert [check.name for check in verdict.checks] == ["accuracy floor", "commonest label", "F1 floor"]


@pytest.mark.parametrize(
    ("accuracy_low", "f1_low", "names"),
    [(0.8001, 0.8001, []), (0.8, 0.9, ["accuracy floor"]), (0.9, 0.8, ["F1 floor"])],
)
def test_the_lower_end_must_be_above_the_floor(accuracy_low: float, f1_low: float, names: list[str]) -> None:
    """The lower end counts, not the figure itself."""
    assert failed(reach_verdict(measured(accuracy_low, f1_low), GATE)) == names


@pytest.mark.parametrize("ones", [850, 150])
def test_saying_always_the_commonest_label_is_not_enough(ones: int) -> None:
    """This holds for both labels, even with a floor below the label's share."""
    verdict = reach_verdict(measured(0.85, ones=ones), GATE)
    assert failed(verdict) == ["commonest label"]
    assert reach_verdict(measured(0.8501, ones=ones), GATE).outcome == "passed"


@pytest.mark.parametrize(("low", "outcome"), [(-0.0299, "passed"), (-0.03, "refused")])
def test_the_paired_difference_must_be_above_minus_the_margin(low: float, outcome: str) -> None:
    """This holds for the lower ends of accuracy and F1 alike."""
    assert reach_verdict(measured(compared=comparison(low)), GATE).outcome == outcome
    assert reach_verdict(measured(compared=comparison(0.0, low)), GATE).outcome == outcome


def test_a_slice_that_is_worse_refuses() -> None:
    """However good the whole is, the slice refuses, and the reason names it."""
    verdict = reach_verdict(measured(compared=comparison(0.0, 0.0, SliceCounts("family: lamps", 40, 12, 0, 20))), GATE)
    assert verdict.outcome == "refused"
    assert len(verdict.reasons) == 1 and "family: lamps (40 rows)" in verdict.reasons[0]


def test_a_refusal_names_every_failed_check_with_its_numbers() -> None:
    """Each failed check has a sentence; passed checks have none."""
    verdict = reach_verdict(measured(0.7, 0.75, compared=comparison(-0.05)), GATE)
    assert failed(verdict) == ["accuracy floor", "F1 floor", "Accuracy difference"]
    assert verdict.reasons[0] == (
        "Accuracy 0.720: the lower end of its 95 % interval, 0.700, is not above the floor of 0.800 for 1000 test rows."
    )
    assert "-0.0500, is not above the allowed -0.0300." in verdict.reasons[2]


@pytest.mark.parametrize("rows", [100, 177, 400, 999])
def test_the_same_observed_accuracy_passes_at_every_size(rows: int) -> None:
    """A floor minus its standard errors moves as the lower end of an interval around the floor's height does."""
    observed = 0.8 + 1.96 * math.sqrt(0.8 * 0.2 / 1000)
    lower_end = observed - 1.96 * math.sqrt(0.8 * 0.2 / rows)
    assert lower_end == pytest.approx(floor_for(0.8, rows))
    assert floor_for(0.8, rows) < 0.8


def test_floors_and_margin_hold_from_the_reference_size_on() -> None:
    """More rows do not tighten them; no floor is negative."""
    assert floor_for(0.8, 1000) == floor_for(0.8, 5000) == 0.8
    assert margin_for(0.03, 1000) == margin_for(0.03, 5000) == 0.03
    assert floor_for(0.05, 4) == 0.0


def test_a_smaller_test_set_widens_the_margin_and_says_so() -> None:
    """With the square root of the size: a quarter of the rows, twice the margin."""
    verdict = reach_verdict(measured(rows=250, ones=150, compared=comparison(-0.059)), GATE)
    assert verdict.margin == pytest.approx(0.06)
    assert verdict.outcome == "passed"
    assert "allowed -0.0600 (widened for the size of the test set)" in " ".join(verdict.reasons)


def test_too_few_rows_are_left_to_a_person_unless_something_fails() -> None:
    """From 30 rows on the statistics decide, between two models from 100; fewer rows can only refuse."""
    assert reach_verdict(measured(rows=MIN_ROWS, ones=18), GATE).outcome == "passed"
    few = reach_verdict(measured(rows=MIN_ROWS - 1, ones=17), GATE)
    assert few.outcome == "undecided" and "29 test rows are too few to decide" in few.reasons[0]
    assert reach_verdict(measured(0.1, rows=MIN_ROWS - 1, ones=17), GATE).outcome == "refused"
    compared = comparison()
    assert reach_verdict(measured(rows=MIN_COMPARED_ROWS, ones=60, compared=compared), GATE).outcome == "passed"
    few = reach_verdict(measured(rows=MIN_COMPARED_ROWS - 1, ones=60, compared=compared), GATE)
    assert few.outcome == "undecided" and "99 test rows are too few to compare two models" in few.reasons[0]


def test_auto_floors_suit_the_data() -> None:
    """Above the commonest label, and not shown to be worse than the baseline; there is no fixed number."""
    auto = Thresholds.from_request({"min_accuracy": "auto", "min_f1": "auto", "margin": "auto"})
    assert auto == Thresholds() and Thresholds.from_request({}) == auto
    assert [check.name for check in reach_verdict(measured(0.61, 0.3), auto).checks] == ["commonest label"]
    known = Baseline("TF-IDF", accuracy=0.645, f1=0.335)
    verdict = reach_verdict(measured(0.61, 0.3, baseline=known), auto)
    assert verdict.outcome == "passed"
    assert [check.name for check in verdict.checks] == ["accuracy baseline", "commonest label", "F1 baseline"]
    better = Baseline("TF-IDF", accuracy=0.67, f1=0.36)
    verdict = reach_verdict(measured(0.61, 0.3, baseline=better), auto)
    assert failed(verdict) == ["accuracy baseline", "F1 baseline"]
    assert verdict.reasons[0] == (
        "Accuracy 0.630 is shown to be worse than the 0.670 that the baseline (TF-IDF) reaches: "
        "the upper end of the difference's 95 % interval is -0.004."
    )


@pytest.mark.parametrize(("wrong", "outcome"), [(0, "passed"), (1, "passed"), (3, "passed"), (8, "refused")])
def test_a_wrong_row_is_no_loss_against_a_perfect_baseline(wrong: int, outcome: str) -> None:
    """The baseline's 242 of 242 is an estimate too: one wrong row may be chance, eight are not."""
    truth = [row % 2 for row in range(242)]
    answers = [1 - label if row < wrong else label for row, label in enumerate(truth)]
    figures = measure(truth, answers, labels=2)
    made = Measured(figures, False, 0.5, None, Baseline("TF-IDF", accuracy=1.0, f1=1.0))
    assert reach_verdict(made, Thresholds()).outcome == outcome


def test_a_number_replaces_the_baseline() -> None:
    """Each threshold by itself: a given number is a floor as before."""
    thresholds = Thresholds.from_request({"min_accuracy": 0.5, "min_f1": "auto", "margin": 0.01})
    verdict = reach_verdict(measured(0.61, baseline=Baseline("TF-IDF", 0.99, 0.99)), thresholds)
    assert [check.name for check in verdict.checks] == ["accuracy floor", "commonest label", "F1 baseline"]
    assert verdict.margin == 0.01


def test_several_labels_are_judged_on_the_macro_f1() -> None:
    """Exactly right sets are shown and have no floor; always giving every label is not enough."""
    known = Baseline("TF-IDF", accuracy=0.99, f1=0.5)
    compared = comparison(accuracy_low=-0.5)
    verdict = reach_verdict(measured(0.1, 0.7, multilabel=True, baseline=known, compared=compared), Thresholds())
    assert verdict.outcome == "passed"
    assert [check.name for check in verdict.checks] == ["F1 baseline", "every label", "F1 difference"]
    assert failed(reach_verdict(measured(0.9, 0.6, multilabel=True), Thresholds())) == ["every label"]
