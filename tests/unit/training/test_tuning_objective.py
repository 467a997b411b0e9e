"""The line of the validation split, from which a tuning job reads what it maximises."""

from __future__ import annotations

import re
from typing import Any

import pytest

from classifier.report.output import log_results
from classifier.training.callbacks import validation_line
from stacks.training.job.metrics import METRICS
from stacks.training.workflow.definition import OBJECTIVE


def objective(log: str) -> float:
    """What SageMaker takes as the metric: the last match in the log."""
    return float(re.findall(OBJECTIVE["Regex"], log)[-1])


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"accuracy": 0.869, "f1": 0.904, "pearson": 0.872}, 0.869),
        ({"accuracy": 0.5, "f1": 0.4, "macro_f1": 0.4, "pearson": None}, 0.5),
        ({"accuracy": 0.3, "f1": 0.47, "macro_f1": 0.47, "micro_f1": 0.6}, 0.47),
        ({"accuracy": 1.0, "f1": 1.0}, 1.0),
    ],
)
def test_objective_is_what_the_gate_compares(figures: dict[str, Any], expected: float) -> None:
    """The accuracy of classes and scores, the F1 of several labels a text; after the figures of the split."""
    line = validation_line(figures)
    assert objective(line) == expected
    assert line.startswith(f"eval_accuracy={figures['accuracy']:.4f} ")


def test_a_line_that_is_cut_in_two_gives_no_other_figure() -> None:
    """The container reads output in pieces of 64 KiB, which become events of the log: half a figure is none."""
    figures = {"accuracy": 0.8612, "f1": 0.9021, "pearson": -0.0123, "loss": 0.25}
    line = f"epoch=0.10 step=2/20 loss=0.1234 eta=9s {validation_line(figures)}"
    for place in range(len(line)):
        for name, regex in {**METRICS, "tuning_objective": OBJECTIVE["Regex"]}.items():
            pieces = [found for piece in (line[:place], line[place:]) for found in re.findall(regex, piece)]
            assert pieces in ([], re.findall(regex, line)), (name, place)


def test_final_objective_is_that_of_the_validation_split(caplog: pytest.LogCaptureFixture) -> None:
    """After training the job logs it once more, for the weights that it keeps; the test split has none."""

    def figures(accuracy: float) -> dict[str, Any]:
        return {**{name: {"value": accuracy} for name in ("accuracy", "f1")}, "pearson": 0.5}

    int8 = {"accuracy": 0.7, "f1": 0.7, "agreement": 1.0, "pearson": None, "split": "test"}
    evaluation = {"objective": "regression", "labels": ["a", "b"], "validation": figures(0.81), "test": figures(0.99)}
    with caplog.at_level("INFO"):
        log_results({**evaluation, "int8": int8, "baseline": None})
    assert objective(caplog.text) == 0.81
    assert caplog.text.count("tuning_objective=") == 1
