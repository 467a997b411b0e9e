"""CloudWatch's embedded metric format: metrics in lines of a log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.emulator.cloudwatch.service_metrics import measurements


def line(**changes: Any) -> str:
    directive = {
        "Namespace": "n",
        "Dimensions": [["service"], ["service", "code"]],
        "Metrics": [{"Name": "Problems", "Unit": "Count"}],
    }
    return json.dumps(
        {"_aws": {"CloudWatchMetrics": [directive]}, "service": "s", "code": "c", "Problems": [1, 2], **changes}
    )


def test_each_set_of_dimensions_is_a_metric() -> None:
    """The values are those that the line names, a list or one number."""
    alone, both = {"service": "s"}, {"service": "s", "code": "c"}
    assert list(measurements(line())) == [
        ("n", "Problems", value, "Count", dimensions) for dimensions in (alone, both) for value in (1.0, 2.0)
    ]
    assert [value for _, _, value, *_ in measurements(line(Problems=3))] == [3.0, 3.0]


@pytest.mark.parametrize("text", ["", "START", '{"level": "INFO"}', '{"_aws": 1}', '{"_aws": {', line(Problems="x")])
def test_other_lines_carry_nothing(text: str) -> None:
    """What is not as the format asks for is an ordinary line, not an error."""
    assert list(measurements(text)) == []
