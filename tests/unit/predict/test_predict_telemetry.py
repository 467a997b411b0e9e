"""predict.observability: what is counted about answers, and that texts are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from distribution.features import CONFIDENCE, FEATURES, MAX_LABEL_SERIES, label_series
from predict.observability import Telemetry
from shared.answers import Prediction


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry(namespace="text-classifier-dev", service="predict")


def metrics(capsys: pytest.CaptureFixture[str]) -> list[tuple[dict[str, str], dict[str, float]]]:
    """What CloudWatch would take from the log: (dimensions, values) of each line."""
    found = []
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "text-classifier-dev"
        (names,) = directive["Dimensions"]
        values = {metric["Name"]: sum(line[metric["Name"]]) for metric in directive["Metrics"]}
        found.append(({name: line[name] for name in names}, values))
    return found


def predictions(*labels: str, confidence: float = 0.97) -> list[Prediction]:
    return [Prediction(label, confidence, None, None) for label in labels]


def test_labels_are_counted_by_their_own_names(telemetry: Telemetry, capsys: Any) -> None:
    """One metric for each label that was given, under the version that gave it."""
    telemetry.count_predictions(["a", "b", "c"], predictions("good", "bad", "good"), "3")
    base = {"service": "predict", "model_version": "3"}
    labels = [found for found in metrics(capsys) if "label" in found[0]]
    assert labels == [({**base, "label": "good"}, {"Predictions": 2}), ({**base, "label": "bad"}, {"Predictions": 1})]


def test_several_labels_of_a_text_are_counted_each(telemetry: Telemetry, capsys: Any) -> None:
    """What was given counts, not what was most probable; a text without a label counts by itself."""
    given = [Prediction("joy", 0.9, None, False, labels) for labels in (("joy", "love"), ("joy",), ())]
    telemetry.count_predictions(["a", "b", "c"], given, "3", 28 // 2)
    labels = {found["label"]: values["Predictions"] for found, values in metrics(capsys) if "label" in found}
    assert labels == {"joy": 2, "love": 1, "(none)": 1}


def test_many_labels_make_a_bounded_number_of_series(telemetry: Telemetry, capsys: Any) -> None:
    """Every metric has a price: a model with a thousand labels has no more of them than one with twenty."""
    names = [f"label {number}" for number in range(1000)]
    telemetry.count_predictions(names, predictions(*names), "3", len(names))
    series = {found["label"]: values["Predictions"] for found, values in metrics(capsys) if "label" in found}
    assert len(series) == MAX_LABEL_SERIES and sum(series.values()) == 1000


@pytest.mark.parametrize("name", ["größe", "愤怒", "50 %", "x" * 1000, "☃" * 300, "line\nbreak", "(none)", "%C3"])
def test_a_series_has_a_name_that_cloudwatch_takes(name: str) -> None:
    """ASCII of some length, and other labels have other names."""
    found = label_series(name, 20)
    assert found.isascii() and found.isprintable() and 0 < len(found) <= 255
    assert found != label_series(name + "x", 20) and label_series("spam or ham?", 2) == "spam or ham?"


def test_every_prediction_is_in_one_bin_of_each_feature(telemetry: Telemetry, capsys: Any) -> None:
    """All bins are written, empty ones too, so that each metric exists from the first request on."""
    telemetry.count_predictions(["x" * 10, "x" * 500], predictions("a", "b"), "3")
    (dimensions, values), *_ = metrics(capsys)
    assert dimensions == {"service": "predict", "model_version": "3"}
    assert set(values) == {metric for feature in FEATURES for metric in feature.metrics}
    assert (values["LengthBelow25"], values["LengthFrom150"], values["ConfidenceFrom95"]) == (1, 1, 2)
    assert sum(values.values()) == 2 * len(FEATURES)


@pytest.mark.parametrize(
    ("confidence", "place"), [(0.5, 0), (0.5999, 0), (0.6, 1), (0.8999, 3), (0.9, 4), (0.95, 5), (1.0, 5)]
)
def test_a_bin_begins_with_its_edge(confidence: float, place: int) -> None:
    """A value on an edge belongs to the bin above it."""
    assert CONFIDENCE.count([confidence]).index(1) == place


def test_a_model_without_a_version_is_counted_by_itself(telemetry: Telemetry, capsys: Any) -> None:
    """Its traffic never mixes with that of a released model."""
    telemetry.count_predictions(["x"], predictions("a"), None)
    assert {found["model_version"] for found, _ in metrics(capsys)} == {"unknown"}


def test_no_text_is_written(telemetry: Telemetry, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts alone leave the function."""
    telemetry.count_predictions(["my secret"], predictions("a"), "3")
    assert "secret" not in capsys.readouterr().out
