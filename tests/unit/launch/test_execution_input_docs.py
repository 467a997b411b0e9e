"""docs/execution-input.md says what the schema and the hyperparameters say, and its examples are true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from classifier.job.hyperparameters import fields
from launch import schema
from shared.errors import InvalidExecutionInputError

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "execution-input.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
REFUSED = re.findall(r"^\| `(\{.*\})` \| (.*) \|$", DOCUMENT, re.MULTILINE)
PROPERTIES = schema.SCHEMA["properties"]


def _row(path: str, meaning: str) -> str:
    return f"| `{path}` | {schema.allowed(path)} | {meaning} |"


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_key_is_documented(name):
    """Each key of the input stands in the document with what is allowed and its meaning."""
    assert _row(name, PROPERTIES[name]["description"]) in DOCUMENT


@pytest.mark.parametrize(
    ("outer", "name"), [(outer, name) for outer in ("gate", "tune") for name in PROPERTIES[outer]["properties"]]
)
def test_every_key_of_an_object_is_documented(outer, name):
    """So does each key of gate and tune."""
    assert _row(f"{outer}.{name}", PROPERTIES[outer]["properties"][name]["description"]) in DOCUMENT


@pytest.mark.parametrize("name", PROPERTIES["tune"]["properties"]["ranges"]["properties"])
def test_every_range_is_documented(name):
    """So does each hyperparameter that can be tuned, with the values that `{}` tries."""
    rule = PROPERTIES["tune"]["properties"]["ranges"]["properties"][name]
    default = f"`{json.dumps(rule['default'])}`" if "default" in rule else ""
    assert f"| `{name}` | {schema.allowed(f'tune.ranges.{name}')} | {default} |" in DOCUMENT


@pytest.mark.parametrize("name", fields())
def test_every_hyperparameter_is_documented(name):
    """So does each hyperparameter, in the words of its dataclass."""
    setting = fields()[name]
    assert f"| `{name}` | {setting.allowed} | {setting.meaning} |" in DOCUMENT


def test_schema_lists_the_hyperparameters_of_the_dataclass():
    """Names, order, meaning and range are those of `classifier.job.hyperparameters`; all take SageMaker's strings."""
    documented = PROPERTIES["hyperparameters"]["properties"]
    assert list(documented) == list(fields())
    for name, setting in fields().items():
        assert documented[name]["description"] == f"{setting.meaning} Allowed: {setting.allowed}."
        assert documented[name]["type"] == ["string", "number", "boolean"]
        assert documented[name]["maxLength"] == 2500


def test_there_are_examples():
    """The two tests below are about something."""
    assert len(EXAMPLES) >= 6
    assert len(REFUSED) >= 6


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_accepted(parse, example):
    """Every JSON block of the document is an input that can be pasted."""
    assert parse(json.loads(example))


@pytest.mark.parametrize(("example", "message"), REFUSED)
def test_refused_examples_say_what_the_document_says(parse, example, message):
    """Every refused example gives the message beside it."""
    with pytest.raises(InvalidExecutionInputError) as caught:
        parse(json.loads(example))
    assert str(caught.value) == message


def _examples():
    for name, rule in PROPERTIES.items():
        for example in rule["examples"]:
            yield {name: example, **({"spot": True} if name == "max_wait_minutes" else {})}
        for inner, inner_rule in rule.get("properties", {}).items():
            yield from ({name: {inner: example}} for example in inner_rule["examples"])


@pytest.mark.parametrize("event", list(_examples()), ids=str)
def test_examples_of_the_schema_are_accepted(parse, event):
    """Each example in the schema is a value that the whole check accepts."""
    assert parse(event)


def test_every_property_is_described():
    """Each place of the schema has a description and an example."""
    places = [*PROPERTIES.values()]
    places += [inner for rule in PROPERTIES.values() for inner in rule.get("properties", {}).values()]
    assert all(rule["description"] and rule["examples"] for rule in places)
