"""predict.request: the body's form, and that code and schema agree on it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.errors import InvalidRequestError, UnsupportedMediaTypeError
from predict.request import MAX_CHARACTERS, MAX_TEXTS, REQUEST_SCHEMA, parse_request
from serving import request as serving_request


def parse(document: Any) -> tuple[str, ...]:
    return parse_request(json.dumps(document), content_type="application/json").texts


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["inputs", "x"]), inner, max_size=2),
    max_leaves=5,
)
VALIDATOR = jsonschema.Draft4Validator(REQUEST_SCHEMA)
# Without 3.0: drafts of JSON Schema differ in whether it is whole, so the function takes it.
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.none() | st.sampled_from([0, 1, 3.5, 1000, 1001, True, "3", []]),
        "truncation": st.sampled_from([True, False, None, "true"]),
        "x": st.none(),
    },
)
BODIES = (
    JSON_VALUES
    | st.fixed_dictionaries({"inputs": JSON_VALUES}, optional={"parameters": JSON_VALUES})
    | st.fixed_dictionaries({"inputs": st.just("x"), "parameters": PARAMETERS})
)
EDGES = [
    {"inputs": "x" * MAX_CHARACTERS},
    {"inputs": "x" * (MAX_CHARACTERS + 1)},
    {"inputs": ["x"] * MAX_TEXTS},
    {"inputs": ["x"] * (MAX_TEXTS + 1)},
    {"inputs": ["x" * (MAX_CHARACTERS + 1)]},
]


def is_taken(document: Any) -> bool:
    """Whether the code takes a body."""
    try:
        parse(document)
    except InvalidRequestError:
        return False
    return True


@given(BODIES)
def test_code_and_schema_accept_the_same_bodies(document: Any) -> None:
    """What the gateway lets through the Lambda takes, and the other way round."""
    assert is_taken(document) == VALIDATOR.is_valid(document)


@pytest.mark.parametrize("document", EDGES)
def test_code_and_schema_agree_at_the_limits(document: Any) -> None:
    """The largest allowed and the first refused are the same for both."""
    assert is_taken(document) == VALIDATOR.is_valid(document)


def test_the_schema_is_a_valid_draft_4_schema() -> None:
    """API Gateway refuses a model whose schema is not; `check_schema` raises SchemaError."""
    jsonschema.Draft4Validator.check_schema(REQUEST_SCHEMA)


def test_the_endpoint_has_the_same_limits() -> None:
    """A request that passes here is not refused by the model's own server."""
    assert (serving_request.MAX_TEXTS, serving_request.MAX_CHARACTERS) == (MAX_TEXTS, MAX_CHARACTERS)


def test_the_articles_body_is_taken() -> None:
    """One text, as in the article."""
    assert parse({"inputs": "This was a Christmas gift.", "parameters": {}}) == ("This was a Christmas gift.",)


@pytest.mark.parametrize(
    ("parameters", "read"),
    [
        ({}, {}),
        ({"top_k": None}, {"top_k": None}),
        ({"top_k": 3.0}, {"top_k": 3}),
        ({"top_k": 1000, "truncation": False}, {"top_k": 1000, "truncation": False}),
    ],
)
def test_parameters_are_read(parameters: dict[str, Any], read: dict[str, Any]) -> None:
    """Only what was sent is passed on; a null is a wish of its own."""
    body = json.dumps({"inputs": "x", "parameters": parameters})
    assert parse_request(body, content_type=None).parameters == read


def test_a_list_keeps_order_and_repetitions() -> None:
    """Texts come back as given."""
    assert parse({"inputs": ["b", "a", "b"]}) == ("b", "a", "b")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "body is empty"),
        ("", "body is empty"),
        ("inputs=x", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('"x"', "is a string"),
        ("{}", "no inputs"),
        ('{"inputs": "x", "inputz": 1}', r"Allowed are inputs or parameters \(did you mean inputs\?\)"),
        ('{"inputs": "x", "parameters": null}', "parameters is null. Expected an object"),
        ('{"inputs": "x", "parameters": {"top_k": 0}}', "top_k is 0. Allowed are 1 to 1000, and null"),
        ('{"inputs": "x", "parameters": {"top_k": "all"}}', "top_k is a string. Allowed are 1 to 1000, and null"),
        ('{"inputs": "x", "parameters": {"top_k": NaN}}', "top_k is nan"),
        ('{"inputs": "x", "parameters": {"truncation": "yes"}}', "truncation is a string. Allowed are true and false"),
        ('{"inputs": "x", "parameters": {"topk": 1}}', r"top_k or truncation \(did you mean top_k\?\)"),
        ('{"inputs": ""}', "inputs has 0 characters. Allowed are 1 to 20000"),
        ('{"inputs": []}', "0 texts. Allowed are 1 to 100"),
        ('{"inputs": ["x", 1.5]}', r"inputs\[1\] is a number"),
        ('{"inputs": {"text": "x"}}', "inputs is an object"),
        ('{"inputs": "\\ud800"}', "surrogate"),
    ],
)
def test_a_bad_body_is_refused_with_what_is_allowed(body: str | None, said: str) -> None:
    """Every message says what is wrong and what would be right."""
    with pytest.raises(InvalidRequestError, match=said):
        parse_request(body, content_type="application/json")


@pytest.mark.parametrize("content_type", [None, "application/json", "Application/JSON; charset=utf-8"])
def test_json_and_nothing_count_as_json(content_type: str | None) -> None:
    """Parameters and case do not matter, and a missing type is taken as JSON."""
    assert parse_request('{"inputs": "x"}', content_type=content_type).texts == ("x",)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-text", "text/csv", "application/x-www-form-urlencoded", ""]
)
def test_another_content_type_is_unsupported(content_type: str) -> None:
    """A body declared as something else is refused before it is read, with the form that is taken."""
    with pytest.raises(UnsupportedMediaTypeError, match=r'JSON such as \{"inputs": "a text"\}'):
        parse_request('{"inputs": "x"}', content_type=content_type)
