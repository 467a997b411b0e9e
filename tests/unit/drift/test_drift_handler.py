"""The drift check's metrics, answer and settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics

from drift.check import CheckResult
from drift.handler import as_dict, publish
from drift.settings import Settings
from drift.stability import Shift
from shared.errors import MisconfiguredError

VARIABLES = {
    "SERVING_STACK": "s",
    "POWERTOOLS_METRICS_NAMESPACE": "n",
    "POWERTOOLS_SERVICE_NAME": "drift",
    "PREDICT_SERVICE": "predict",
    "SAMPLE_PREDICTIONS": "500",
    "WINDOW_HOURS": "24",
}
MOVED = CheckResult(
    "7", 520, {"label": Shift(0.05, 0.01, 2), "confidence": Shift(0.5, 0.1, 6), "length": Shift(0, 0.1, 5)}
)


def published(result: CheckResult, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The metrics of a check."""
    publish(result, EphemeralMetrics(namespace="n", service="drift"))
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"], line["service"]) == ("n", [["service"]], "drift")
    return {metric["Name"]: round(line[metric["Name"]][0], 9) for metric in directive["Metrics"]}


def test_the_largest_drift_is_a_metric_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The part that chance explains is subtracted, and no value falls below zero."""
    assert published(MOVED, capsys) == {
        "JudgedPredictions": 520,
        "LabelDrift": 0.04,
        "ConfidenceDrift": 0.4,
        "LengthDrift": 0,
        "Drift": 0.4,
    }


def test_without_a_comparison_only_the_predictions_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The alarm keeps its state then; a zero would end it."""
    assert published(CheckResult("7", 12, nothing_said="fewer"), capsys) == {"JudgedPredictions": 12}


def test_the_answer_says_how_it_came_about() -> None:
    """It gives index, chance and bins of each feature."""
    answer = as_dict(MOVED)
    assert (answer["drift"], answer["predictions"], answer["nothing_said"]) == (0.4, 520, None)
    assert answer["features"]["confidence"] == {"index": 0.5, "by_chance": 0.1, "drift": 0.4, "bins": 6}
    assert as_dict(CheckResult(nothing_said="no model"))["drift"] is None


def test_settings_are_read_from_the_environment() -> None:
    """Counts are parsed as numbers."""
    settings = Settings.from_environment(VARIABLES)
    assert (settings.sample, settings.window_hours, settings.predict_service) == (500, 24, "predict")


@pytest.mark.parametrize(
    ("name", "value"), [(name, "") for name in VARIABLES] + [("WINDOW_HOURS", "0"), ("SAMPLE_PREDICTIONS", "many")]
)
def test_a_variable_that_is_missing_or_wrong_is_named(name: str, value: str) -> None:
    """The error names the variable and what it has to be."""
    with pytest.raises(MisconfiguredError, match=f"environment variable {name} is "):
        Settings.from_environment({**VARIABLES, name: value})
