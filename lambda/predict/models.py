"""The API's answers. The contract's response schemas are made from these classes.

Each `Annotated` mapping holds JSON Schema keywords. A field with a default is optional: an answer omits it while it is
None.
"""

import functools
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, Literal

from shared.answers import SHARE, Prediction


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
    """Whether the API works, and with `deep=true` whether the model answers."""

    status: Annotated[Literal["ok"], {"description": "Always `ok`; anything else is an error."}]
    model: Annotated[ModelReference | None, {"description": "With `deep=true`: the model that answered."}] = None
    milliseconds: Annotated[
        float | None, {"description": "With `deep=true`: how long the model took.", "minimum": 0, "example": 12.5}
    ] = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric on the test texts with its 95 % interval."""

    value: Annotated[float, {"example": 0.868, **SHARE}]
    low: Annotated[float, {"example": 0.847, **SHARE}]
    high: Annotated[float, {"example": 0.888, **SHARE}]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of the model, measured in its serving image before its release."""

    accuracy: Annotated[Estimate, {"description": "Share of the test texts whose answer is exactly right."}]
    f1: Annotated[Estimate, {"description": "F1 of the second of two labels; macro F1 of more."}]
    test_rows: Annotated[int, {"description": "Number of test texts.", "minimum": 0, "example": 1000}]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data that the model was trained on."""

    sha256: Annotated[str | None, {"description": "Hash of the data set; null if it was not recorded."}]
    source: Annotated[
        str | None, {"description": "Public address of the data; null where it has none.", "example": "https://…/train"}
    ]


@dataclass(frozen=True, slots=True)
class LabelCard:
    """A class of the model, and how well the model knows it. A figure is null where the test texts give none."""

    label: Annotated[str, {"description": "As in the predictions.", "example": "helpful"}]
    test_rows: Annotated[int, {"description": "Number of test texts of this class.", "minimum": 0, "example": 610}]
    precision: Annotated[float | None, {"description": "Share of its answers that are right.", **SHARE}]
    recall: Annotated[float | None, {"description": "Share of its texts that it finds.", **SHARE}]
    f1: Annotated[float | None, {"description": "Harmonic mean of the two.", **SHARE}]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The serving model: its version, classes, metrics and training."""

    version: Annotated[str | None, {"description": "As in the predictions.", "example": "3"}]
    source: Annotated[
        Literal["registry", "hub", "unknown"],
        {"description": "`registry`: trained here; `hub`: a public model, served until one is released."},
    ]
    registered_at: Annotated[
        str | None,
        {
            "description": "When the model was registered, minutes after its training (ISO 8601, UTC).",
            "format": "date-time",
            "example": "2026-11-24T20:18:18Z",
        },
    ]
    training_job: Annotated[str | None, {"description": "Name of the job that trained it."}]
    base_model: Annotated[str | None, {"description": "The model it was fine-tuned from."}]
    code_version: Annotated[str | None, {"description": "Hash of the training code."}]
    data: TrainingData | None
    metrics: Metrics | None
    objective: Annotated[
        Literal["regression", "classification", "multilabel"] | None,
        {
            "description": "`regression`: a score with a threshold, two classes; `classification`: one class a text; "
            "`multilabel`: any number of classes a text; absent if unknown."
        },
    ] = None
    score_threshold: Annotated[
        float | None,
        {"description": "Of a `regression`: the score from which on the second class applies.", "example": 1.0},
    ] = None
    labels: Annotated[
        tuple[LabelCard, ...] | None,
        {"description": "The classes in the model's order; absent for a model whose release did not record them."},
    ] = None


@dataclass(frozen=True, slots=True)
class ProblemDocument:
    """An error (RFC 9457). Programs should read `code` or `type`; the texts are for people and may change."""

    type: Annotated[str, {"description": "Stable URI of the kind of error.", "format": "uri"}]
    title: Annotated[str, {"description": "The kind of error in words."}]
    detail: Annotated[str, {"description": "What was wrong, what is allowed, what to do next."}]
    code: Annotated[str, {"description": "Stable name of the kind of error, the last part of `type`."}]
    request_id: Annotated[str, {"description": "Id of the request in the service's log."}]
    status: Annotated[
        int | None,
        {"description": "The HTTP status; absent where the gateway cannot tell it.", "minimum": 400, "maximum": 599},
    ] = None


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
