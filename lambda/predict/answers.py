"""The two forms in which an endpoint answers, read into one. No AWS in here."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from predict.errors import ModelFailedError
from predict.models import Prediction


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """What an endpoint said about a list of texts, in their order."""

    predictions: tuple[Prediction, ...]
    version: str | None
    """The model version that answered, as far as the container knows it."""


def parse_answer(body: bytes, *, texts: int) -> EndpointAnswer:
    """Read an endpoint's answer for `texts` texts; raises ModelFailedError if it is in neither form.

    The product's own container answers `{"predictions": […], "model": {"version": …}}`. The stock Hugging Face
    container answers `[{"label": …, "score": …}]`, where score is a probability.
    """
    try:
        document = json.loads(body, parse_constant=_refuse_constant)
        if isinstance(document, dict):
            version = document["model"]["version"]
            answer = EndpointAnswer(_each(_own, document["predictions"]), None if version is None else str(version))
        else:
            answer = EndpointAnswer(_each(_stock, document), None)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ModelFailedError("The model's answer is not in a form that this API knows.") from error
    if len(answer.predictions) != texts:
        raise ModelFailedError(f"The model gave {len(answer.predictions)} answers for {texts} texts.")
    return answer


def _each(read: Callable[[dict[str, Any]], Prediction], items: Any) -> tuple[Prediction, ...]:
    if not isinstance(items, list):
        raise TypeError("expected a list of predictions")
    return tuple(read(item) for item in items)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _own(item: dict[str, Any]) -> Prediction:
    score = item["score"]
    return Prediction(
        label=str(item["label"]),
        confidence=_probability(item["confidence"]),
        score=None if score is None else _finite(score),
        truncated=bool(item["truncated"]),
    )


def _stock(item: dict[str, Any]) -> Prediction:
    return Prediction(label=str(item["label"]), confidence=_probability(item["score"]), score=None, truncated=None)


def _probability(value: Any) -> float:
    number = _finite(value)
    if not 0 <= number <= 1:
        raise ValueError("a probability is from 0 to 1")
    return number


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):  # 1e999 is JSON, and infinite
        raise ValueError("the number is not finite")
    return number
