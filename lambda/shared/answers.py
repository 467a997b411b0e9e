"""What a model's container answers, read strictly. No AWS in here."""

import json
import sys
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from shared.words import kind


class InvalidAnswerError(ValueError):
    """The bytes are no answer in a known form. The message, such as `has no predictions: {}`, follows a subject."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A class of the model and its probability."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text; `tools/contract/openapi.base.json` says what each field means."""

    label: str
    confidence: float
    score: float | None
    truncated: bool | None
    labels: tuple[str, ...] | None = None
    scores: tuple[LabelScore, ...] | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The labels that the text was given: exactly one, or any number from a model for several labels."""
        return (self.label,) if self.labels is None else self.labels


@dataclass(frozen=True, slots=True)
class Answer:
    """The predictions for a list of texts, in their order, and what the container tells of the model."""

    predictions: tuple[Prediction, ...]
    version: str | None
    label_count: int | None = None
    """Number of the model's labels; None where the container does not tell it."""


def parse_answer(body: bytes | str, *, texts: int, stock: bool = False) -> Answer:
    """Read the answer to a request of `texts` texts.

    The product's own container answers `{"predictions": […], "model": {"version": …, "labels": …}}`; containers of
    earlier releases do not tell the number of `labels`. The stock Hugging Face container answers
    `[{"label": …, "score": …}]`, where the score is a probability, or a list of such objects for each text if the
    request has `top_k`; `stock` allows these forms too.

    Raises InvalidAnswerError: The body has another form, another number of predictions, or a number out of its range.
    """
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswerError("is not JSON") from error
    if stock and isinstance(document, list):
        if any(isinstance(item, list) for item in document):
            return Answer(tuple(_stock_top(item) for item in _counted(document, texts, list)), None)
        return Answer(tuple(_stock(item) for item in _counted(document, texts)), None)
    items = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise InvalidAnswerError(f"is {kind(document)} without predictions")
    predictions = tuple(_own(item) for item in _counted(items, texts))
    model = document.get("model")
    if not isinstance(model, dict) or "version" not in model:
        raise InvalidAnswerError("names no model version")
    count = model.get("labels")
    return Answer(
        predictions,
        None if model["version"] is None else str(model["version"]),
        count if isinstance(count, int) and not isinstance(count, bool) else None,
    )


def _counted(items: list[Any], texts: int, type_: type = dict) -> list[Any]:
    if len(items) != texts:
        raise InvalidAnswerError(f"has {len(items)} predictions for {texts} texts")
    _all_of(items, type_, "prediction")
    return items


def _all_of(items: list[Any], type_: type, name: str) -> None:
    if wrong := [item for item in items if not isinstance(item, type_)]:
        raise InvalidAnswerError(f"has a {name} that is {kind(wrong[0])}")


def _own(item: dict[str, Any]) -> Prediction:
    truncated = item.get("truncated")
    return Prediction(
        label=_label(item),
        confidence=_share(item, "confidence"),
        score=None if item.get("score", "missing") is None else _number(item, "score"),
        truncated=None if truncated is None else bool(truncated),
        labels=_labels(item),
        scores=_scores(item["scores"], "confidence") if item.get("scores") is not None else None,
    )


def _labels(item: dict[str, Any]) -> tuple[str, ...] | None:
    labels = item.get("labels")
    if labels is None:
        return None
    if not isinstance(labels, list):
        raise InvalidAnswerError(f"has labels that are {kind(labels)}")
    _all_of(labels, str, "label")
    return tuple(labels)


def _scores(items: Any, name: str) -> tuple[LabelScore, ...]:
    """Read classes with their probabilities, which are called `name`, most probable first."""
    if not isinstance(items, list) or not items:
        raise InvalidAnswerError(f"has scores that are no list of classes, but {kind(items)}")
    _all_of(items, dict, "score")
    return tuple(LabelScore(_label(item), _share(item, name)) for item in items)


def _stock(item: dict[str, Any]) -> Prediction:
    return Prediction(_label(item), _share(item, "score"), score=None, truncated=None)


def _stock_top(items: list[Any]) -> Prediction:
    # Releases of the stock container differ in whether they sort.
    scores = tuple(sorted(_scores(items, "score"), key=lambda one: -one.confidence))
    return Prediction(scores[0].label, scores[0].confidence, score=None, truncated=None, scores=scores)


def _label(item: dict[str, Any]) -> str:
    label = item.get("label")
    if not isinstance(label, str) or not label:
        raise InvalidAnswerError("has no label")
    return label


def _share(item: dict[str, Any], name: str) -> float:
    value = _number(item, name)
    if not 0 <= value <= 1:
        raise InvalidAnswerError(f"has a {name} of {value}; 0 to 1 is expected")
    return value


def _number(item: dict[str, Any], name: str) -> float:
    value = item.get(name)
    if not is_number(value):
        raise InvalidAnswerError(f"has a {name} that is no number, but {kind(value)}")
    return float(value)


def is_number(value: Any) -> TypeGuard[float]:
    """Tell whether a JSON value is a finite number. 1e999 is JSON, and infinite; 400 digits are, and no float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")
