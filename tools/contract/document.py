"""The API's contract as an OpenAPI document, made from the models, the request's schema and the table of problems.

The version is 3.0.3, because API Gateway imports no 3.1.
"""

import types
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from predict.models import Health, ModelCard, PredictionResponse, ProblemDocument
from predict.problems import CONTENT_TYPE, PROBLEM_TYPES, ProblemType
from predict.request import MAX_BODY_BYTES, MAX_CHARACTERS, MAX_TEXTS, REQUEST_SCHEMA

VERSION = "1.0.0"

_PRIMITIVES: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
# Problems of any request, before it reaches its route.
_ALWAYS = ("forbidden", "blocked", "throttled", "internal")
_MODEL = ("model_error", "model_not_released", "model_warming_up", "model_timeout")
_HEADERS = {
    "Retry-After": {
        "description": "Seconds to wait before the next try; sent where another try may succeed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Allow": {"description": "With 405: the methods that the path takes.", "schema": {"type": "string"}},
}


def build() -> dict[str, Any]:
    """Return the whole document."""
    schemas: dict[str, Any] = {
        "PredictionRequest": {name: _openapi(value) for name, value in REQUEST_SCHEMA.items() if name != "$schema"}
    }
    for model in (PredictionResponse, Health, ModelCard, ProblemDocument):
        _schema(model, schemas)
    schemas["ProblemDocument"]["properties"]["code"]["enum"] = list(PROBLEM_TYPES)
    schemas["ProblemDocument"]["properties"]["type"]["enum"] = [kind.type for kind in PROBLEM_TYPES.values()]
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Text classifier",
            "version": VERSION,
            "description": (
                f"Classifies texts. A request holds 1 to {MAX_TEXTS} texts of 1 to {MAX_CHARACTERS} characters each, "
                f"in a body of at most {MAX_BODY_BYTES} bytes. Errors are problem documents (RFC 9457) with a stable "
                "`code`. Browsers may call it from any origin."
            ),
        },
        # Relative to the address of this document, which is below the stage.
        "servers": [{"url": "./"}],
        "x-limits": {"texts": MAX_TEXTS, "characters": MAX_CHARACTERS, "bodyBytes": MAX_BODY_BYTES},
        "x-problem-types": [_problem_type(kind) for kind in PROBLEM_TYPES.values()],
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "responses": {str(status): _problems(status) for status in _statuses(tuple(PROBLEM_TYPES))},
            "securitySchemes": {
                "ApiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "Required where the deployment is configured so.",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    body = {
        "schema": {"$ref": "#/components/schemas/PredictionRequest"},
        "examples": {
            "one": {"summary": "One text", "value": {"inputs": "The zoom is sharp up to 200 mm."}},
            "list": {"summary": "A list", "value": {"inputs": ["Sharp up to 200 mm.", "A Christmas gift."]}},
            "scores": {
                "summary": "The probabilities of all classes",
                "value": {"inputs": "The zoom is sharp up to 200 mm.", "parameters": {"top_k": None}},
            },
        },
    }
    deep = {
        "name": "deep",
        "in": "query",
        "required": False,
        "description": "Whether to ask the model too. Its errors are those of predictions. "
        "The state may be five seconds old.",
        "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
    }
    health = _operation(
        "health",
        "Check the service",
        "Health",
        description="Without `deep`, the API answers without asking the model.",
        problems=("bad_request", *_MODEL),
    )
    model = _operation(
        "model",
        "Describe the serving model",
        "ModelCard",
        description="Version, classes, metrics on the test texts with 95 % intervals, and details of its training.",
        problems=(*_MODEL, "registry_unavailable"),
    )
    predict = _operation(
        "predict",
        "Classify texts",
        "PredictionResponse",
        description="Identical texts in one request are sent to the model once and get the same prediction.",
        problems=("bad_request", "text_too_long", "payload_too_large", "unsupported_media_type", *_MODEL),
    )
    return {
        "/": {"get": _operation("demo", "Demo page", "text/html")},
        "/docs": {"get": _operation("docs", "This contract as a page", "text/html")},
        "/openapi.json": {"get": _operation("contract", "This contract", "application/json")},
        "/v1/health": {"get": health | {"parameters": [deep]}},
        "/v1/model": {"get": model},
        "/v1/predictions": {
            "post": predict | {"requestBody": {"required": True, "content": {"application/json": body}}}
        },
    }


