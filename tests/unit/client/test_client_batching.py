"""text_classifier.batching: cutting a stream into requests."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.request import MAX_CHARACTERS, MAX_TEXTS
from text_classifier import Limits, Refusal, UsageError
from text_classifier.batching import batches, encode

SMALL = Limits(texts=5, characters=30, body_bytes=120)
ANY_TEXT = st.text(st.characters(codec=None), max_size=40) | st.none() | st.integers()


@given(texts=st.lists(ANY_TEXT, max_size=60))
def test_order_is_kept_limits_hold_and_nothing_is_lost(texts: list[Any]) -> None:
    """Whatever the texts are, each is in exactly one batch, asked or refused, and no request is over a limit."""
    made = list(batches(enumerate(texts), SMALL))
    assert sorted(key for batch in made for key in (*batch.keys, *(key for key, _ in batch.refused))) == list(
        range(len(texts))
    )
    asked = [key for batch in made for key in batch.keys]
    assert asked == sorted(asked)
    for batch in made:
        assert 1 <= len(batch) <= SMALL.texts
        if batch.keys:
            assert len(batch.body()) <= SMALL.body_bytes
            assert json.loads(batch.body()) == {"inputs": [texts[key] for key in batch.keys]}
        assert all(1 <= len(texts[key]) <= SMALL.characters for key in batch.keys)


@given(texts=st.lists(st.text('aä😀\n"', min_size=1, max_size=20), min_size=2, max_size=30))
def test_a_batch_is_closed_only_when_it_is_full(texts: list[str]) -> None:
    """The first text of a batch would not have fitted into the one before."""
    made = list(batches(enumerate(texts), SMALL))
    for before, after in itertools.pairwise(made):
        following = json.dumps(texts[after.keys[0]], ensure_ascii=False).encode()
        assert len(before) == SMALL.texts or len(before.body()) + 1 + len(following) > SMALL.body_bytes


@given(texts=st.lists(st.text("ab", min_size=1, max_size=5), min_size=2, max_size=20))
def test_halves_hold_the_same_texts_in_the_same_order(texts: list[str]) -> None:
    """Both halves have something in them, so that halving comes to an end."""
    (batch,) = batches(enumerate(texts), Limits())
    first, second = batch.halves()
    assert first.keys + second.keys == list(range(len(texts)))
    assert first.keys and second.keys
    assert [json.loads(half.body())["inputs"] for half in (first, second)] == [texts[: len(first)], texts[len(first) :]]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("x" * 31, "too_long"),
        ("😀" * 30, "too_long"),
        ("\ud800", "not_unicode"),
        (None, "not_a_text"),
        (3.5, "not_a_text"),
        (["a"], "not_a_text"),
    ],
)
def test_what_no_request_can_hold_is_refused_with_the_reason(text: Any, code: str) -> None:
    """Too long is a text of too many characters, or one whose bytes alone are more than a body may have."""
    refusal = encode(text, SMALL)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_stream_is_read_no_further_than_the_batch_that_is_given() -> None:
    """Memory does not grow with the file."""
    read = []

    def endless() -> Any:
        number = 0
        while True:
            read.append(number)
            yield number, "text"
            number += 1

    made = batches(endless(), Limits())
    next(made)
    assert len(read) == 100


def test_the_limits_are_the_apis() -> None:
    """As many texts and characters as the API takes, and fewer bytes than the endpoint takes (4 MiB)."""
    assert (Limits().texts, Limits().characters) == (MAX_TEXTS, MAX_CHARACTERS)
    longest = encode("\x00" * MAX_CHARACTERS, Limits())
    assert isinstance(longest, bytes)
    assert Limits().body_bytes < 4 * 1024 * 1024


@pytest.mark.parametrize("name", ["texts", "characters", "body_bytes"])
def test_a_limit_that_nothing_fits_into_is_refused(name: str) -> None:
    """The message names it."""
    with pytest.raises(UsageError, match=f"limits.{name}"):
        Limits(**{name: 0})
