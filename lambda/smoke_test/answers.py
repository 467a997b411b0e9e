"""An answer of the endpoint, read strictly. No AWS in here."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn


class NotAnAnswer(ValueError):
    """The bytes are not one prediction in the product's form."""


@dataclass(frozen=True)
class Answer:
    """What a model said about one sentence.

    Attributes:
        label: name of the label.
        confidence: probability of the label, in [0, 1].
        score: score on the scale of the training data; None if the model has none.
        version: version of the model package that answered; None if it doesn't say.
    """

    label: str
    confidence: float
    score: float | None
    version: str | None

    def __str__(self) -> str:
        score = "" if self.score is None else f", score {self.score:.3f}"
        return f"{self.label} ({self.confidence:.3f}{score})"


def parse_answer(body: bytes | str) -> Answer:
    """Read the answer to one sentence.

    Raises:
        NotAnAnswer: it is in another form, or holds a number out of its range.
    """
    try:
        document = json.loads(body, parse_constant=_refuse)
        (prediction,) = document["predictions"]
        version = document["model"]["version"]
        answer = Answer(
            label=_text(prediction["label"]),
            confidence=_number(prediction["confidence"]),
            score=None if prediction["score"] is None else _number(prediction["score"]),
            version=None if version is None else str(version),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotAnAnswer("is not one prediction with label, confidence and score") from error
    if not 0 <= answer.confidence <= 1:
        raise NotAnAnswer(f"has a confidence of {answer.confidence}, which is not from 0 to 1")
    return answer


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("expected a text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError("expected a number")
    return float(value)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")
