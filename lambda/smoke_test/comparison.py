"""When an answer counts as the same. No AWS in here."""

from __future__ import annotations

from shared.answers import Answer, Prediction
from smoke_test.questions import Question

SCORE_TOLERANCE = 0.02
"""Allowed difference of two scores due to rounding, as a share of the expected score (of 1 where that is smaller)."""

CONFIDENCE_TOLERANCE = 0.05
"""Allowed difference of two confidences due to rounding."""


def problem(question: Question, answer: Answer, version: str) -> str:
    """Return what is wrong with an answer of the package's version `version`, or "" for a right one."""
    if answer.version != version:
        return f'"{question.text}" was answered by version {answer.version}, not by {version}'
    given, expected = answer.predictions[0], question.expected
    if expected is None or _alike(given, expected):
        return ""
    return f'"{question.text}" was answered {_shown(given)}; when the model was judged it was {_shown(expected)}'


def _alike(given: Prediction, expected: Prediction) -> bool:
    if given.label != expected.label or (given.score is None) != (expected.score is None):
        return False
    if abs(given.confidence - expected.confidence) > CONFIDENCE_TOLERANCE:
        return False
    if given.score is None or expected.score is None:
        return True
    return abs(given.score - expected.score) <= SCORE_TOLERANCE * max(1.0, abs(expected.score))


def _shown(prediction: Prediction) -> str:
    score = "" if prediction.score is None else f", score {prediction.score:.3f}"
    return f"{prediction.label} ({prediction.confidence:.3f}{score})"
