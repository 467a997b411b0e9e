"""Asking the endpoint: what passes is waited for, within bounds; everything else is an error of this package."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from fake_time import FakeTime
from smoke_test.endpoint import PATIENCE_SECONDS, RETRY, Endpoint, EndpointUnusableError
from smoke_test_fakes import FakeRuntime, answer, client_error, sentence

PASSING = [
    client_error("ModelNotReadyException", status=429),
    client_error("ThrottlingException"),
    client_error("ServiceUnavailable", status=503),
    client_error("Whatever", status=500),
    client_error("ModelError", OriginalStatusCode=503, OriginalMessage="starting"),
    client_error("ModelError", OriginalStatusCode=0),
    ReadTimeoutError(endpoint_url="x"),
    ConnectTimeoutError(endpoint_url="x"),
    EndpointConnectionError(endpoint_url="x"),
]
FINAL = [
    (client_error("ValidationError", "Endpoint text-classifier-dev of account 1 not found."), "not found"),
    (client_error("ModelError", OriginalStatusCode=400, OriginalMessage="no model"), "answered 400: no model"),
    (client_error("ModelError", OriginalStatusCode=500, OriginalMessage="boom"), "answered 500: boom"),
    (client_error("AccessDeniedException", "not authorized"), "not authorized"),
    (NoCredentialsError(), "cannot be asked"),
]


def _endpoint(runtime: FakeRuntime, time: FakeTime) -> Endpoint:
    return Endpoint("text-classifier-dev", runtime, replace(RETRY, clock=time.clock, sleep=time.sleep))


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_cold_or_busy_endpoint_is_given_time(time: FakeTime, error: Exception) -> None:
    """What passes is asked again, with growing pauses, until the answer comes."""
    left: list[bytes | Exception] = [error, error, answer()]
    runtime = FakeRuntime(lambda _: left.pop(0))
    assert _endpoint(runtime, time).ask(sentence("a")).predictions
    assert time.slept == [1.0, 2.0]


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_patience_ends(time: FakeTime, error: Exception) -> None:
    """An endpoint that stays cold is given up after two minutes, over all questions together."""
    endpoint = Endpoint(
        "text-classifier-dev", FakeRuntime(lambda _: error), replace(RETRY, clock=time.clock, sleep=time.sleep)
    )
    for _ in range(2):
        with pytest.raises(EndpointUnusableError, match="stayed so for 120 seconds"):
            endpoint.ask(sentence("a"))
    assert PATIENCE_SECONDS - 10 < time.now < PATIENCE_SECONDS


@pytest.mark.parametrize(("error", "told"), FINAL, ids=str)
def test_what_does_not_pass_is_told_at_once(time: FakeTime, error: Exception, told: str) -> None:
    """A model that fails, a missing endpoint or right is an error with the reason, without waiting."""
    endpoint = Endpoint(
        "text-classifier-dev", FakeRuntime(lambda _: error), replace(RETRY, clock=time.clock, sleep=time.sleep)
    )
    with pytest.raises(EndpointUnusableError, match=told) as caught:
        endpoint.ask(sentence("a"))
    assert "endpoint text-classifier-dev " in str(caught.value) and time.slept == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"[]",
        b'[{"label": "LABEL_0", "score": 0.9}]',
        b'{"predictions": [], "model": {"version": "7"}}',
        b'{"predictions": [{"label": "a", "confidence": 0.9, "score": 1}]}',
        answer(label=""),
        answer(confidence=1.01),
        answer(confidence=-0.1),
        answer(confidence=True),
        answer(score=float("nan")),
        b"[" * 100_000,
    ],
)
def test_anything_but_a_prediction_is_unusable(time: FakeTime, body: bytes) -> None:
    """An answer in another form, or with a number out of its range, is no answer."""
    endpoint = Endpoint(
        "text-classifier-dev", FakeRuntime(lambda _: body), replace(RETRY, clock=time.clock, sleep=time.sleep)
    )
    with pytest.raises(EndpointUnusableError, match="gave an answer that"):
        endpoint.ask(sentence("a"))
