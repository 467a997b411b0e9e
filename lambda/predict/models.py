"""The API's answers, as the contract describes them: `tools/contract/openapi.base.json` says what each field means.

A field with a default is optional: an answer omits it while it is None.
"""

import functools
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from shared.answers import Prediction


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Which model answered."""

    version: str | None


@dataclass(frozen=True, slots=True)
class PredictionResponse:
    """One prediction for each text, in the order of the request."""

    predictions: tuple[Prediction, ...]
    model: ModelReference


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the API works, and with `deep=true` whether the model answers."""

    status: Literal["ok"]
    model: ModelReference | None = None
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric on the test texts with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of the model, measured in its serving image before its release."""

    accuracy: Estimate
    f1: Estimate
    test_rows: int


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data that the model was trained on."""

    sha256: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class LabelCard:
    """A class of the model, and how well the model knows it. A figure is None where the test texts give none."""

    label: str
    test_rows: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The serving model: its version, classes, metrics and training."""

    version: str | None
    source: Literal["registry", "hub", "unknown"]
    registered_at: str | None
    training_job: str | None
    base_model: str | None
    code_version: str | None
    data: TrainingData | None
    metrics: Metrics | None
    objective: Literal["regression", "classification", "multilabel"] | None = None
    score_threshold: float | None = None
    labels: tuple[LabelCard, ...] | None = None


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """An error (RFC 9457)."""

    type: str
    title: str
    detail: str
    code: str
    request_id: str
    status: int | None = None


_fields = functools.cache(fields)


def as_json(value: Any) -> Any:
    """Return a model's instance in the form that `json` takes, without the optional fields that are None."""
    if value is None or isinstance(value, str | float | int):  # most values, and looked at first
        return value
    if is_dataclass(value):
        return {
            field.name: as_json(item)
            for field in _fields(type(value))  # type: ignore[arg-type]
            if (item := getattr(value, field.name)) is not None or field.default is not None
        }
    return [as_json(item) for item in value] if isinstance(value, tuple) else value
