"""predict.observability: where logs, metrics and traces go."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from predict.observability import create_observability
from predict.settings import Settings

SETTINGS = Settings(endpoint_name="e", metrics_namespace="text-classifier-dev")


def test_metrics_are_lines_of_the_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    """A flushed metric is one JSON line with the namespace of the settings and the service as its dimension."""
    metrics = create_observability(SETTINGS).metrics
    metrics.add_metric(name="Texts", unit="Count", value=3)
    metrics.flush_metrics()
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("text-classifier-dev", [["service"]])
    assert (line["Texts"], line["service"]) == ([3.0], "predict")


def test_two_sets_of_metrics_are_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """What one collects, another does not send."""
    one, other = (create_observability(SETTINGS).metrics for _ in range(2))
    one.add_metric(name="Texts", unit="Count", value=3)
    other.add_metric(name="Other", unit="Count", value=1)
    other.flush_metrics()
    assert "Texts" not in capsys.readouterr().out


def test_log_lines_carry_the_trace_id(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda tells it by a variable, so that a line and a trace are found from each other without X-Ray's SDK."""
    trace = "1-5759e988-bd862e3fe1be46a994272793"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={trace};Parent=53995c3f42cd8ad8;Sampled=1")
    create_observability(replace(SETTINGS, service="traced")).logger.info("answered")  # a logger of its own
    assert json.loads(capsys.readouterr().out)["xray_trace_id"] == trace
