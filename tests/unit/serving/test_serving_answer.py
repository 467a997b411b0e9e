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
            "model": {"version": "3", "labels": 2},
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


def test_scores_come_when_asked(tiny_artifact: Path) -> None:
    """All labels with null, as many as wanted with a number; the rest of the answer is the same."""
    body = '{"inputs": "good", "parameters": {"top_k": %s}}'
    answers = {
        asked: json.loads(answer(load_predictor(tiny_artifact), body % asked, version=None).body)["predictions"][0]
        for asked in ("null", "1", "1000")
    }
    best, other = {"label": "helpful", "confidence": 0.880797}, {"label": "not_helpful", "confidence": 0.119203}
    assert (answers["null"]["scores"], answers["1"]["scores"]) == ([best, other], [best])
    assert answers["1000"] == answers["null"] | best


@pytest.mark.parametrize(
    ("content_type", "body", "name"),
    [
        ("application/json", '{"inputs": "%s", "parameters": {"truncation": false}}', "inputs "),
        ("application/json", '{"inputs": ["good", "%s"], "parameters": {"truncation": false}}', "inputs[1] "),
        ("application/jsonlines", '{"inputs": "%s", "parameters": {"truncation": false}}', "line 1 "),
    ],
)
def test_a_text_that_must_not_be_truncated_is_refused(
    tiny_artifact: Path, content_type: str, body: str, name: str
) -> None:
    """`truncation: false` refuses a text that is too long, by its place, and takes one that fits."""
    predictor = load_predictor(tiny_artifact)
    result = answer(predictor, body % ("so " * 9), version=None, content_type=content_type)
    error = json.loads(result.body)["error"]
    assert (result.status, error["type"], error["message"].startswith(name)) == (400, "text_too_long", True)
    assert answer(predictor, body % "so", version=None, content_type=content_type).status == 200
