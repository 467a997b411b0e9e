"""Answering a prediction request, without HTTP and AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from predict.errors import TextTooLongError
from predict.request import PredictionRequest
from shared.answers import Answer, Prediction
from shared.retry import Retry

BUDGET_SECONDS = 25.0
"""Time for one answer. API Gateway gives up after 29 s; the rest is for starting this Lambda and for the network."""


class Endpoint(Protocol):
    """Answers in one attempt."""

    def ask(self, texts: Sequence[str], parameters: Mapping[str, Any], *, seconds: float) -> Answer:
        """Return the predictions for `texts` within about `seconds`; `parameters` are the caller's.

        Raises PredictError: it failed.
        """
        ...


@dataclass(frozen=True)
class PredictionResult:
    """Predictions in the order of the request, and figures for the log."""

    predictions: tuple[Prediction, ...]
    version: str | None
    label_count: int | None
    """Number of the model's labels; None where its container does not tell it."""
    unique_texts: int
    attempts: int
    endpoint_seconds: float
    """From the start of the first attempt to the end of the last one, waits included."""


@dataclass(frozen=True, kw_only=True)
class PredictionService:
    """Asks an endpoint, repeats failed attempts, and asks identical texts only once."""

    endpoint: Endpoint
    version_fallback: str | None = None
    retry: Retry = field(default_factory=Retry)

    def predict(self, request: PredictionRequest, *, seconds: float = BUDGET_SECONDS) -> PredictionResult:
        """Answer within `seconds`, at most `BUDGET_SECONDS`; raise PredictError."""
        unique = tuple(dict.fromkeys(request.texts))
        started = self.retry.clock()
        try:
            answer, attempts = self.retry.call(
                lambda left: self.endpoint.ask(unique, request.parameters, seconds=left),
                budget=min(seconds, BUDGET_SECONDS),
            )
        except TextTooLongError as error:
            if error.position is None or len(request.texts) == 1:
                raise
            raise TextTooLongError(request.texts.index(unique[error.position])) from error
        endpoint_seconds = self.retry.clock() - started
        by_text = dict(zip(unique, answer.predictions, strict=True))
        return PredictionResult(
            predictions=tuple(by_text[text] for text in request.texts),
            version=answer.version or self.version_fallback,
            label_count=answer.label_count,
            unique_texts=len(unique),
            attempts=attempts,
            endpoint_seconds=endpoint_seconds,
        )
