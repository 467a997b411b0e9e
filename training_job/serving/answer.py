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

logger = logging.getLogger("serving")


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
    """Predict for the texts in `body`, of one of `formats.TYPES` (default: JSON).

    Never raises: errors are in the answer's status.
    """
    from serving import formats  # imports the predictor's libraries

    try:
        read = formats.request_type(content_type)
        written = formats.answer_type(accept, read)
        texts = formats.read_texts(read, body.encode() if isinstance(body, str) else body)
    except RequestError as error:
        return refused(error)
    try:
        predictions = predictor.predict(texts)
    except Exception:  # libraries raise many kinds; the caller learns only that the model failed
        log_model_failure()
        return model_failure()
    return success(written, texts, predictions, version)


def success(content_type: str, texts: Sequence[str], predictions: Sequence[Prediction], version: str | None) -> Answer:
    """Write the predictions for `texts` in one of `formats.TYPES`."""
    from serving import formats

    facts = {
        "texts": len(texts),
        "characters": sum(map(len, texts)),
        "truncated": sum(prediction.truncated for prediction in predictions),
    }
    return Answer(200, formats.write(content_type, predictions, version), facts, content_type=content_type)


def error_answer(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Make an answer in the error format of the contract."""
    body = json.dumps({"error": {"type": kind, "message": message}}, separators=(",", ":")).encode()
    return Answer(status, body, {"error": kind}, headers=headers or {})


def refused(error: RequestError) -> Answer:
    """Make the answer to an unacceptable request."""
    return error_answer(error.status, error.kind, error.message)


def log_model_failure() -> None:
    """Log the current exception."""
    logger.exception("the model failed on a request")


def model_failure() -> Answer:
    """Make the answer to a request on which the model failed."""
    return error_answer(500, "model_error", "the model failed on this request; the server's log says why")
