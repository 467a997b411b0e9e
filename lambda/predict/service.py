"""What a prediction request does, without HTTP and without AWS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from predict.answers import EndpointAnswer, Prediction
from predict.request import PredictionRequest
from predict.retry import Retry

BUDGET_SECONDS = 25.0
"""API Gateway gives up after 29 s; the rest is for starting this Lambda and for the way back."""


class Endpoint(Protocol):
    """Something that can be asked once."""

    def ask(self, texts: Sequence[str], *, seconds: float) -> EndpointAnswer:
        """Answers for `texts` in their order, within about `seconds`; raises PredictError."""
        ...


@dataclass(frozen=True)
class PredictionResult:
    """Predictions in the order of the request, and numbers about how they came about."""

    predictions: tuple[Prediction, ...]
    version: str | None
    unique_texts: int
    attempts: int
    endpoint_seconds: float
    """From the first attempt's beginning to the last one's end, waits between them included."""


@dataclass(frozen=True, kw_only=True)
class PredictionService:
    """Asks an endpoint, repeatedly if need be, and identical texts only once."""

    endpoint: Endpoint
    version_fallback: str | None = None
    retry: Retry = field(default_factory=Retry)

    def predict(self, request: PredictionRequest, *, seconds: float = BUDGET_SECONDS) -> PredictionResult:
        """Answer within `seconds`, never more than `BUDGET_SECONDS`; raises PredictError."""
        unique = tuple(dict.fromkeys(request.texts))
        started = self.retry.clock()
        outcome = self.retry.call(
            lambda left: self.endpoint.ask(unique, seconds=left), budget=min(seconds, BUDGET_SECONDS)
        )
        endpoint_seconds = self.retry.clock() - started
        by_text = dict(zip(unique, outcome.value.predictions, strict=True))
        return PredictionResult(
            predictions=tuple(by_text[text] for text in request.texts),
            version=outcome.value.version or self.version_fallback,
            unique_texts=len(unique),
            attempts=outcome.attempts,
            endpoint_seconds=endpoint_seconds,
        )
