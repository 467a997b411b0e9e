"""The state of an alarm, from its datapoints."""

from __future__ import annotations

import pytest

from local.emulator.cloudwatch.alarms import alarm_state


def state_of(datapoints: list[float | None], *, to_alarm: int = 1, missing: str = "missing") -> str | None:
    return alarm_state(
        datapoints, comparison="GreaterThanOrEqualToThreshold", threshold=5, to_alarm=to_alarm, missing=missing
    )


@pytest.mark.parametrize(
    ("datapoints", "to_alarm", "expected"),
    [
        ([4.9], 1, "OK"),
        ([5.0], 1, "ALARM"),
        ([9, 1, 9], 2, "ALARM"),
        ([9, 1, 1], 2, "OK"),
        ([9, 9, 9], 3, "ALARM"),
    ],
)
def test_enough_datapoints_have_to_breach(datapoints: list[float | None], to_alarm: int, expected: str) -> None:
    """M out of N, in any order."""
    assert state_of(datapoints, to_alarm=to_alarm) == expected


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("missing", "INSUFFICIENT_DATA"), ("notBreaching", "OK"), ("breaching", "ALARM"), ("ignore", None)],
)
def test_without_any_data(missing: str, expected: str | None) -> None:
    """As TreatMissingData says; 'ignore' keeps the state."""
    assert state_of([None, None], missing=missing) == expected


@pytest.mark.parametrize(("missing", "expected"), [("notBreaching", "OK"), ("breaching", "ALARM")])
def test_a_gap_counts_as_configured(missing: str, expected: str) -> None:
    """One breaching value and one gap, two wanted."""
    assert state_of([9, None], to_alarm=2, missing=missing) == expected
