"""What the API says about a text, typed, and the reading of its answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from text_classifier.errors import BadAnswerError


@dataclass(frozen=True, slots=True)
class Prediction:
    """The model's answer for one text."""

    label: str
    confidence: float
    """Probability of `label` in [0, 1]."""
    score: float | None
    """The predicted score on the scale of the training data; None for a model that was trained on labels."""
    truncated: bool | None
    """Whether the end of the text was ignored for its length; None where the model's server does not tell."""
    model_version: str | None
    """Version of the model that answered; None where the API does not know it."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one text has no prediction."""

    code: str
    """`empty`, `too_long`, `not_a_text`, `not_unicode`, or the API's own code such as `bad_request`."""
    detail: str
    """The same for people: what was wrong and what is allowed."""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


Outcome: TypeAlias = Prediction | Refusal
"""What becomes of a text."""


def read_predictions(document: Any, *, texts: int) -> list[Prediction]:
    """The predictions in an answer to `texts` texts, in their order.

    Raises:
        BadAnswerError: it is not in the documented form, or of another length.
    """
    try:
        version = document["model"]["version"]
        predictions = [_prediction(item, version) for item in document["predictions"]]
    except (TypeError, KeyError, ValueError) as error:  # a UnicodeError is a ValueError
        raise bad_answer("its JSON lacks what an answer has") from error
    if len(predictions) != texts:
        raise bad_answer(f"{len(predictions)} predictions for {texts} texts")
    return predictions


def bad_answer(problem: str) -> BadAnswerError:
    """The error for an answer with this problem."""
    return BadAnswerError(
        f"The answer is not one of the text classifier's API: {problem}.",
        hint="Check the URL: the API's base, without /v1.",
        status=200,
    )


def _prediction(item: Any, version: Any) -> Prediction:
    confidence, score, truncated = float(item["confidence"]), item["score"], item["truncated"]
    if not 0 <= confidence <= 1:
        raise ValueError("confidence is no probability")
    f"{item['label']}{version}".encode()  # half a surrogate pair, which JSON can escape, can be in no file
    return Prediction(
        label=str(item["label"]),
        confidence=confidence,
        score=None if score is None else float(score),
        truncated=None if truncated is None else bool(truncated),
        model_version=None if version is None else str(version),
    )
