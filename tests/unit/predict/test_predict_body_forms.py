"""docs/api.md: every body in its table is answered, or refused with what the table says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from predict.errors import InvalidRequestError
from predict.pages import FOLDER
from predict.request import parse_request
from stacks.api.contract import ApiContract
from stacks.api.problem_responses import problems

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
ROWS: list[tuple[str, str]] = re.findall(r"^\| `([{\[\"].*?)` \|.*\| (.*?) \|$", PAGE, re.MULTILINE)
CONTRACT = ApiContract.read(FOLDER.parent)
GATEWAY = jsonschema.Draft4Validator(CONTRACT.body_schema)


def test_the_table_has_all_senders() -> None:
    """A form that is no longer found would be tested no more."""
    assert len(ROWS) >= 18
    assert sum(said == "answered" for _, said in ROWS) >= 6


@pytest.mark.parametrize(("body", "said"), ROWS, ids=[body for body, _ in ROWS])
def test_a_body_is_treated_as_the_table_says(body: str, said: str) -> None:
    """By API Gateway, which checks the schema, and by the function alike."""
    accepted = GATEWAY.is_valid(json.loads(body))
    if said == "answered":
        assert accepted and parse_request(body, content_type="application/json").texts
        return
    assert not accepted
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(body, content_type="application/json")
    told = re.fullmatch(r"refused: `(.*)`", said)
    assert told and caught.value.detail == told[1]


def test_the_gateways_own_refusal_names_the_right_form() -> None:
    """API Gateway cannot say which rule a body breaks, so it names the form, and what others send instead."""
    rule = problems(CONTRACT)["BAD_REQUEST_BODY"]["detail"]
    assert f"> {rule}" in PAGE
    assert all(word in rule for word in ("inputs", "top_k", "truncation", "instances", "options"))
