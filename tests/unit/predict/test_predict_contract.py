"""The contract: made from its parts, kept in the package, served as it is, and true of what the code answers."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest

from predict import models, pages
from predict.api import Api
from predict.problems import PROBLEM_TYPES
from predict.request import MAX_BODY_BYTES, REQUEST_SCHEMA, parse_request
from shared.answers import LabelScore, Prediction
from tools.contract import document
from tools.contract.__main__ import documents

DOCUMENT = document.build()


def schema(name: str) -> dict[str, Any]:
    """A component with its references, nullable fields in JSON Schema's own words."""
    return _plain({**DOCUMENT["components"]["schemas"][name], "components": DOCUMENT["components"]})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _plain(item) for key, item in value.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if value.get("nullable") is True else plain


def _without_nulls(schema: dict[str, Any]) -> dict[str, Any]:
    """The request's schema in the words of draft 4."""
    said = json.loads(json.dumps(schema))
    top_k = said["properties"]["parameters"]["properties"]["top_k"]
    assert top_k.pop("nullable") is True
    top_k["type"] = [top_k["type"], "null"]
    return said


def test_the_files_in_the_package_are_what_the_code_makes() -> None:
    """`make contract` was run after the last change: served, rendered and generated are one."""
    stale = [path.name for path, content in documents().items() if path.read_text(encoding="utf-8") != content]
    assert stale == []


def test_the_served_document_is_the_file() -> None:
    """GET /openapi.json answers the generated document, unchanged where no key is asked for."""
    served = json.loads(pages.contract(False).body)
    assert served == DOCUMENT


def test_a_key_is_part_of_the_contract_where_it_is_asked_for() -> None:
    """With keys, predictions say so, and nothing else changes."""
    served = json.loads(pages.contract(True).body)
    assert served["paths"]["/v1/predictions"]["post"].pop("security") == [{"ApiKey": []}]
    assert served == DOCUMENT


def test_every_route_is_in_it(make_api: Any) -> None:
    """The Lambda's routes are the document's paths, with their methods."""
    api: Api = make_api()
    routes = {route: {method.lower() for method in methods} for route, methods in api.routes.items()}
    assert routes == {path: set(methods) for path, methods in DOCUMENT["paths"].items()}


def test_requests_are_those_of_the_schema_that_the_lambda_checks() -> None:
    """The request's schema is the very one of the Lambda, and the limits are said in words and numbers."""
    said = DOCUMENT["components"]["schemas"]["PredictionRequest"]
    assert {**_without_nulls(said), "$schema": REQUEST_SCHEMA["$schema"]} == REQUEST_SCHEMA
    assert DOCUMENT["x-limits"] == {"texts": 100, "characters": 20000, "bodyBytes": MAX_BODY_BYTES}
    assert all(limit in DOCUMENT["info"]["description"] for limit in ("100", "20000", str(MAX_BODY_BYTES)))


@pytest.mark.parametrize("name", ["one", "list", "scores"])
def test_its_examples_are_accepted(name: str) -> None:
    """What the document shows as a request is one."""
    media = DOCUMENT["paths"]["/v1/predictions"]["post"]["requestBody"]["content"]["application/json"]
    assert parse_request(json.dumps(media["examples"][name]["value"]), content_type="application/json").texts


@pytest.mark.parametrize(
    "answer",
    [
        models.PredictionResponse((models.Prediction("a", 0.5, None, None),), models.ModelReference(None)),
        models.PredictionResponse((models.Prediction("a", 1.0, 1.5, False),), models.ModelReference("3")),
        models.PredictionResponse(
            (
                models.Prediction("a", 0.9, None, False, ("a", "b"), (LabelScore("a", 0.9), LabelScore("b", 0.6))),
                models.Prediction("a", 0.1, None, False, ()),
            ),
            models.ModelReference("3"),
        ),
        models.Health("ok"),
        models.Health("ok", models.ModelReference("3"), 1.5),
        models.ModelCard("3", "registry", None, None, None, None, None, None),
        models.ModelCard(
            "3",
            "registry",
            "2026-11-24T20:18:18Z",
            "job",
            "base",
            "code",
            models.TrainingData("hash", None),
            models.Metrics(models.Estimate(0.9, 0.8, 1.0), models.Estimate(0.9, 0.8, 1.0), 177),
            "regression",
            1.0,
            (models.LabelCard("a", 90, 0.9, 0.8, 0.85), models.LabelCard("b", 0, None, None, None)),
        ),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_answers_fit_their_schema(answer: Any) -> None:
    """Each model, full and bare, is valid under the schema of its name."""
    validator = jsonschema.Draft202012Validator(schema(type(answer).__name__))
    assert list(validator.iter_errors(models.as_json(answer))) == []


CLASSES = (
    *(models.PredictionResponse, Prediction, LabelScore, models.ModelReference, models.Health, models.ModelCard),
    *(models.TrainingData, models.Metrics, models.Estimate, models.LabelCard, models.ProblemDocument),
)


@pytest.mark.parametrize("model", CLASSES)
def test_a_schema_has_the_fields_of_its_class(model: Any) -> None:
    """Each field is there: required unless it has a default, nullable where it may be None, with its choices."""
    said, hints = DOCUMENT["components"]["schemas"][model.__name__], get_type_hints(model)
    needed = [item.name for item in fields(model) if item.default is MISSING]
    assert (list(said["properties"]), said["required"]) == ([item.name for item in fields(model)], needed)
    for name, value in said["properties"].items():
        assert value.get("nullable", False) == (type(None) in get_args(hints[name]) and name in needed), name
        if "enum" in value and model is not models.ProblemDocument:
            parts = (hints[name], *get_args(hints[name]))
            assert set(value["enum"]) == {one for part in parts for one in get_args(part) if isinstance(one, str)}, name


def test_every_schema_of_an_answer_has_a_class() -> None:
    """Nothing is documented that no answer holds."""
    assert {model.__name__ for model in CLASSES} | {"PredictionRequest"} == set(DOCUMENT["components"]["schemas"])


def test_every_kind_of_error_is_documented() -> None:
    """Each code is in the table and in the problem document's enumeration, and its status has an answer."""
    assert [kind["code"] for kind in DOCUMENT["x-problem-types"]] == list(PROBLEM_TYPES)
    assert DOCUMENT["components"]["schemas"]["ProblemDocument"]["properties"]["code"]["enum"] == list(PROBLEM_TYPES)
    assert {str(kind.status) for kind in PROBLEM_TYPES.values()} == set(DOCUMENT["components"]["responses"])
