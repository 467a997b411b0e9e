"""When an answer counts as the same. No AWS in here."""

from __future__ import annotations

from smoke_test.answers import Answer
from smoke_test.questions import Question

SCORE_TOLERANCE = 0.02
"""Difference of two scores, as a share of the expected one (of 1 where that is smaller), that rounding may make."""

CONFIDENCE_TOLERANCE = 0.05
"""Difference of two confidences that rounding may make."""


def problem(question: Question, answer: Answer, version: str) -> str:
    """What is wrong with an answer; "" if it is right.

    Args:
        question: what was asked.
        answer: what came back.
        version: of the package that should have answered.
    """
    if answer.version != version:
        return f'"{question.text}" was answered by version {answer.version}, not by {version}'
    expected = question.expected
    if expected is None or _alike(answer, expected):
        return ""
    return f'"{question.text}" was answered {answer}; when the model was judged it was {expected}'


def _alike(answer: Answer, expected: Answer) -> bool:
    if answer.label != expected.label or (answer.score is None) != (expected.score is None):
        return False
    if abs(answer.confidence - expected.confidence) > CONFIDENCE_TOLERANCE:
        return False
    if answer.score is None or expected.score is None:
        return True
    return abs(answer.score - expected.score) <= SCORE_TOLERANCE * max(1.0, abs(expected.score))
