"""text_classifier.transport: which answers are asked for again, when, and for how long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest

from contract_api import RESET, ContractApi, Fault
from text_classifier import (
    BadAnswerError,
    Client,
    RequestRefusedError,
    RetryPolicy,
    TextClassifierError,
    UnavailableError,
    UnreachableError,
    UsageError,
)

NewClient = Callable[..., Client]


def at_first(*faults: Fault) -> Callable[[int, list[str]], Fault | None]:
    """The first requests fail like this, all others are answered."""
    return lambda number, texts: faults[number] if number < len(faults) else None


def always(fault: Fault) -> Callable[[int, list[str]], Fault | None]:
    """No request is answered."""
    return lambda number, texts: fault


@pytest.mark.parametrize("fault", [Fault(429), Fault(502), Fault(503), Fault(504), RESET], ids=lambda f: str(f.status))
def test_what_passes_is_asked_again(new_client: NewClient, fault: Fault) -> None:
    """Two failures and an answer are an answer, after three requests."""
    with ContractApi(at_first(fault, fault)) as api:
        client = new_client(api)
        assert client.score("text").model_version == "7"
        assert client.requests_sent == len(api.asked) == 3


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405, 415, 500, 501])
def test_what_does_not_pass_is_not(new_client: NewClient, slept: list[float], status: int) -> None:
    """One request, no wait; a redirect is not followed, so that the key goes nowhere else."""
    with ContractApi(always(Fault(status, headers=(("Location", "/elsewhere"),)))) as api:
        with pytest.raises(RequestRefusedError) as caught:
            new_client(api).score("text")
        assert (caught.value.status, len(api.asked), len(api.headers), slept) == (status, 1, 1, [])


@pytest.mark.parametrize("form", ["7", " 7 ", "a date"])
def test_retry_after_is_honoured_as_seconds_and_as_a_date(new_client: NewClient, slept: list[float], form: str) -> None:
    """The wait is what was asked for and up to a second more, however short the backoff would be."""
    header = formatdate(time.time() + 70, usegmt=True) if form == "a date" else form
    with ContractApi(at_first(Fault(429, retry_after=header))) as api:
        new_client(api, retry=RetryPolicy(first_wait=0.001)).score("text")
    (wait,) = slept
    assert (60 <= wait <= 71) if form == "a date" else (7 <= wait <= 8)


@pytest.mark.parametrize("header", ["soon", "-5", "1e3", "٣", ""])
def test_a_retry_after_that_says_nothing_counts_as_none(new_client: NewClient, slept: list[float], header: str) -> None:
    """Backoff then."""
    with ContractApi(at_first(Fault(503, headers=(("Retry-After", header.encode().decode("latin-1")),)))) as api:
        new_client(api, retry=RetryPolicy(first_wait=0.5)).score("text")
    assert len(slept) == 1
    assert slept[0] <= 0.5


def test_backoff_doubles_to_a_limit_and_is_drawn_at_random(new_client: NewClient, slept: list[float]) -> None:
    """Each wait lies between nothing and its limit, and they are not all alike."""
    policy = RetryPolicy(attempts=40, first_wait=0.5, longest_wait=4, seconds=1e6)
    with ContractApi(always(Fault(503))) as api, pytest.raises(UnavailableError):
        new_client(api, retry=policy).score("text")
    limits = [0.5, 1, 2] + [4] * 36
    assert all(0 <= wait <= limit for wait, limit in zip(slept, limits, strict=True))
    assert len(set(slept)) > 30
    assert max(slept[3:]) > 2


def test_the_number_of_attempts_is_bounded(new_client: NewClient) -> None:
    """The last error is the one that is raised."""
    with ContractApi(at_first(Fault(503), RESET, Fault(429, code="throttled"), RESET)) as api:
        with pytest.raises(UnavailableError) as caught:
            new_client(api, retry=RetryPolicy(attempts=3)).score("text")
        assert (caught.value.code, len(api.asked)) == ("throttled", 3)


def test_a_wait_beyond_the_time_is_not_begun(new_client: NewClient, slept: list[float]) -> None:
    """An hour's Retry-After ends it at once; the error says when it would be worth while."""
    with ContractApi(always(Fault(503, retry_after="3600", code="model_not_released"))) as api:
        with pytest.raises(UnavailableError) as caught:
            new_client(api, retry=RetryPolicy(seconds=60)).score("text")
        assert (caught.value.retry_after, len(api.asked), slept) == (3600, 1, [])


