"""serving.request: acceptable bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.errors import RequestError
from serving.request import MAX_CHARACTERS, MAX_TEXTS, parse_texts


def body(inputs: Any, **more: Any) -> bytes:
    return json.dumps({"inputs": inputs, **more}).encode()


def test_a_text_is_a_list_of_one() -> None:
    """The article's body, with one text."""
    assert parse_texts(body("a gift")) == ["a gift"]


def test_a_list_keeps_its_order() -> None:
    """Texts come back as they were given, repeated ones too."""
    assert parse_texts(body(["b", "a", "b"])) == ["b", "a", "b"]


def test_parameters_are_ignored() -> None:
    """A body for a Hugging Face endpoint is accepted."""
    assert parse_texts(body("x", parameters={"top_k": None})) == ["x"]


def test_the_limits_themselves_are_allowed() -> None:
    """The largest number of texts of the largest length is accepted."""
    assert len(parse_texts(body(["x" * MAX_CHARACTERS] * MAX_TEXTS))) == MAX_TEXTS


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{", "not"),
        (b'{"inputs": "\xe9"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"inputs": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b'"text"', "is a text"),
        (b'["text"]', "is a list"),
        (b"null", "is null"),
        (b"{}", "no inputs"),
        (b'{"text": "x"}', "allowed are inputs and parameters"),
        (body(""), "inputs has 0 characters: allowed are 1 to 20000"),
        (body("x" * 20_001), "inputs has 20001 characters"),
        (body([]), "0 texts: allowed are 1 to 100"),
        (body(["x"] * 101), "101 texts"),
        (body(["x", ""]), r"inputs\[1\] has 0 characters"),
        (body(["x", 3]), r"inputs\[1\] is a number: expected a text"),
        (body({"text": "x"}), "inputs is an object"),
        (body(None), "inputs is null"),
        (body(True), "inputs is a boolean"),
        (body("\ud800"), "surrogate"),
    ],
)
def test_a_bad_body_is_refused_with_what_is_allowed(bad: bytes, said: str) -> None:
    """Every malformed body is a 400 whose message says what is wrong."""
    with pytest.raises(RequestError, match=said) as caught:
        parse_texts(bad)
    assert (caught.value.status, caught.value.kind) == (400, "bad_request")


def test_a_refusal_does_not_quote_the_text() -> None:
    """Messages go into logs, so they must not contain the text."""
    with pytest.raises(RequestError) as caught:
        parse_texts(body(["my secret", ["my secret"]]))
    assert "secret" not in caught.value.message
