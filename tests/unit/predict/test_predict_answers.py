"""predict.answers: the two forms in which an endpoint answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from predict.answers import EndpointAnswer, Prediction, parse_answer
from predict.errors import ModelFailedError


def test_the_products_own_form(own: Callable[..., Any]) -> None:
    """Label, confidence, score, truncation and version are taken over."""
    answer = parse_answer(json.dumps(own(1.62)).encode(), texts=1)
    assert answer == EndpointAnswer((Prediction("helpful", 0.9, 1.62, False),), "3")


def test_the_stock_containers_form() -> None:
    """Its score is a probability: it becomes the confidence, and what it does not tell is None."""
    answer = parse_answer(b'[{"label": "LABEL_1", "score": 0.98}]', texts=1)
    assert answer == EndpointAnswer((Prediction("LABEL_1", 0.98, None, None),), None)


def test_a_model_without_score_or_version() -> None:
    """A classification model's null score stays None."""
    own = {"label": "a", "confidence": 1, "score": None, "truncated": True}
    answer = parse_answer(json.dumps({"predictions": [own], "model": {"version": None}}).encode(), texts=1)
    assert answer == EndpointAnswer((Prediction("a", 1.0, None, True),), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"3",
        b"{}",
        b"[1]",
        b'[{"label": "x"}]',
        b'[{"label": "x", "score": NaN}]',
        b'[[{"label": "x", "score": 0.5}]]',
        b'{"predictions": {}, "model": {"version": "1"}}',
        b'{"predictions": [{"label": "x"}], "model": {"version": "1"}}',
        b'{"predictions": []}',
        b"\xff\xff",
    ],
)
def test_any_other_form_is_the_models_failure(body: bytes) -> None:
    """What is in neither form never becomes an answer."""
    with pytest.raises(ModelFailedError):
        parse_answer(body, texts=1)


@pytest.mark.parametrize("texts", [1, 3])
def test_as_many_answers_as_texts(own: Callable[..., Any], texts: int) -> None:
    """Too few or too many answers are not matched to texts by luck."""
    with pytest.raises(ModelFailedError, match="2 answers"):
        parse_answer(json.dumps(own(1.5, 0.5)).encode(), texts=texts)
