"""shared.answers: the two forms in which a model's container answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.answers import Answer, InvalidAnswerError, LabelScore, Prediction, parse_answer


def own(*scores: float | None, **changes: Any) -> bytes:
    """What the product's own container answers for texts with these scores."""
    predictions = [
        {"label": "helpful", "confidence": 0.9, "score": score, "truncated": False, **changes} for score in scores
    ]
    return json.dumps({"predictions": predictions, "model": {"version": "3"}}).encode()


def test_the_products_own_form() -> None:
    """Label, confidence, score, truncation and version are taken over."""
    assert parse_answer(own(1.62), texts=1) == Answer((Prediction("helpful", 0.9, 1.62, False),), "3")


def test_the_stock_containers_form() -> None:
    """Its score is a probability: it becomes the confidence, and what it does not tell is None."""
    answer = parse_answer(b'[{"label": "LABEL_1", "score": 0.98}]', texts=1, stock=True)
    assert answer == Answer((Prediction("LABEL_1", 0.98, None, None),), None)


def test_labels_and_scores() -> None:
    """Several labels a text and the probabilities of the classes, as far as the container answers them."""
    scores = [{"label": "joy", "confidence": 0.9}, {"label": "love", "confidence": 0.7}]
    (prediction,) = parse_answer(own(None, labels=["joy", "love"], scores=scores), texts=1).predictions
    assert prediction.labels == prediction.given == ("joy", "love")
    assert prediction.scores == (LabelScore("joy", 0.9), LabelScore("love", 0.7))
    (none,) = parse_answer(own(None, labels=[]), texts=1).predictions
    assert (none.given, none.scores) == ((), None)


def test_the_number_of_labels() -> None:
    """It is known where the container tells it."""
    document = json.loads(own(1.0))
    assert parse_answer(json.dumps(document), texts=1).label_count is None
    document["model"]["labels"] = 77
    assert parse_answer(json.dumps(document), texts=1).label_count == 77


def test_the_stock_containers_lists() -> None:
    """With top_k it answers a list for each text, not always sorted."""
    body = b'[[{"label": "A", "score": 0.2}, {"label": "B", "score": 0.8}], [{"label": "A", "score": 1}]]'
    first, second = parse_answer(body, texts=2, stock=True).predictions
    assert (first.label, first.confidence) == ("B", 0.8)
    assert first.scores == (LabelScore("B", 0.8), LabelScore("A", 0.2))
    assert second.scores == (LabelScore("A", 1.0),)


def test_the_stock_containers_form_is_not_taken_for_the_own() -> None:
    """Where the product's own container is expected, the stock form is no answer."""
    with pytest.raises(InvalidAnswerError, match="without predictions"):
        parse_answer(b'[{"label": "LABEL_1", "score": 0.98}]', texts=1)


def test_a_model_without_score_or_version() -> None:
    """A classification model's null score stays None, and so does a version that the container does not know."""
    prediction = {"label": "a", "confidence": 1, "score": None, "truncated": True}
    answer = parse_answer(json.dumps({"predictions": [prediction], "model": {"version": None}}), texts=1)
    assert answer == Answer((Prediction("a", 1.0, None, True),), None)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"\xff\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'[{"label": "x", "score": NaN}]', "is not JSON"),
        (b"null", "is null without predictions"),
        (b"3", "is a number without predictions"),
        (b"{}", "is an object without predictions"),
        (b"[1]", "a prediction that is a number"),
        (b"[[]]", "has scores that are no list of classes"),
        (b"[[1]]", "has a score that is a number"),
        (b'[{"label": "x", "score": 1}, [{"label": "x", "score": 1}]]', "has 2 predictions for 1 texts"),
        (own(1.0, labels="joy"), "has labels that are a string"),
        (own(1.0, labels=[1]), "has a label that is a number"),
        (own(1.0, scores=[]), "has scores that are no list of classes"),
        (own(1.0, scores=[{"label": "a"}]), "has a confidence that is no number"),
        (b'[{"label": "x"}]', "has a score that is no number"),
        (b'[{"label": "x", "score": 1e999}]', "has a score that is no number"),
        (b'[{"label": "x", "score": 1.5}]', "has a score of 1.5; 0 to 1 is expected"),
        (b'{"predictions": {}, "model": {"version": "1"}}', "without predictions"),
        (b'{"predictions": [{"label": "x"}], "model": {"version": "1"}}', "has a confidence that is no number"),
        (b'{"predictions": []}', "has 0 predictions for 1 texts"),
        (b'{"predictions": [{"label": "a", "confidence": 0.9, "score": 1}]}', "names no model version"),
        (own(1.0, label=""), "has no label"),
        (own(1.0, label=None), "has no label"),
        (own(1.0, confidence=1.01), "has a confidence of 1.01"),
        (own(1.0, confidence=-0.1), "has a confidence of -0.1"),
        (own(1.0, confidence=True), "has a confidence that is no number"),
        (own(1.0, score="1.0"), "has a score that is no number"),
    ],
)
def test_any_other_form_is_refused_with_what_is_wrong(body: bytes, problem: str) -> None:
    """What is in neither form never becomes an answer, and the message says why."""
    with pytest.raises(InvalidAnswerError) as caught:
        parse_answer(body, texts=1, stock=True)
    assert problem in str(caught.value)


@pytest.mark.parametrize("texts", [1, 3])
def test_as_many_answers_as_texts(texts: int) -> None:
    """Too few or too many answers are not matched to texts by luck."""
    with pytest.raises(InvalidAnswerError, match=f"has 2 predictions for {texts} texts"):
        parse_answer(own(1.5, 0.5), texts=texts)


def test_messages_stay_short() -> None:
    """A message quotes the beginning of a wrong answer only."""
    with pytest.raises(InvalidAnswerError) as caught:
        parse_answer(json.dumps({"x" * 1000: 1}), texts=1)
    assert len(str(caught.value)) < 120
