"""serving.request: acceptable bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serving.errors import RequestError
from serving.request import DEFAULTS, MAX_CHARACTERS, MAX_TEXTS, Parameters, parse_inputs


def parse_texts(body: bytes) -> list[str]:
    return parse_inputs(body).texts


def body(inputs: Any, **more: Any) -> bytes:
    return json.dumps({"inputs": inputs, **more}).encode()


def test_a_text_is_a_list_of_one() -> None:
    """The article's body, with one text."""
    assert parse_texts(body("a gift")) == ["a gift"]


def test_a_list_keeps_its_order() -> None:
    """Texts come back as they were given, repeated ones too."""
    assert parse_texts(body(["b", "a", "b"])) == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, DEFAULTS),
        ({"top_k": None}, Parameters(top_k=None)),
        ({"top_k": 1}, Parameters(top_k=1)),
        ({"top_k": 1000, "truncation": False}, Parameters(top_k=1000, truncation=False)),
        ({"truncation": True}, DEFAULTS),
    ],
)
def test_parameters_hold_for_every_text(parameters: dict[str, Any], expected: Parameters) -> None:
    """What Hugging Face users send: the number of labels, null for all, and truncation."""
    assert parse_inputs(body(["x", "y"], parameters=parameters)).parameters == [expected] * 2


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"top_k": 0}, "top_k is another number: allowed are 1 to 1000, and null for all labels"),
        ({"top_k": 1001}, "top_k is another number: allowed are 1 to 1000"),
        ({"top_k": 2.5}, "top_k is another number: allowed"),
        ({"top_k": True}, "top_k is a boolean: allowed"),
        ({"top_k": "3"}, "top_k is a text: allowed"),
        ({"truncation": None}, "truncation is null: allowed are true and false"),
        ({"truncation": "longest_first"}, "truncation is a text: allowed are true and false"),
        ({"max_length": 8}, r"parameters has 1 unknown key\(s\): allowed are top_k and truncation"),
        (None, 'parameters is null: expected an object such as {"top_k": 3}'),
        ([], "parameters is a list: expected an object"),
    ],
)
def test_other_parameters_are_refused_with_the_allowed_ones(parameters: Any, said: str) -> None:
    """None is ignored: a caller who misspells one would never learn it."""
    with pytest.raises(RequestError, match=said):
        parse_inputs(body("x", parameters=parameters))


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
        (b'{"text": "x"}', 'the body has the key text: expected {"inputs": "a text"} or'),
        (b'{"instances": ["x"]}', "the body has the key instances: expected"),
        (b'{"text_inputs": "x"}', "the body has the key text_inputs: expected"),
        (b'{"text": "x", "text_pair": "y"}', "the key text, and a pair of texts cannot be classified: expected"),
        (b'{"inputs": "x", "mode": "y"}', "1 unknown key.*: allowed are inputs and parameters$"),
        (b'{"inputs": "x", "top_k": 3}', "top_k and truncation belong into parameters"),
        (body(""), "inputs has 0 characters: allowed are 1 to 20000"),
        (body("x" * 20_001), "inputs has 20001 characters"),
        (body([]), "0 texts: allowed are 1 to 100"),
        (body(["x"] * 101), "101 texts"),
        (body(["x", ""]), r"inputs\[1\] has 0 characters"),
        (body(["x", 3]), r"inputs\[1\] is a number: expected a text"),
        (body({"text": "x"}), "inputs is an object: expected"),
        (body({"text": "x", "text_pair": "y"}), "inputs is an object, and a pair of texts cannot be classified"),
        (body([{"text": "x", "text_pair": "y"}]), r"inputs\[0\] is an object, and a pair of texts cannot be"),
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
