"""What a model's container answers, read strictly. No AWS in here."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

SHARE = {"minimum": 0, "maximum": 1}
_SHOWN = 80  # characters of a wrong value that a message quotes


class InvalidAnswerError(ValueError):
    """The bytes are no answer in a known form. The message, such as `has no predictions: {}`, follows a subject."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text."""

    # The mappings are JSON Schema keywords: the API's contract is made from them.
    label: Annotated[str, {"description": "The class that the model chose.", "example": "helpful"}]
    confidence: Annotated[float, {"description": "Probability of `label`.", "example": 0.98, **SHARE}]
    score: Annotated[
        float | None,
        {
            "description": "Predicted score on the scale of the training data; null for a model trained on labels.",
            "example": 1.62,
        },
    ]
    truncated: Annotated[
        bool | None,
        {
            "description": "Whether the end of the text was ignored because the text is too long; null where the "
            "model's container does not report it.",
            "example": False,
        },
    ]


@dataclass(frozen=True, slots=True)
class Answer:
    """The predictions for a list of texts, in their order, and the version of the model if the container knows it."""

    predictions: tuple[Prediction, ...]
    version: str | None


def parse_answer(body: bytes | str, *, texts: int, stock: bool = False) -> Answer:
    """Read the answer to a request of `texts` texts.

    The product's own container answers `{"predictions": […], "model": {"version": …}}`. The stock Hugging Face
    container answers `[{"label": …, "score": …}]`, where the score is a probability; `stock` allows that form too.

    Raises:
        InvalidAnswerError: The body has another form, another number of predictions, or a number out of its range.
    """
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswerError(f"is not JSON: {_shown(body)}") from error
    if stock and isinstance(document, list):
        return Answer(tuple(_stock(item) for item in _counted(document, texts)), None)
    items = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise InvalidAnswerError(f"has no predictions: {_shown(document)}")
    predictions = tuple(_own(item) for item in _counted(items, texts))
    model = document.get("model")
    if not isinstance(model, dict) or "version" not in model:
        raise InvalidAnswerError(f"names no model version: {_shown(document)}")
    return Answer(predictions, None if model["version"] is None else str(model["version"]))


def _counted(items: list[Any], texts: int) -> list[dict[str, Any]]:
    if len(items) != texts:
        raise InvalidAnswerError(f"has {len(items)} predictions for {texts} texts")
    if wrong := [item for item in items if not isinstance(item, dict)]:
        raise InvalidAnswerError(f"has a prediction that is not an object: {_shown(wrong[0])}")
    return items


def _own(item: dict[str, Any]) -> Prediction:
    truncated = item.get("truncated")
    return Prediction(
        label=_label(item),
        confidence=_share(item, "confidence"),
        score=None if item.get("score", "missing") is None else _number(item, "score"),
        truncated=None if truncated is None else bool(truncated),
    )


def _stock(item: dict[str, Any]) -> Prediction:
    return Prediction(_label(item), _share(item, "score"), score=None, truncated=None)


def _label(item: dict[str, Any]) -> str:
    label = item.get("label")
    if not isinstance(label, str) or not label:
        raise InvalidAnswerError(f"has no label: {_shown(item)}")
    return label


def _share(item: dict[str, Any], name: str) -> float:
    value = _number(item, name)
    if not 0 <= value <= 1:
        raise InvalidAnswerError(f"has a {name} of {value}; 0 to 1 is expected")
    return value


def _number(item: dict[str, Any], name: str) -> float:
    value = item.get(name)
    # 1e999 is JSON, and infinite.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidAnswerError(f"has a {name} that is no number: {_shown(item)}")
    return float(value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _shown(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
