"""text_classifier.client: one text, streams of them, what is refused, and the order of it all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_api import MAX_CHARACTERS, ContractApi, Fault, prediction
from text_classifier import (
    Client,
    Limits,
    Prediction,
    Refusal,
    RequestRefusedError,
    RetryPolicy,
    TextRefusedError,
    UnavailableError,
    UsageError,
)
from text_classifier.in_flight import AHEAD

NewClient = Callable[..., Client]


def test_one_text_has_a_typed_prediction(new_client: NewClient) -> None:
    """Label, confidence, score, truncated, and the version of the model that answered."""
    with ContractApi() as api:
        found = new_client(api).score("A sharp lens.")
    assert found == Prediction(**prediction("A sharp lens."), model_version="7")
    assert found.as_dict() == prediction("A sharp lens.") | {"model_version": "7"}


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), ("x" * (MAX_CHARACTERS + 1), "too_long"), ("REFUSED", "bad_request")]
)
def test_one_text_that_is_refused_is_an_error(new_client: NewClient, text: str, code: str) -> None:
    """Whether this package knows it beforehand or the API says so."""
    with ContractApi() as api, pytest.raises(TextRefusedError) as caught:
        new_client(api).score(text)
    assert caught.value.code == code


@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_stream_is_answered_in_order_in_full_requests(new_client: NewClient, in_flight: int) -> None:
    """250 texts are three requests, whatever order their answers come in."""
    texts = [f"text {number}" for number in range(250)]

    def slower_at_first(number: int, asked: list[str]) -> None:
        time.sleep(0.1 * ("text 0" in asked))

    with ContractApi(slower_at_first) as api:
        outcomes = list(new_client(api).score_all(texts, in_flight=in_flight))
        assert sorted(map(len, api.asked)) == [50, 100, 100]
    assert outcomes == [Prediction(**prediction(text), model_version="7") for text in texts]


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["good", "", "REFUSED 1", "REFUSED 2", "long " * 20, "fine"]), max_size=25),
    in_flight=st.integers(1, 4),
)
def test_refused_texts_do_not_keep_the_others_from_their_predictions(texts: list[str], in_flight: int) -> None:
    """The API refuses a whole request for one text; that text is found, and each has its own outcome in its place."""
    with ContractApi() as api, Client(api.url, limits=Limits(texts=6, characters=50)) as client:
        outcomes = list(client.score_all(texts, in_flight=in_flight))
        assert sum(api.answered.values()) == sum(text in ("good", "fine") for text in texts)
    assert [getattr(outcome, "code", "") for outcome in outcomes] == [
        {"": "empty", "REFUSED 1": "bad_request", "REFUSED 2": "bad_request", "long " * 20: "too_long"}.get(text, "")
        for text in texts
    ]


def test_an_api_with_smaller_requests_is_served_all_the_same(new_client: NewClient) -> None:
    """Requests that it finds too many texts in are halved."""
    texts = [f"text {number}" for number in range(100)]
    with ContractApi(max_texts=30) as api:
        outcomes = list(new_client(api).score_all(texts))
        assert [len(asked) for asked in api.asked] == [25] * 4
    assert all(isinstance(outcome, Prediction) for outcome in outcomes)


def test_a_missing_key_is_not_blamed_on_the_texts(new_client: NewClient) -> None:
    """403 ends it after one request; with the key it works."""
    with ContractApi(api_key="k" * 20) as api:
        client = new_client(api)
        with pytest.raises(RequestRefusedError) as caught:
            list(client.score_all(["a"] * 100))
        assert (caught.value.status, client.requests_sent) == (403, 1)
        assert new_client(api, api_key="k" * 20 + "\n").score("a")


@pytest.mark.parametrize("in_flight", [1, 3])
def test_as_many_requests_as_asked_for_are_in_flight(new_client: NewClient, in_flight: int) -> None:
    """Never more, and really that many; each keeps its connection."""
    with ContractApi(seconds=0.03) as api:
        list(new_client(api, limits=Limits(texts=2)).score_all(["a"] * 40, in_flight=in_flight))
        assert (len(api.asked), api.most_at_once, api.connections) == (20, in_flight, in_flight)


@pytest.mark.parametrize("in_flight", [0, 33])
def test_a_number_in_flight_out_of_range_is_refused(new_client: NewClient, in_flight: int) -> None:
    """The message says what is allowed."""
    with pytest.raises(UsageError) as caught:
        new_client("http://127.0.0.1:1").score_as_they_come([], in_flight=in_flight)
    assert "1 to 32" in caught.value.hint


def test_a_request_that_hangs_does_not_let_the_others_run_away(new_client: NewClient) -> None:
    """What has to be kept for the order stays bounded, and so does what is read of an endless stream."""
    read, go_on = [], threading.Event()

    def endless() -> Any:
        while True:
            read.append(len(read))
            yield f"text {len(read)}"

    def hang_first(number: int, asked: list[str]) -> None:
        if "text 1" in asked:
            go_on.wait(10)

    with ContractApi(hang_first) as api:
        stream = new_client(api, limits=Limits(texts=1)).score_all(endless(), in_flight=3)
        threading.Timer(0.5, go_on.set).start()
        next(stream)
        assert len(api.asked) == AHEAD * 3
        assert len(read) <= AHEAD * 3 + 1
        stream.close()


def test_after_an_error_what_was_answered_is_given_before_it_is_raised(new_client: NewClient) -> None:
    """No request is begun any more, and no answer that was paid for is lost."""
    first_failed = threading.Event()

    def fail_first(number: int, asked: list[str]) -> Fault | None:
        if asked == ["text 0"]:
            first_failed.set()
            return Fault(500)
        first_failed.wait(5)
        time.sleep(0.1)
        return None

    given: list[int] = []
    with ContractApi(fail_first) as api, pytest.raises(RequestRefusedError):
        client = new_client(api, limits=Limits(texts=1))
        for answered in client.score_as_they_come(enumerate(f"text {n}" for n in range(50)), in_flight=3):
            given += [key for key, _ in answered]
    assert sorted(given) == [1, 2]
    assert len(api.asked) == 3


def test_what_is_no_text_is_refused_where_it_stands(new_client: NewClient) -> None:
    """Rows of JSON may hold anything."""
    with ContractApi() as api:
        client = new_client(api)
        (answered,) = client.score_as_they_come([("a", None), ("b", 5), ("c", "text"), ("d", ["x"])])
    assert {key: getattr(outcome, "code", "ok") for key, outcome in answered} == {
        "a": "not_a_text",
        "b": "not_a_text",
        "c": "ok",
        "d": "not_a_text",
    }


def test_nothing_to_ask_asks_nothing(new_client: NewClient) -> None:
    """Neither for an empty stream nor for one that is refused as a whole."""
    client = new_client("http://127.0.0.1:1")
    assert list(client.score_all([])) == []
    assert [outcome.code for outcome in client.score_all(["", ""]) if isinstance(outcome, Refusal)] == ["empty"] * 2
    assert client.requests_sent == 0


def test_health_is_asked_once_and_deeply_on_request(new_client: NewClient) -> None:
    """A probe wants to know how it is now."""
    with ContractApi() as api:
        client = new_client(api)
        assert client.health() == {"status": "ok"}
        assert client.health(deep=True) == {"status": "ok", "model": "ok"}
        assert client.model() == {"version": "7"}
    client = new_client("http://127.0.0.1:1")
    with pytest.raises(Exception, match="cannot be reached"):
        client.health()
    assert client.requests_sent == 1


def test_the_key_goes_into_the_header_and_the_client_names_itself(new_client: NewClient) -> None:
    """Without a key there is no such header."""
    with ContractApi() as api:
        new_client(api, api_key="secret").score("a")
        new_client(api).score("a")
    assert [headers.get("x-api-key") for headers in api.headers] == ["secret", None]
    assert all(headers["User-Agent"].startswith("text-classifier-client/") for headers in api.headers)


def test_cookies_are_not_kept(new_client: NewClient) -> None:
    """The session is shared by threads; its cookie jar stays empty."""
    cookie = Fault(503, headers=(("Set-Cookie", "a=b"),))
    with ContractApi(lambda number, texts: cookie if number == 0 else None) as api:
        new_client(api).score("a")
    assert [headers.get("Cookie") for headers in api.headers] == [None, None]


def test_text_of_every_script_arrives_as_it_is(new_client: NewClient) -> None:
    """UTF-8 on the wire, no escapes, nothing normalised."""
    texts = ["Größe", "很好", "مفيد", "e\u0301", "😀\u200d", 'quote " back\\slash', "line\nbreak\x00"]
    with ContractApi() as api:
        list(new_client(api).score_all(texts))
        assert api.asked == [texts]


def test_a_failure_is_the_last_word_of_a_policy_without_retries(new_client: NewClient) -> None:
    """One attempt is possible."""
    with ContractApi(lambda number, texts: Fault(429)) as api:
        with pytest.raises(UnavailableError):
            new_client(api, retry=RetryPolicy(attempts=1)).score("a")
        assert len(api.asked) == 1
