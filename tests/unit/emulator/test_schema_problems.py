"""The sentence for a request body that does not fit its model."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.emulator.gateway.schema_problems import explain

TEXT = {"type": "string", "minLength": 1, "maxLength": 3}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["inputs"],
    "additionalProperties": False,
    "properties": {
        "inputs": {"oneOf": [TEXT, {"type": "array", "items": TEXT}]},
        "mode": {"enum": ["a", "b"]},
        "size": {"type": "integer", "minimum": 1, "maximum": 5},
        "list": {"type": "array", "minItems": 1, "maxItems": 2, "items": TEXT},
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["inputs", "mode", "x"]), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, '[object has missing required properties (["inputs"])]'),
        ([], '[instance type (array) does not match any allowed primitive type (allowed: ["object"])]'),
        ({"inputs": 5}, "[instance failed to match exactly one schema (matched 0 out of 2)]"),
        ({"inputs": "a", "x": 1}, '[object instance has properties which are not allowed by the schema: ["x"]]'),
        ({"inputs": "a", "mode": "c"}, '[instance value ("c") not found in enum (possible values: ["a", "b"])]'),
        ({"inputs": "a", "size": 9}, "[numeric instance is greater than the required maximum (maximum: 5, found: 9)]"),
        (
            {"inputs": "a", "list": []},
            "[array is too short: must have at least 1 elements but instance has 0 elements]",
        ),
        ({"inputs": "a", "list": ["long!"]}, '[string "long!" is too long (length: 5, maximum allowed: 3)]'),
        (
            {"inputs": "a", "size": 2.5},
            '[instance type (number) does not match any allowed primitive type (allowed: ["integer"])]',
        ),
    ],
)
def test_each_keyword_has_its_sentence(document: Any, expected: str) -> None:
    """The wording is that of API Gateway's validator."""
    assert explain(SCHEMA, document) == expected


def test_a_document_that_fits_has_no_problem() -> None:
    """Nothing is listed for a valid body."""
    assert explain(SCHEMA, {"inputs": ["a", "bc"], "size": 1}) == "[]"


@given(JSON)
def test_it_agrees_with_the_emulators_validator(document: Any) -> None:
    """A problem is found exactly where ministack refuses the body."""
    from ministack.services.apigateway_v1 import _json_schema_valid

    assert (explain(SCHEMA, document) == "[]") == _json_schema_valid(SCHEMA, document, SCHEMA)
