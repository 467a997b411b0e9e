"""The drift check: it returns a shift for each feature, or the reason why there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from distribution.features import MAX_LABEL_SERIES, count_series, label_series
from drift.counts import BaselineError
from shared.errors import FunctionError

if TYPE_CHECKING:
    from conftest import World

USUAL = {"confidence": [5, 5, 10, 20, 20, 40], "length": [0, 20, 25, 27, 23, 5]}
SHORT = {"confidence": [5, 5, 10, 20, 20, 40], "length": [100, 0, 0, 0, 0, 0]}


def as_usual(world: World, minutes: range) -> None:
    for minute in minutes:
        world.cloudwatch.predicted(minute, {"bad": 30, "good": 70}, **USUAL)


def test_traffic_like_the_baseline_has_not_drifted(world: World) -> None:
    """All three features are compared, and none has drifted."""
    as_usual(world, range(1, 20))
    found = world.check()
    assert (found.version, found.predictions) == ("7", 500)
    assert set(found.shifts) == {"label", "confidence", "length"}
    assert found.largest == 0


def test_the_newest_predictions_count(world: World) -> None:
    """A shift shows as soon as the sample is full of it, however much traffic came before."""
    as_usual(world, range(10, 1400))
    for minute in range(1, 6):
        world.cloudwatch.predicted(minute, {"bad": 30, "good": 70}, **SHORT)
    found = world.check()
    assert found.predictions == 500
    assert found.shifts["length"].excess > 1 > 0.2 > found.shifts["label"].excess


def test_another_mix_of_labels_is_a_drift(world: World) -> None:
    """It is a drift even if lengths and confidence stay the same."""
    for minute in range(1, 6):
        world.cloudwatch.predicted(minute, {"bad": 70, "good": 30}, **USUAL)
    assert world.check().largest > 0.2


def test_too_little_traffic_says_nothing(world: World) -> None:
    """It is not compared, even if it looks very different."""
    for minute in range(1, 5):
        world.cloudwatch.predicted(minute, {"bad": 100}, **SHORT)
    found = world.check()
    assert (found.largest, found.predictions, found.nothing_said) == (None, 400, "fewer than 500 predictions")


def test_old_traffic_does_not_count(world: World) -> None:
    """Traffic older than the window is not requested."""
    as_usual(world, range(24 * 60 + 1, 24 * 60 + 20))
    assert world.check().predictions == 0


def test_without_a_champion_there_is_nothing_to_compare(world: World) -> None:
    """A model from the hub, or no model, is not an error."""
    world.package_arn = ""
    found = world.check()
    assert (found.version, found.largest, found.nothing_said) == (None, None, "no model package serves")


def test_a_model_of_many_labels_is_compared_by_groups(world: World) -> None:
    """Traffic of one label alone is a drift even if it shares its series with others."""
    names = [f"label {number}" for number in range(77)]
    baseline = json.loads(world.baseline)
    baseline["label"] = {**dict.fromkeys(names, 12), "label 76": 88}
    world.baseline = json.dumps(baseline).encode()
    alike = count_series({name: value // 2 for name, value in baseline["label"].items()}, len(names))
    world.cloudwatch.predicted(1, alike, confidence=[500, 0, 0, 0, 0, 0], length=[500, 0, 0, 0, 0, 0])
    found = world.check()
    assert found.shifts["label"].bins <= MAX_LABEL_SERIES and found.shifts["label"].excess == 0
    assert len(world.cloudwatch.queries) < 40
    one = {label_series("label 3", len(names)): 500}
    world.cloudwatch.values.clear()
    world.cloudwatch.predicted(1, one, confidence=[500, 0, 0, 0, 0, 0], length=[500, 0, 0, 0, 0, 0])
    assert world.check().shifts["label"].excess > 0.2


def test_several_labels_a_text_are_compared(world: World) -> None:
    """There are more labels than predictions, and texts without one; a shift among them is seen."""
    baseline = json.loads(world.baseline)
    baseline["label"] = {"joy": 600, "love": 500, "(none)": 200}
    world.baseline = json.dumps(baseline).encode()
    usual = {"confidence": [25, 25, 50, 100, 100, 200], "length": [0, 100, 125, 135, 115, 25]}
    world.cloudwatch.predicted(1, {"joy": 300, "love": 250, "(none)": 100}, **usual)
    assert (world.check().predictions, world.check().largest) == (500, 0)
    world.cloudwatch.predicted(1, {"joy": 100, "love": 50, "(none)": 400}, **usual)
    assert world.check().shifts["label"].excess > 0.2


@pytest.mark.parametrize("baselines", [{}, {"ModelDataQuality": {}}])
def test_a_package_without_a_baseline_says_nothing(world: World, baselines: dict[str, object]) -> None:
    """Such a package was registered by an older version or by hand."""
    world.package["DriftCheckBaselines"] = baselines
    assert world.check().nothing_said == "the champion's package has no baseline"


def test_a_baseline_of_no_rows_says_nothing(world: World) -> None:
    """The model was registered without answers."""
    nothing = [0] * 6
    world.baseline = json.dumps({"label": {"a": 0}, "confidence": nothing, "length": nothing}).encode()
    assert world.check().nothing_said.startswith("the champion was registered without answers")


def test_a_package_that_cannot_be_described_is_an_error(world: World) -> None:
    """Without an error the check would look healthy."""
    del world.package["InferenceSpecification"]
    with pytest.raises(FunctionError, match="InferenceSpecification"):
        world.check()


def test_metrics_that_cannot_be_read_are_an_error(world: World) -> None:
    """Without an error here, too, the check would look healthy."""
    world.cloudwatch.failure = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricData")
    with pytest.raises(FunctionError, match="AccessDenied"):
        world.check()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"label": 1}',
        b'{"label": {"a": 6}, "confidence": [1,1,1,1,1,1], "length": [1,1,1,1,1]}',
        b'{"label": {"a": 0}, "confidence": [1,1,1,1,1,1], "length": [1,1,1,1,1,1]}',
        b'{"label": {"a": 6}, "confidence": [1,1,1,1,1,1], "length": [1,1,1,1,1,2]}',
        b'{"label": {"a": 6}, "confidence": [1,1,1,1,1,1], "length": [1,1,1,1,3,-1]}',
        b'{"label": {"a": 6}, "confidence": [1,1,1,1,1,1], "length": [1,1,1,1,1,1.0]}',
    ],
)
def test_a_broken_baseline_is_an_error_that_names_it(world: World, content: bytes) -> None:
    """The error names the file and says what to do."""
    world.baseline = content
    with pytest.raises(BaselineError, match=r"baseline\.json .*train and release a model anew"):
        world.check()
