"""Answering a prediction request, without HTTP and AWS."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from predict.errors import (
    EndpointUnavailableError,
    ModelTimeoutError,
    PredictError,
    TextTooLongError,
    ThrottledError,
)
from predict.request import PredictionRequest
from shared.answers import Answer, Prediction
from shared.retry import Retry

BUDGET_SECONDS = 25.0
"""Time for one answer. API Gateway gives up after 29 s; the rest is for starting this Lambda and for the network."""
STALLED_SECONDS = 5.0
"""Time for one answer while the model is known not to answer: one attempt of 3 s, and 2 s to repeat refused ones."""
REMEMBERED_SECONDS = 10.0
"""For so long a failure counts as the model's state. After it, a request has the whole time again."""
WHOLE_AGAIN_SECONDS = 60.0
"""The same where requests keep failing, counted from the last one that had the whole time."""


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


@dataclass(kw_only=True)
class Breaker:
    """Remembers that the model did not answer, so that the next requests give up early.

    Requests that wait for a stalled model would take all Lambdas that an account may run at once. Each is still asked,
    with a short wait, so the first that the model answers ends it. Once a minute one has the whole time, for a model
    whose honest answers take longer than the short wait.
    """

    clock: Callable[[], float] = time.monotonic
    _failed_at: float = -math.inf
    _full_at: float = -math.inf  # when a request with its whole time failed last
    _short: bool = False  # whether the present request has less

    def seconds(self, wanted: float) -> float:
        """Return the time for a request that may take `wanted` seconds."""
        now = self.clock()
        self._short = now - self._failed_at < REMEMBERED_SECONDS and now - self._full_at < WHOLE_AGAIN_SECONDS
        return min(wanted, STALLED_SECONDS) if self._short else wanted

    def note(self, error: PredictError | None) -> None:
        """Take the end of a request: its error, or None for an answer. A model that starts is worth waiting for."""
        silent = isinstance(error, ModelTimeoutError | EndpointUnavailableError | ThrottledError)
        self._failed_at = self.clock() if silent else -math.inf
        if silent and not self._short:
            self._full_at = self._failed_at


@dataclass(frozen=True, kw_only=True)
class PredictionService:
    """Asks an endpoint, repeats failed attempts, and asks identical texts only once."""

    endpoint: Endpoint
    version_fallback: str | None = None
    retry: Retry = field(default_factory=Retry)
    breaker: Breaker = field(default_factory=Breaker)

    def predict(self, request: PredictionRequest, *, seconds: float = BUDGET_SECONDS) -> PredictionResult:
        """Answer within `seconds`, at most `BUDGET_SECONDS`; raise PredictError."""
        unique = tuple(dict.fromkeys(request.texts))
        started = self.retry.clock()
        try:
            answer, attempts = self.retry.call(
                lambda left: self.endpoint.ask(unique, request.parameters, seconds=left),
                budget=self.breaker.seconds(min(seconds, BUDGET_SECONDS)),
            )
        except PredictError as error:
            self.breaker.note(error)
            if isinstance(error, TextTooLongError) and error.position is not None and len(request.texts) > 1:
                raise TextTooLongError(request.texts.index(unique[error.position])) from error
            raise
        self.breaker.note(None)
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
