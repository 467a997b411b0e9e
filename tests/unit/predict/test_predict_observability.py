"""predict.observability: where logs, metrics and traces go."""

from __future__ import annotations

import json

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


def test_without_tracing_there_is_no_tracer() -> None:
    """The X-Ray SDK is not even loaded unless tracing was asked for."""
    assert create_observability(SETTINGS).tracer is None


def test_with_tracing_calls_of_botocore_are_traced() -> None:
    """The tracer patches botocore alone, through which the endpoint is asked."""
    settings = Settings(endpoint_name="e", tracing=True)
    tracer = create_observability(settings).tracer
    assert tracer is not None and tracer.service == "predict"
