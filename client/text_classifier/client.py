"""The client: scores one text, or a stream of them."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal, Self, TypeAlias, TypeVar

import requests

from text_classifier.batching import Batch, Limits, batches
from text_classifier.errors import RequestRefusedError, TextRefusedError, UsageError
from text_classifier.in_flight import as_they_come
from text_classifier.results import Outcome, Prediction, Refusal, bad_answer, read_predictions
from text_classifier.transport import MOST_IN_FLIGHT, TIMEOUT_SECONDS, RetryPolicy, Transport

K = TypeVar("K")
TopK: TypeAlias = int | Literal["all"] | None
"""How many classes `scores` has; None for no scores."""
MOST_CLASSES = 1000

PREDICTIONS = "/v1/predictions"
ABOUT_THE_TEXTS = (400, 413, 422)
"""Statuses with which the API refuses the content of a request, not the caller or the path."""


class Client:
    """Sends texts to one API. Keeps connections open: close it, or use it in a `with` statement.

    Args:
        url: Base of the API, without `/v1`.
        api_key: Needed where the API requires one.
        limits: Limits of one request.
        retry: How often and how long a request is repeated after 429, 502, 503, 504 and broken connections.
        timeout: Seconds to connect, and to wait for the next bytes of an answer.
        session: A session of requests with your own adapters, proxies or certificates.
        sleep: Waits for that many seconds.

    Raises UsageError: The URL or the key cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        limits: Limits | None = None,
        retry: RetryPolicy | None = None,
        timeout: tuple[float, float] = TIMEOUT_SECONDS,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits or Limits()
        self._transport = Transport(
            url, api_key=api_key, retry=retry or RetryPolicy(), timeout=timeout, session=session, sleep=sleep
        )

    @property
    def url(self) -> str:
        """Base of the API, without `/v1` and without a final slash."""
        return self._transport.url

    @property
    def requests_sent(self) -> int:
        """Number of requests so far, including repeated ones."""
        return self._transport.sent

    def score(self, text: str, *, top_k: TopK = None) -> Prediction:
        """Return the prediction for one text; `top_k` as for `score_all`.

        Raises:
            TextRefusedError: It is empty, too long, or refused by the API.
            ApiError: The API answered with another error, or could not be reached.
        """
        (outcome,) = self.score_all([text], top_k=top_k)
        if isinstance(outcome, Refusal):
            raise TextRefusedError(f"The text is refused. {outcome.detail}", code=outcome.code)
        return outcome

    def score_all(self, texts: Iterable[str], *, in_flight: int = 1, top_k: TopK = None) -> Iterator[Outcome]:
        """Yield the outcome of each text in order: a Prediction, or a Refusal for a text that cannot be scored.

        Suitable for long streams: `texts` is read no further than the requests in flight, and outcomes are not kept.

        Args:
            texts: Any number of texts.
            in_flight: Requests at once, 1 to 32.
            top_k: How many of the most probable classes each prediction's `scores` has, 1 to 1000, or "all".

        Raises:
            UsageError: `in_flight` or `top_k` is out of its range.
            ApiError: The API answered with an error that is not about the texts, or could not be reached. All earlier
                outcomes have been yielded.
        """
        early: dict[int, Outcome] = {}
        awaited = 0
        for answered in self.score_as_they_come(enumerate(texts), in_flight=in_flight, top_k=top_k):
            early.update(answered)
            while awaited in early:
                yield early.pop(awaited)
                awaited += 1

    def score_as_they_come(
        self, items: Iterable[tuple[K, Any]], *, in_flight: int = 1, top_k: TopK = None
    ) -> Iterator[list[tuple[K, Outcome]]]:
        """Yield the outcomes in the order in which the API answers, one list for each request.

        At most `in_flight` requests have been sent without their list being yielded: a caller who stores each list at
        once never loses more answers. After an error, the answers of running requests are yielded before it is raised.

        `items` has a key of the caller's choice for each text, and the text; anything but a text is refused. The other
        arguments and the errors are those of `score_all`.
        """
        if not 1 <= in_flight <= MOST_IN_FLIGHT:
            raise UsageError(f"in_flight is {in_flight}.", hint=f"Give 1 to {MOST_IN_FLIGHT} requests.")
        answer: Callable[[Batch[K]], list[tuple[K, Outcome]]] = partial(self._answer, parameters=_parameters(top_k))
        return as_they_come(batches(items, self._limits), answer, limit=in_flight)

    def health(self, *, deep: bool = False) -> dict[str, Any]:
        """Return the API's health from a single request; `deep` asks the model too. Raise ApiError."""
        return _object(self._transport.get("/v1/health" + "?deep=true" * deep, repeat=False))

    def model(self) -> dict[str, Any]:
        """Return the API's description of the serving model; raise ApiError."""
        return _object(self._transport.get("/v1/model"))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, batch: Batch[K], *, parameters: dict[str, Any]) -> list[tuple[K, Outcome]]:
        return [*batch.refused, *(self._ask(batch, parameters) if batch.keys else [])]

    def _ask(self, batch: Batch[K], parameters: dict[str, Any]) -> list[tuple[K, Outcome]]:
        """Send one request. If the API refuses its content, send halves until the text at fault stands alone."""
        try:
            document = self._transport.post(PREDICTIONS, batch.body(parameters))
        except RequestRefusedError as error:
            if error.status not in ABOUT_THE_TEXTS:
                raise
            if len(batch.keys) > 1:
                first, second = batch.halves()
                return self._ask(first, parameters) + self._ask(second, parameters)
            return [(batch.keys[0], Refusal(error.code or "refused", error.detail or error.message))]
        return list(zip(batch.keys, read_predictions(document, texts=len(batch.keys)), strict=True))


def _parameters(top_k: TopK) -> dict[str, Any]:
    """Return the request's parameters; raise UsageError."""
    if top_k is None:
        return {}
    if top_k != "all" and not (isinstance(top_k, int) and 1 <= top_k <= MOST_CLASSES):
        raise UsageError(f"top_k is {top_k}.", hint=f"Give 1 to {MOST_CLASSES}, or all.")
    return {"top_k": None if top_k == "all" else top_k}


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise bad_answer("it is no JSON object")
    return document
