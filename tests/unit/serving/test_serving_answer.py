"""serving.answer: from one body to one answer, in every container."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from serving.answer import answer
from serving.predictor import load_predictor


def test_answer_has_the_contracts_form(tiny_artifact: Path) -> None:
    """Predictions in order, and the model's version."""
    result = answer(load_predictor(tiny_artifact), b'{"inputs": ["good", "bad"]}', version="3")
    assert (result.status, json.loads(result.body)) == (
        200,
        {
            "predictions": [
                {"label": "helpful", "confidence": 0.880797, "score": 1.5, "truncated": False},
                {"label": "not_helpful", "confidence": 0.880797, "score": 0.5, "truncated": False},
            ],
            "model": {"version": "3"},
        },
    )


def test_a_bad_body_is_a_bad_request(tiny_artifact: Path) -> None:
    """A caller's mistake is a 400 in the contract's error format."""
    result = answer(load_predictor(tiny_artifact), b"{}", version=None)
    assert (result.status, json.loads(result.body)["error"]["type"]) == (400, "bad_request")


def test_a_failing_model_is_a_model_error_without_its_reason(tiny_artifact: Path) -> None:
    """A failure of the model is a 500, without exception or traceback."""
    result = answer(load_predictor(tiny_artifact), b'{"inputs": "overflow"}', version=None)
    error: dict[str, Any] = json.loads(result.body)["error"]
    assert (result.status, error["type"]) == (500, "model_error")
    assert "finite" not in error["message"] and "Traceback" not in error["message"]


def test_a_failing_model_is_logged_with_its_reason(tiny_artifact: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the details that the caller does not get."""
    logger = logging.getLogger("serving")
    logger.addHandler(caplog.handler)
    try:
        answer(load_predictor(tiny_artifact), b'{"inputs": "overflow"}', version=None)
    finally:
        logger.removeHandler(caplog.handler)
    assert "finite" in caplog.text