def _operation(
    name: str, summary: str, answer: str, *, description: str = "", problems: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return an operation. `answer` is the name of a schema, or the media type of a page."""
    if "/" in answer:
        content = {answer: {"schema": {"type": "object" if answer == "application/json" else "string"}}}
    else:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"}}}
    return {
        "operationId": name,
        "summary": summary,
        **({"description": description} if description else {}),
        "responses": {"200": {"description": summary, "content": content}, **_references(problems)},
    }


def _references(problems: tuple[str, ...]) -> dict[str, Any]:
    wanted = _statuses((*problems, *_ALWAYS, "not_found", "method_not_allowed"))
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in wanted}


def _statuses(codes: tuple[str, ...]) -> list[int]:
    return sorted({PROBLEM_TYPES[code].status for code in codes} | {502, 504})  # any gateway may fail so


def _problems(status: int) -> dict[str, Any]:
    kinds = [kind for kind in PROBLEM_TYPES.values() if kind.status == status]
    answer: dict[str, Any] = {
        "description": " ".join(f"`{kind.code}`: {kind.meaning}" for kind in kinds),
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
    if any(kind.retry_after for kind in kinds):
        answer["headers"] = {"Retry-After": _HEADERS["Retry-After"]}
    if status == 405:
        answer["headers"] = {"Allow": _HEADERS["Allow"]}
    return answer


def _problem_type(kind: ProblemType) -> dict[str, Any]:
    retry_after = {} if kind.retry_after is None else {"retryAfter": kind.retry_after}
    return {name: getattr(kind, name) for name in ("type", "code", "status", "title", "meaning")} | retry_after


def _openapi(value: Any) -> Any:
    """Return a draft 4 schema in the words of OpenAPI 3.0, which has no list of types; `ApiContract` turns it back."""
    if isinstance(value, list):
        return [_openapi(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _openapi(item) for name, item in value.items()}
    if isinstance(value.get("type"), list):
        (plain["type"],) = (name for name in value["type"] if name != "null")
        plain["nullable"] = True
    return plain


def _schema(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas of a model class and of those in it to `schemas`, and return a reference to it."""
    reference = {"$ref": f"#/components/schemas/{model.__name__}"}
    if model.__name__ not in schemas:
        schemas[model.__name__] = {}  # before its fields, which may refer to it
        hints = get_type_hints(model, include_extras=True)
        schemas[model.__name__] |= {
            "type": "object",
            "description": (model.__doc__ or "").strip(),
            "required": [item.name for item in fields(model) if item.default is MISSING],
            "properties": {
                item.name: _value(hints[item.name], schemas, optional=item.default is not MISSING)
                for item in fields(model)
            },
        }
    return reference


def _value(hint: Any, schemas: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
    if get_origin(hint) is Annotated:
        inner, keywords = get_args(hint)
        return _with(_value(inner, schemas, optional=optional), keywords)
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        value = _value(inner, schemas)
        # An optional field is left out rather than null.
        return value if optional else _with(value, {"nullable": True})
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _value(get_args(hint)[0], schemas)}
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if hint in _PRIMITIVES:
        return {"type": _PRIMITIVES[hint]}
    return _schema(hint, schemas)


def _with(value: dict[str, Any], keywords: dict[str, Any]) -> dict[str, Any]:
    """Add keywords. Beside a reference they would be ignored, so a reference goes into an `allOf`."""
    return {"allOf": [value], **keywords} if "$ref" in value else {**value, **keywords}
