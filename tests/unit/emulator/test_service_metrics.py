"""CloudWatch's embedded metric format: metrics in lines of a log."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs, lambda_svc

from local.emulator.access import front_door
from local.emulator.cloudwatch import service_metrics
from local.emulator.cloudwatch.service_metrics import measurements
from local.emulator.sagemaker_bridge.surroundings import CloudSurroundings
from local.emulator.state import persistence
from local.sagemaker.common.names import Scope


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


def test_log_lines_reach_their_stream_without_a_call_and_are_saved_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Group and stream are made once, lines are in the order of their times, and none is empty."""
    monkeypatch.setattr(cloudwatch_logs._log_groups, "_data", {})
    monkeypatch.setattr(front_door, "client", lambda *_: pytest.fail("a signed call"))
    monkeypatch.setattr(persistence, "_changed", set())
    surroundings, scope = CloudSurroundings("us-east-1"), Scope("000000000000", "eu-west-1")
    surroundings.put_log(scope, "group", "stream", [(2, "second"), (1, "first")])
    surroundings.put_log(scope, "group", "stream", [(3, "")])
    surroundings.put_log(scope, "group", "other", [])
    with request_scope(*scope):
        streams = cloudwatch_logs._log_groups["group"]["streams"]
    assert [*streams] == ["stream"]
    assert [(event["timestamp"], event["message"]) for event in streams["stream"]["events"]] == [
        (1, "first"),
        (2, "second"),
        (3, " "),
    ]
    assert persistence._changed == {persistence.LATER}
