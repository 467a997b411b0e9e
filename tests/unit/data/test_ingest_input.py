"""The input of an execution: what is accepted, and what each refusal says."""

from __future__ import annotations

import pytest
from ingest.errors import InvalidExecutionInput
from ingest.execution_input import ExecutionInput, parse


def test_empty_input_is_valid():
    """The console's {} means: everything by default."""
    assert parse({}) == ExecutionInput(None, {})


def test_the_consoles_own_comment_is_let_pass():
    """The console pre-fills a comment; starting with it untouched works."""
    assert parse({"Comment": "Insert your JSON here"}) == ExecutionInput(None, {})


@pytest.mark.parametrize("source", ["https://host/path", "http://host:8080/a/b/", "s3://bucket", "s3://bucket/a/b"])
def test_allowed_sources(source):
    """Prefixes with https, http or s3 are passed on as they are."""
    assert parse({"data_source": source}).data_source == source


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (3.0, "3"),
        (2e-5, "2e-05"),
        (0.1, "0.1"),
        ("3e-5", "3e-5"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (-1, "-1"),
    ],
)
def test_hyperparameters_become_strings(value, text):
    """SageMaker takes strings only; whole numbers stay whole, booleans are written as JSON writes them."""
    assert parse({"hyperparameters": {"name": value}}).hyperparameters == {"name": text}


@pytest.mark.parametrize(
    ("event", "field", "allowed"),
    [
        (None, "input", "a JSON object"),
        ([], "input", "a JSON object"),
        ("{}", "input", "a JSON object"),
        ({"data_sorce": "s3://b"}, "data_sorce", "data_source and hyperparameters"),
        ({"comment": "x"}, "comment", "data_source and hyperparameters"),
        ({"data_source": None}, "data_source", "s3://"),
        ({"data_source": 5}, "data_source", "s3://"),
        ({"data_source": ""}, "data_source", "s3://"),
        ({"data_source": "/etc"}, "data_source", "s3://"),
        ({"data_source": "file:///etc"}, "data_source", "s3://"),
        ({"data_source": "ftp://host/x"}, "data_source", "s3://"),
        ({"data_source": "https://"}, "data_source", "s3://"),
        ({"data_source": "https://host:port/"}, "data_source", "s3://"),
        ({"data_source": "http://[::1/"}, "data_source", "s3://"),
        ({"data_source": "https://me:secret@host/x"}, "data_source", "s3://"),
        ({"data_source": "https://host/x?token=secret"}, "data_source", "s3://"),
        ({"hyperparameters": None}, "hyperparameters", "an object"),
        ({"hyperparameters": [1]}, "hyperparameters", "an object"),
        ({"hyperparameters": {"epochs": None}}, "hyperparameters.epochs", "a number, a string"),
        ({"hyperparameters": {"epochs": [1]}}, "hyperparameters.epochs", "a number, a string"),
        ({"hyperparameters": {"epochs": {"a": 1}}}, "hyperparameters.epochs", "a number, a string"),
        ({"hyperparameters": {"epochs": float("nan")}}, "hyperparameters.epochs", "a finite number"),
        ({"hyperparameters": {"epochs": float("inf")}}, "hyperparameters.epochs", "a finite number"),
        ({"hyperparameters": {"epochs": "x" * 2501}}, "hyperparameters.epochs", "at most 2500"),
        ({"hyperparameters": {"bad name": 1}}, "hyperparameters.bad name", "letters, digits"),
        ({"hyperparameters": {"SageMaker_program": "x"}}, "hyperparameters.SageMaker_program", "letters"),
        ({"hyperparameters": {f"p{n}": n for n in range(101)}}, "hyperparameters", "at most 100"),
    ],
)
def test_refusals_name_field_and_allowed_values(event, field, allowed):
    """Each refusal carries the field and what is allowed, and its message says both, without repeating secrets."""
    with pytest.raises(InvalidExecutionInput) as caught:
        parse(event)
    assert caught.value.field == field
    assert allowed in caught.value.allowed
    assert field in str(caught.value)
    assert allowed in str(caught.value)
    assert "secret" not in str(caught.value)


def test_unknown_hyperparameter_lists_the_known_ones():
    """With a list of names from the stack, a typo ends before any machine is started."""
    with pytest.raises(InvalidExecutionInput, match=r"hyperparameters\.epoch .*Allowed: epochs, learning_rate\."):
        parse({"hyperparameters": {"epoch": 1}}, {"learning_rate", "epochs"})
    assert parse({"hyperparameters": {"epochs": 1}}, {"epochs"}).hyperparameters == {"epochs": "1"}
