"""One request body to one answer, the same in every container that serves the artifact."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serving.errors import RequestError
from serving.request import Limits

if TYPE_CHECKING:
    from serving.predictor import Prediction, Predictor

logger = logging.getLogger("serving")


@dataclass(frozen=True)
class Answer:
    """What goes back to the caller, and numbers about it for the log."""

    status: int
    body: bytes
    """UTF-8."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Counts for the log line; never a text."""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, where the container can send them."""


def answer(
    predictor: Predictor,
    body: bytes | bytearray | str,
    *,
    version: str | None,
    content_type: str | None = None,
    accept: str | None = None,
) -> Answer:
    """Predict for the texts in a `body` of one of `formats.TYPES`, JSON unless said otherwise.

    Never raises: what goes wrong is in the answer's status.
    """
    from serving import formats  # and below it the predictor's libraries

    try:
        read = formats.request_type(content_type)
        written = formats.answer_type(accept, read)
        texts = formats.read_texts(read, body.encode() if isinstance(body, str) else body, Limits())
    except RequestError as error:
        return error_answer(error.status, error.kind, error.message)
    try:
        predictions = predictor.predict(texts)
    except Exception:  # whatever the network's library raises; the caller learns only that the model failed
        log_model_failure()
        return model_failure()
    return success(written, texts, predictions, version)


def success(content_type: str, texts: Sequence[str], predictions: Sequence[Prediction], version: str | None) -> Answer:
    """The predictions for `texts` as a body of one of `formats.TYPES`."""
    from serving import formats

    facts = {
        "texts": len(texts),
        "characters": sum(map(len, texts)),
        "truncated": sum(prediction.truncated for prediction in predictions),
    }
    return Answer(200, formats.write(content_type, predictions, version), facts, content_type=content_type)


def error_answer(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in the error form of the contract."""
    body = _json({"error": {"type": kind, "message": message}})
    return Answer(status, body, {"error": kind}, headers=headers or {})


def log_model_failure() -> None:
    """Logs the exception that is being handled."""
    logger.exception("the model failed on a request")


def model_failure() -> Answer:
    """The answer to a request on which the model failed."""
    return error_answer(500, "model_error", "the model failed on this request; the server's log says why")


def _json(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()
