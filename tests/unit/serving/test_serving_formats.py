"""serving.formats: reading and writing each content type."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import formats
from serving.errors import RequestError
from serving.formats import CSV, JSON, JSON_LINES
from serving.predictor import Prediction

GOOD = Prediction("helpful", 0.9, 1.5, False)
ODD = Prediction('not, "helpful"', 0.5, None, True)
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1, max_size=5)


def read(content_type: str, body: bytes) -> list[str]:
    """As the server reads a body."""
    return formats.read_inputs(content_type, body).texts


def write(content_type: str, *predictions: Prediction) -> bytes:
    """As the server writes the answer of a model with two labels."""
    return formats.write(content_type, predictions, version="3", labels=2)


@settings(max_examples=30)
@given(TEXTS)
def test_csv_brings_every_text_through(texts: list[str]) -> None:
    """Commas, quotes and line breaks inside a quoted text belong to it."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([text] for text in texts)
    assert read(CSV, out.getvalue().encode()) == texts


@settings(max_examples=30)
@given(TEXTS)
def test_json_lines_bring_every_text_through(texts: list[str]) -> None:
    """One object a line, whether or not the last line ends."""
    assert read(JSON_LINES, "\n".join(json.dumps({"inputs": text}) for text in texts).encode()) == texts


def test_a_first_line_is_a_text_like_any_other() -> None:
    """There is no header line, because batch transform splits files."""
    assert read(CSV, b"sentence\na gift\n") == ["sentence", "a gift"]


def test_bulk_has_more_records_than_a_json_list() -> None:
    """Bulk bodies are limited by size."""
    assert len(read(CSV, b"good\n" * 5_000)) == 5_000


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        (CSV, b"", "no records"),
        (CSV, b"one\ntwo, three\n", "record 2 has 2 fields: expected one text, in double quotes"),
        (CSV, b"one\n\ntwo\n", "record 2 has 0 fields"),
        (CSV, b'one\n"two', "record 2 is not CSV"),
        (CSV, b'"one"two\n', "record 1 is not CSV"),
        (CSV, b"one\n\xff\n", "not UTF-8 \\(byte 4\\)"),
        (CSV, b'one\n""\n', "record 2 has 0 characters"),
        (CSV, b"x" * 20_001, "record 1 has 20001 characters: allowed are 1 to 20000"),
        (CSV, b"x" * 200_000, "record 1 (is not CSV|has 200000 characters)"),
        (CSV, b"x\n" * 100_001, "more than 100000 records"),
        (JSON_LINES, b"", "no records"),
        (JSON_LINES, b'{"inputs": "a"}\n{\n', "line 2: the body is not JSON"),
        (JSON_LINES, b'{"inputs": "a"}\n\n{"inputs": "b"}\n', "line 2: the body is not JSON"),
        (JSON_LINES, b'{"inputs": ["a"]}\n', "line 1: inputs is a list: expected a text"),
        (JSON_LINES, b'{"inputs": "\xff"}\n', "line 1: the body is not UTF-8"),
        (JSON_LINES, b'{"inputs": "\\ud800"}\n', "line 1: inputs holds half of a surrogate pair"),
        (JSON_LINES, b"{}\n" * 100_001, "line 1: the body has no inputs"),
    ],
)
def test_a_bad_record_is_named(content_type: str, body: bytes, said: str) -> None:
    """The refusal says which record, what is wrong and what is allowed."""
    with pytest.raises(RequestError, match=said) as caught:
        read(content_type, body)
    assert caught.value.status == 400


def test_json_answers_are_one_object() -> None:
    """All predictions are in one object."""
    answer = json.loads(write(JSON, GOOD, GOOD, ODD))
    assert answer == {
        "predictions": [GOOD.as_dict(), GOOD.as_dict(), ODD.as_dict()],
        "model": {"version": "3", "labels": 2},
    }


def test_json_lines_carry_the_version_in_each_line() -> None:
    """Lines are complete, because a job joins the answers of many bodies."""
    body = write(JSON_LINES, GOOD, ODD)
    assert [json.loads(line) for line in body.splitlines()] == [
        each.as_dict() | {"model": {"version": "3"}} for each in (GOOD, ODD)
    ]


