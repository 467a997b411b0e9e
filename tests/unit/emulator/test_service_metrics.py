"""CloudWatch's embedded metric format: metrics in lines of a log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs, lambda_svc

from local.emulator.cloudwatch import service_metrics
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


def test_invocations_of_a_function_log_to_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred of them, the latest lines are kept, and other streams of the group stay."""
    monkeypatch.setattr(service_metrics, "_MOST_LINES", 40)
    with request_scope("000000000000", "us-east-1"):
        for number in range(100):
            service_metrics.emit_lambda_logs(
                lambda_svc._emit_lambda_logs, {"config": {"FunctionName": "f"}}, f"r{number}", "a line", False, 1
            )
            streams = cloudwatch_logs._log_groups["/aws/lambda/f"]["streams"]
            streams.setdefault("own", {"events": []})
        kept = next(stream["events"] for name, stream in streams.items() if name != "own")
        cloudwatch_logs._log_groups._data.clear()
    assert len(streams) == 2
    assert [event["message"].split()[2] for event in kept if event["message"].startswith("START")] == [
        f"r{number}" for number in range(90, 100)
    ]
