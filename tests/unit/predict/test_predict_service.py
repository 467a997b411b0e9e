"""predict.service: what a request does, without HTTP and without AWS."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from predict.errors import ModelTimeoutError, ModelWarmingUpError, PredictError, TextTooLongError, ThrottledError
from predict.request import PredictionRequest
from predict.service import Breaker, PredictionService
from shared.answers import Answer, Prediction
from shared.retry import Retry


class FakeEndpoint:
    """Scores a text by its length, after failing a number of times."""

    def __init__(self, version: str | None = "3", failures: int = 0) -> None:
        self.version = version
        self.failures = failures
        self.asked: list[tuple[str, ...]] = []
        self.seconds: list[float] = []

    def ask(self, texts: Sequence[str], parameters: Mapping[str, Any], *, seconds: float) -> Answer:
        self.asked.append(tuple(texts))
        self.seconds.append(seconds)
        if parameters.get("truncation") is False:
            raise TextTooLongError(next(place for place, text in enumerate(texts) if len(text) > 2))
        if len(self.asked) <= self.failures:
            raise ModelWarmingUpError()
        return Answer(tuple(Prediction("a", 0.9, float(len(text)), False) for text in texts), self.version)


def test_identical_texts_are_asked_once_and_answered_each() -> None:
    """Repetitions cost nothing at the endpoint and keep their places in the answer."""
    endpoint = FakeEndpoint()
    result = PredictionService(endpoint=endpoint).predict(PredictionRequest(("aa", "b", "aa", "ccc", "b")))
    assert endpoint.asked == [("aa", "b", "ccc")]
    assert [prediction.score for prediction in result.predictions] == [2, 1, 2, 3, 1]
    assert result.unique_texts == 3


def test_a_refused_text_is_named_by_its_place_in_the_request() -> None:
    """Not by its place among the texts that were asked once."""
    request = PredictionRequest(("a", "a", "b", "long"), {"truncation": False})
    with pytest.raises(TextTooLongError, match=r"^inputs\[3\] is longer"):
        PredictionService(endpoint=FakeEndpoint()).predict(request)


@pytest.mark.parametrize(("own", "reported"), [("3", "3"), (None, "hub")])
def test_the_fallback_version_is_for_containers_without_one(own: str | None, reported: str) -> None:
    """A version named by the container wins over the configured one."""
    service = PredictionService(endpoint=FakeEndpoint(own), version_fallback="hub")
    assert service.predict(PredictionRequest(("x",))).version == reported


def test_a_cold_start_is_waited_for(fake_time: Any) -> None:
    """Two refusals while the model starts end in an answer that counts three attempts."""
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
    service = PredictionService(endpoint=FakeEndpoint(failures=2), retry=retry)
    assert service.predict(PredictionRequest(("x",))).attempts == 3


@pytest.mark.parametrize(("given", "used"), [(60.0, 25.0), (10.0, 10.0)])
def test_the_budget_is_25_seconds_or_what_the_lambda_has(fake_time: Any, given: float, used: float) -> None:
    """More time than the gateway waits is of no use; less is respected."""
    endpoint = FakeEndpoint()
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
    PredictionService(endpoint=endpoint, retry=retry).predict(PredictionRequest(("x",)), seconds=given)
    assert endpoint.seconds == [used]


class StalledEndpoint:
    """Takes the time it is given and fails, until it is well."""

    def __init__(self, fake_time: Any, error: type[PredictError] = ModelTimeoutError) -> None:
        self.time, self.error, self.well = fake_time, error, False

    def ask(self, texts: Sequence[str], parameters: Mapping[str, Any], *, seconds: float) -> Answer:
        if self.well:
            return Answer(tuple(Prediction("a", 0.9, 1.0, False) for _ in texts), "3")
        self.time.now += seconds if self.error is ModelTimeoutError else 0.01
        raise self.error()


def asked(service: PredictionService, fake_time: Any) -> float:
    """How many seconds a request holds its Lambda."""
    before = fake_time.now
    with contextlib.suppress(PredictError):
        service.predict(PredictionRequest(("x",)))
    return float(fake_time.now - before)


def stalled(fake_time: Any, error: type[PredictError] = ModelTimeoutError) -> tuple[StalledEndpoint, PredictionService]:
    endpoint = StalledEndpoint(fake_time, error)
    retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
    return endpoint, PredictionService(endpoint=endpoint, retry=retry, breaker=Breaker(clock=fake_time.clock))


def test_a_stalled_model_holds_one_request_long_and_the_next_ones_short(fake_time: Any) -> None:
    """After the first timeout, requests give up after five seconds; after ten seconds one has the whole time again."""
    _, service = stalled(fake_time)
    assert [round(asked(service, fake_time)) for _ in range(4)] == [25, 5, 5, 5]
    fake_time.now += 10
    assert round(asked(service, fake_time)) == 25


def test_the_first_answer_ends_it(fake_time: Any) -> None:
    """A model that lives again is answered from at once, and the next stall gets the whole time."""
    endpoint, service = stalled(fake_time)
    asked(service, fake_time)
    endpoint.well = True
    assert service.predict(PredictionRequest(("x",))).attempts == 1
    endpoint.well = False
    assert round(asked(service, fake_time)) == 25


def test_a_busy_endpoint_is_given_up_early(fake_time: Any) -> None:
    """Of a request that the endpoint's concurrency limit refuses, eight seconds are enough; a start is waited for."""
    assert 2 < asked(stalled(fake_time, ThrottledError)[1], fake_time) <= 8
    assert 15 < asked(stalled(fake_time, ModelWarmingUpError)[1], fake_time) <= 25


def test_a_slow_model_is_not_cut_short_for_ever(fake_time: Any) -> None:
    """Where each answer takes six seconds, one failure shortens requests for a minute at the most."""
    _, service = stalled(fake_time)
    asked(service, fake_time)
    answers = []
    for _ in range(30):
        answers.append(round(asked(service, fake_time)))
        if answers[-1] > 5:
            break
    assert (answers[-1], set(answers[:-1])) == (25, {5})
    assert sum(answers[:-1]) <= 65  # the last one began within the minute
