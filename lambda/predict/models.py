"""What the API answers. The contract's response schemas are made from these classes, so this is their only copy.

Each field's ``Annotated`` mapping holds JSON Schema keywords. A field with a default is optional: it is left out of an
answer while it is None.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal

SHARE = {"minimum": 0, "maximum": 1}


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one text."""

    label: Annotated[str, {"description": "The class that the model chose.", "example": "helpful"}]
    confidence: Annotated[float, {"description": "Probability of `label`.", "example": 0.98, **SHARE}]
    score: Annotated[
        float | None,
        {
            "description": "The predicted score on the scale of the training data; null for a model without one.",
            "example": 1.62,
        },
    ]
    truncated: Annotated[
        bool | None,
        {
            "description": "Whether the end of the text was ignored for its length; null where the container does not "
            "tell.",
            "example": False,
        },
    ]


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Which model answered."""

    version: Annotated[
        str | None,
        {"description": "Version in the registry, or the name of a public model; null if unknown.", "example": "3"},
    ]


@dataclass(frozen=True, slots=True)
class PredictionResponse:
    """One prediction for each text, in the order of the request."""

    predictions: tuple[Prediction, ...]
    model: ModelReference


@dataclass(frozen=True, slots=True)
class Health:
    """That the API is there, and with `deep=true` that the model answers."""

    status: Annotated[Literal["ok"], {"description": "Always `ok`: anything else is an error answer."}]
    model: Annotated[ModelReference | None, {"description": "With `deep=true`: the model that answered."}] = None
    milliseconds: Annotated[
        float | None, {"description": "With `deep=true`: how long the model took.", "minimum": 0, "example": 12.5}
    ] = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure on the test sentences with its 95 % bootstrap interval."""

    value: Annotated[float, {"example": 0.868, **SHARE}]
    low: Annotated[float, {"example": 0.847, **SHARE}]
    high: Annotated[float, {"example": 0.888, **SHARE}]


@dataclass(frozen=True, slots=True)
class Metrics:
    """How good the model is, measured in its serving image before it was released."""

    accuracy: Estimate
    f1: Annotated[Estimate, {"description": "F1 of the second label."}]
    test_rows: Annotated[int, {"description": "Sentences that it was measured on.", "minimum": 0, "example": 1000}]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What the model learned from."""

    sha256: Annotated[str | None, {"description": "Hash of the data set; null if it was not recorded."}]
    source: Annotated[
        str | None, {"description": "Public address of the data; null where it has none.", "example": "https://…/train"}
    ]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The model that serves: which, how good, when and on what it was trained."""

    version: Annotated[str | None, {"description": "As in the predictions.", "example": "3"}]
    source: Annotated[
        Literal["registry", "hub", "unknown"],
        {"description": "`registry`: trained here; `hub`: a public model that stands in until one is released."},
    ]
    registered_at: Annotated[
        str | None,
        {
            "description": "When the trained model entered the registry, minutes after its training (ISO 8601, UTC).",
            "format": "date-time",
            "example": "2026-11-24T20:18:18Z",
        },
    ]
    training_job: Annotated[str | None, {"description": "Name of the job that trained it."}]
    base_model: Annotated[str | None, {"description": "The model it was fine-tuned from."}]
    code_version: Annotated[str | None, {"description": "Hash of the training code."}]
    data: TrainingData | None
    metrics: Metrics | None


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """An error (RFC 9457). Act on `code` or `type`; the texts are for people and may change."""

    type: Annotated[str, {"description": "Stable URI of the kind of error.", "format": "uri"}]
    title: Annotated[str, {"description": "The kind of error in words."}]
    detail: Annotated[str, {"description": "What was wrong, what is allowed, what to do next."}]
    code: Annotated[str, {"description": "Stable name of the kind of error, the last part of `type`."}]
    request_id: Annotated[str, {"description": "Under this id the request is found in the service's log."}]
    status: Annotated[
        int | None, {"description": "The HTTP status, where the gateway knows it.", "minimum": 400, "maximum": 599}
    ] = None


def as_json(value: Any) -> Any:
    """A model's instance as what `json` takes, without the optional fields that are None."""
    if is_dataclass(value):
        optional = _optional(type(value))
        return {
            name: as_json(item)
            for name in value.__dataclass_fields__
            if (item := getattr(value, name)) is not None or name not in optional
        }
    return [as_json(item) for item in value] if isinstance(value, tuple) else value


_OPTIONAL: dict[type, frozenset[str]] = {}


def _optional(kind: type) -> frozenset[str]:
    if kind not in _OPTIONAL:
        _OPTIONAL[kind] = frozenset(field.name for field in fields(kind) if field.default is None)  # type: ignore[arg-type]
    return _OPTIONAL[kind]