def test_csv_answers_are_one_record_each() -> None:
    """label,confidence,score,truncated,version; a model without a score leaves its field empty."""
    body = write(CSV, GOOD, ODD)
    assert body == b'helpful,0.9,1.5,false,3\n"not, ""helpful""",0.5,,true,3\n'


SEVERAL = Prediction("joy", 0.9, None, False, ("joy", "a, b"), (("joy", 0.9), ("a, b", 0.7)))


def test_labels_and_scores_follow_the_prediction_where_there_are_any() -> None:
    """A model for several labels adds `labels`, and `top_k` adds `scores`; other answers stay as they are."""
    scores = [{"label": "joy", "confidence": 0.9}, {"label": "a, b", "confidence": 0.7}]
    common = {"label": "joy", "confidence": 0.9, "score": None, "truncated": False}
    assert json.loads(write(JSON_LINES, SEVERAL)) == {
        **common,
        "labels": ["joy", "a, b"],
        "scores": scores,
        "model": {"version": "3"},
    }
    assert json.loads(write(JSON, SEVERAL))["predictions"][0]["scores"] == scores
    assert "labels" not in json.loads(write(JSON, GOOD))["predictions"][0]


def test_csv_appends_labels_and_scores_as_json() -> None:
    """The first five fields stay; lists are JSON, because a name may hold any separator."""
    record = next(csv.reader([write(CSV, SEVERAL).decode()]))
    assert record[:5] == ["joy", "0.9", "", "false", "3"]
    assert json.loads(record[5]) == ["joy", "a, b"]
    assert json.loads(record[6])[1] == {"label": "a, b", "confidence": 0.7}


def test_each_json_line_has_its_own_parameters() -> None:
    """The parameters of a line are for its text only, and a bad one is named with its line."""
    lines = b'{"inputs": "a", "parameters": {"top_k": 3}}\n{"inputs": "b"}\n{"inputs": "c", "parameters": {"top_k": 0}}'
    good = formats.read_inputs(JSON_LINES, lines[: lines.rindex(b"\n")])
    assert [each.top_k for each in good.parameters] == [3, 0]
    with pytest.raises(RequestError, match=r"line 3: top_k .* allowed are 1 to 1000"):
        formats.read_inputs(JSON_LINES, lines)


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, JSON), ("Application/JSON", JSON), ("text/csv; charset=UTF-8", CSV), ('text/csv;charset="utf-8"', CSV)],
)
def test_the_content_type_decides_how_a_body_is_read(header: str | None, expected: str) -> None:
    """The default is JSON."""
    assert formats.request_type(header) == expected


@pytest.mark.parametrize("header", ["text/plain", "application/x-www-form-urlencoded", "text/csv; charset=latin1"])
def test_other_content_types_are_refused(header: str) -> None:
    """415, with what is allowed."""
    with pytest.raises(RequestError, match="allowed are application/json, text/csv") as caught:
        formats.request_type(header)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("accept", "content_type", "expected"),
    [
        (None, CSV, CSV),
        ("*/*", JSON_LINES, JSON_LINES),
        ("application/json", CSV, JSON),
        ("application/*", JSON_LINES, JSON_LINES),
        ("application/*", CSV, JSON),
        ("text/html, text/csv;q=0.5, application/jsonlines;q=0.9", JSON, JSON_LINES),
        ("application/json;q=0, */*;q=0.1", CSV, CSV),
    ],
)
def test_accept_decides_what_is_written(accept: str | None, content_type: str, expected: str) -> None:
    """The preferred type is written; among equals, that of the request."""
    assert formats.answer_type(accept, content_type) == expected


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=x"])
def test_an_accept_that_allows_nothing_we_write_is_refused(accept: str) -> None:
    """406, with what is allowed."""
    with pytest.raises(RequestError, match="allowed are") as caught:
        formats.answer_type(accept, JSON)
    assert caught.value.status == 406
