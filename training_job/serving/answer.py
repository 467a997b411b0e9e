"""Turn one request body into one answer, in the same way in every container."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serving.errors import RequestError

if TYPE_CHECKING:
    from serving.predictor import Prediction, Predictor
    from serving.request import Inputs

logger = logging.getLogger("serving")

MODEL_FAILED = "the model failed on a request"


@dataclass(frozen=True)
class Answer:
    """An answer to the caller, with facts for the log."""

    status: int
    body: bytes
    """UTF-8."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Counts for the log line; never a text."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Additional headers, where the container can send them."""


def answer(
    predictor: Predictor,
    body: bytes | bytearray | str,
    *,
    version: str | None,
    content_type: str | None = None,
    accept: str | None = None,
) -> Answer:
    """Predict for the texts in `body`, of one of `formats.TYPES`. Never raises: errors are in the answer's status."""
    from serving import formats  # imports the predictor's libraries

    try:
        read = formats.request_type(content_type)
        written = formats.answer_type(accept, read)
        inputs = formats.read_inputs(read, body.encode() if isinstance(body, str) else body)
    except RequestError as error:
        return refused(error)
    try:
        predictions = predictor.predict(inputs.texts, [each.top_k for each in inputs.parameters])
    except Exception:  # libraries raise many kinds; the caller learns only that the model failed
        logger.exception(MODEL_FAILED)
        return model_failure()
    return answered(written, inputs, predictions, labels=len(predictor.config.labels), version=version)


def answered(
    content_type: str, inputs: Inputs, predictions: Sequence[Prediction], *, labels: int, version: str | None
) -> Answer:
    """Write the predictions in one of `formats.TYPES`; refuse a text that was truncated and must not be."""
    from serving import formats

    truncated = [index for index, prediction in enumerate(predictions) if prediction.truncated]
    for index in truncated:
        if not inputs.parameters[index].truncation:
            name = inputs.name(index)
            message = f"{name} has more tokens than the model reads: shorten it, or leave truncation at true"
            return refused(RequestError(message, kind="text_too_long"))
    facts = {"texts": len(inputs.texts), "characters": sum(map(len, inputs.texts)), "truncated": len(truncated)}
    body = formats.write(content_type, predictions, version=version, labels=labels)
    return Answer(200, body, facts, content_type=content_type)


def error_answer(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Make an answer in the error format of the contract."""
    body = json.dumps({"error": {"type": kind, "message": message}}, separators=(",", ":")).encode()
    return Answer(status, body, {"error": kind}, headers=headers or {})


def refused(error: RequestError) -> Answer:
    """Make the answer to an unacceptable request."""
    return error_answer(error.status, error.kind, error.message)


def model_failure() -> Answer:
    """Make the answer to a request on which the model failed."""
    return error_answer(500, "model_error", "the model failed on this request; the server's log says why")