def test_the_time_is_bounded_by_the_clock() -> None:
    """With half a second, real waits end after about that."""
    with (
        ContractApi(always(Fault(503))) as api,
        Client(api.url, retry=RetryPolicy(attempts=1000, seconds=0.5, first_wait=0.05, longest_wait=0.1)) as client,
    ):
        started = time.monotonic()
        with pytest.raises(UnavailableError):
            client.score("text")
        assert time.monotonic() - started < 5
        assert 2 <= len(api.asked) < 100


def test_an_answer_that_does_not_come_is_given_up(new_client: NewClient) -> None:
    """The read timeout counts as unreachable."""
    with ContractApi(seconds=2) as api, pytest.raises(UnreachableError):
        new_client(api, timeout=(1, 0.1), retry=RetryPolicy(attempts=1)).score("text")


@pytest.mark.parametrize(
    "body",
    [
        "<html>Sign in</html>",
        "[]",
        "null",
        "[" * 100_000,
        '{"predictions": [], "model": {"version": "1"}}',
        '{"predictions": [{"label": "a", "confidence": NaN, "score": 1, "truncated": true}], "model": {"version": ""}}',
        '{"predictions": [{"label": "\\ud800", "confidence": 1, "score": 1, "truncated": 0}], "model": {"version": 1}}',
    ],
)
def test_another_servers_page_is_no_answer(new_client: NewClient, body: str) -> None:
    """Status 200 alone does not make a prediction; it is not asked for again."""
    with ContractApi(always(Fault(200, body=body))) as api:
        with pytest.raises(BadAnswerError):
            new_client(api).score("text")
        assert len(api.asked) == 1


@pytest.mark.parametrize("body", ["", "<html>", "[]", '"text"', '{"detail": 5, "code": ["x"]}', "[" * 100_000])
def test_a_problem_in_another_form_is_still_an_error(new_client: NewClient, body: str) -> None:
    """What a proxy in between sends has a status at least."""
    with ContractApi(always(Fault(403, body=body))) as api, pytest.raises(RequestRefusedError) as caught:
        new_client(api).score("text")
    assert (caught.value.status, caught.value.code, caught.value.detail) == (403, None, "")


def test_an_error_carries_what_the_problem_said(new_client: NewClient) -> None:
    """Programs act on attributes."""
    with ContractApi(always(Fault(500, code="internal"))) as api, pytest.raises(TextClassifierError) as caught:
        new_client(api).score("text")
    error = caught.value
    assert isinstance(error, RequestRefusedError)
    assert (error.status, error.code, error.detail, error.request_id, error.retry_after) == (
        500,
        "internal",
        "It was asked to fail.",
        "r-1",
        None,
    )


def test_a_long_wait_is_told_and_a_short_one_is_not(new_client: NewClient, caplog: pytest.LogCaptureFixture) -> None:
    """A person in front of a starting model learns why nothing happens; the server's words steer no terminal."""
    caplog.set_level(logging.WARNING)
    faults = Fault(429, retry_after="1"), Fault(503, retry_after="10", code="model_warming_up\x1b[2J")
    with ContractApi(at_first(*faults)) as api:
        new_client(api).score("text")
    (record,) = caplog.records
    assert r"model_warming_up\x1b[2J" in record.getMessage()
    assert "Asking again in 1" in record.getMessage()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host",
        "host/live",
        "http://",
        "http://[::1",
        "https://host:0/x",
        "https://host:99999/x",
        "https://user:secret@host/live",
        "https://host/live/v1",
        "https://host/live/v1/predictions/",
        "https://host/live?key=secret",
        "https://host#x",
    ],
)
def test_a_url_that_is_no_apis_base_is_refused(url: str) -> None:
    """Before anything is sent; a secret in it is not repeated."""
    with pytest.raises(UsageError) as caught:
        Client(url)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("key", ["", "  ", "two\nlines", "schlüssel", "nul\x00"])
def test_a_key_that_cannot_be_sent_is_refused_and_never_quoted(key: str) -> None:
    """Not by this package, and not by the HTTP library, which would."""
    with pytest.raises(UsageError) as caught:
        Client("http://127.0.0.1:1", api_key=key)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"seconds": -1}, {"first_wait": float("nan")}, {"longest_wait": float("inf")}]
)
def test_a_policy_without_sense_is_refused(wrong: dict[str, Any]) -> None:
    """The message names the value."""
    with pytest.raises(UsageError, match=next(iter(wrong))):
        RetryPolicy(**wrong)
