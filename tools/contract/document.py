"""The API's contract as an OpenAPI document: its base, with the request's schema and the table of problems.

The version is 3.0.3, because API Gateway imports no 3.1.
"""

import json
from pathlib import Path
from typing import Any

from predict.problems import CONTENT_TYPE, PROBLEM_TYPES, ProblemType
from predict.request import MAX_BODY_BYTES, MAX_CHARACTERS, MAX_TEXTS, REQUEST_SCHEMA

BASE = Path(__file__).with_name("openapi.base.json")
"""What is not in other files, above all the answers, whose classes are in `predict.models`.

Its server's address is relative to that of the document, which is below the stage.
"""

# Problems of any request, before it reaches its route.
_ALWAYS = ("forbidden", "blocked", "throttled", "internal")
_HEADERS = {
    "Retry-After": {
        "description": "Seconds to wait before the next try; sent where another try may succeed.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "Allow": {"description": "With 405: the methods that the path takes.", "schema": {"type": "string"}},
}


def build() -> dict[str, Any]:
    """Return the whole document: `openapi.base.json`, filled in. There, each operation names its own `x-problems`."""
    document: dict[str, Any] = json.loads(BASE.read_text(encoding="utf-8"))
    request = {name: _openapi(value) for name, value in REQUEST_SCHEMA.items() if name != "$schema"}
    document["components"]["schemas"] = {"PredictionRequest": request, **document["components"]["schemas"]}
    problem = document["components"]["schemas"]["ProblemDocument"]["properties"]
    problem["code"]["enum"] = list(PROBLEM_TYPES)
    problem["type"]["enum"] = [kind.type for kind in PROBLEM_TYPES.values()]
    limits = {"texts": MAX_TEXTS, "characters": MAX_CHARACTERS, "bodyBytes": MAX_BODY_BYTES}
    document["info"]["description"] = document["info"]["description"].format(**limits)
    document["x-limits"] = limits
    document["x-problem-types"] = [_problem_type(kind) for kind in PROBLEM_TYPES.values()]
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        operation["responses"] |= _references(tuple(operation.pop("x-problems")))
    document["components"]["responses"] = {str(status): _problems(status) for status in _statuses(tuple(PROBLEM_TYPES))}
    return document


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
    """Return a draft 4 schema in the words of OpenAPI 3.0, which has no list of types."""
    if isinstance(value, list):
        return [_openapi(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _openapi(item) for name, item in value.items()}
    if isinstance(value.get("type"), list):
        (plain["type"],) = (name for name in value["type"] if name != "null")
        plain["nullable"] = True
    return plain
