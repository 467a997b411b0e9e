"""The API's answer about a text, typed."""

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from text_classifier.errors import BadAnswerError


@dataclass(frozen=True, slots=True)
class Score:
    """A class of the model and its probability for a text."""

    label: str
    confidence: float
    """In [0, 1]."""


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
    labels: tuple[str, ...] | None = None
    """All classes that apply, most probable first, maybe none; None for a model that gives one label a text."""
    scores: tuple[Score, ...] | None = None
    """The most probable classes, most probable first; None where they were not asked for."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON; `labels` and `scores` only where they are known."""
        fields = asdict(self)
        return {name: value for name, value in fields.items() if value is not None or name not in ("labels", "scores")}


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
    except (TypeError, KeyError, ValueError, OverflowError) as error:  # includes UnicodeError
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
    score, truncated, labels, scores = item["score"], item["truncated"], item.get("labels"), item.get("scores")
    # JSON can hold half of a surrogate pair, files cannot.
    "".join(map(str, (item["label"], version, *(labels or ())))).encode()
    return Prediction(
        label=str(item["label"]),
        confidence=_probability(item),
        score=None if score is None else float(score),
        truncated=None if truncated is None else bool(truncated),
        model_version=None if version is None else str(version),
        labels=None if labels is None else tuple(map(str, labels)),
        scores=None if scores is None else tuple(Score(str(one["label"]), _probability(one)) for one in scores),
    )


def _probability(item: Any) -> float:
    confidence = float(item["confidence"])
    if not 0 <= confidence <= 1:
        raise ValueError("confidence is no probability")
    str(item["label"]).encode()
    return confidence
