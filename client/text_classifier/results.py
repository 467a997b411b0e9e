"""The API's answer about a text, typed."""

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
    """Predicted score on the scale of the training data; None for a model that was trained on labels."""
    truncated: bool | None
    """Whether the end of a long text was ignored; None where the model's server does not report it."""
    model_version: str | None
    """Version of the model; None where the API does not know it."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a text has no prediction."""

    code: str
    """`empty`, `too_long`, `not_a_text`, `not_unicode`, or the API's own code such as `bad_request`."""
    detail: str
    """What is wrong and what is allowed."""

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


Outcome: TypeAlias = Prediction | Refusal
"""The result for one text."""


def read_predictions(document: Any, *, texts: int) -> list[Prediction]:
    """Return the predictions in an answer to `texts` texts, in their order; raise BadAnswerError."""
    try:
        version = document["model"]["version"]
        predictions = [_prediction(item, version) for item in document["predictions"]]
    except (TypeError, KeyError, ValueError) as error:  # includes UnicodeError
        raise bad_answer("its JSON does not have the documented form") from error
    if len(predictions) != texts:
        raise bad_answer(f"{len(predictions)} predictions for {texts} texts")
    return predictions


def bad_answer(problem: str) -> BadAnswerError:
    """Return the error for an answer with this problem."""
    return BadAnswerError(
        f"The answer is not one of the text classifier's API: {problem}.",
        hint="Check the URL: the API's base, without /v1.",
        status=200,
    )


def _prediction(item: Any, version: Any) -> Prediction:
    confidence, score, truncated = float(item["confidence"]), item["score"], item["truncated"]
    if not 0 <= confidence <= 1:
        raise ValueError("confidence is no probability")
    f"{item['label']}{version}".encode()  # JSON can hold half of a surrogate pair, files cannot
    return Prediction(
        label=str(item["label"]),
        confidence=confidence,
        score=None if score is None else float(score),
        truncated=None if truncated is None else bool(truncated),
        model_version=None if version is None else str(version),
    )
