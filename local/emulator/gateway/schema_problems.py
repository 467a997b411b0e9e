"""Why a request body violates its model, in the words of API Gateway's validator. Pure functions.

ministack decides whether a body is valid; this module writes the sentence for `$context.error.validationErrorString`.
It knows the keywords of JSON Schema draft 4 that the product's contract uses.
"""

import json
from collections.abc import Iterator, Mapping
from operator import gt, lt
from typing import Any

_SHOWN = 5
_NUMBER = "numeric instance is {0} than the required {1} ({1}: {{bound}}, found: {{found}})"
_ARRAY = "array is too {}: must have at {} {{bound}} elements but instance has {{found}} elements"
# (type, keyword, comparison that violates it, sentence)
_BOUNDS = (
    ("string", "minLength", lt, "string {shown} is too short (length: {found}, required minimum: {bound})"),
    ("string", "maxLength", gt, "string {shown} is too long (length: {found}, maximum allowed: {bound})"),
    ("number", "minimum", lt, _NUMBER.format("lower", "minimum")),
    ("number", "maximum", gt, _NUMBER.format("greater", "maximum")),
    ("array", "minItems", lt, _ARRAY.format("short", "least")),
    ("array", "maxItems", gt, _ARRAY.format("long", "most")),
)


def explain(schema: Mapping[str, Any], document: Any) -> str:
    """Return the list that API Gateway prints, e.g. `[object has missing required properties (["inputs"])]`."""
    return "[" + ", ".join(list(_problems(schema, document))[:_SHOWN]) + "]"


def _problems(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    allowed = schema.get("type")
    if allowed is not None and not any(_is(value, name) for name in _as_list(allowed)):
        names = json.dumps(sorted(_as_list(allowed)), separators=(",", ":"))
        yield f"instance type ({_type(value)}) does not match any allowed primitive type (allowed: {names})"
        return
    if "enum" in schema and value not in schema["enum"]:
        found, options = _compact(value), ", ".join(_compact(option) for option in schema["enum"])
        yield f"instance value ({found}) not found in enum (possible values: [{options}])"
    yield from _bound_problems(schema, value)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from _problems(schema["items"], item)
    if isinstance(value, dict):
        yield from _object_problems(schema, value)
    if branches := schema.get("oneOf"):
        matched = sum(not any(_problems(branch, value)) for branch in branches)
        if matched != 1:
            yield f"instance failed to match exactly one schema (matched {matched} out of {len(branches)})"


def _bound_problems(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    found = len(value) if isinstance(value, (str, list)) else value
    for kind, keyword, violates, sentence in _BOUNDS:
        if _is(value, kind) and violates(found, schema.get(keyword, found)):
            yield sentence.format(shown=_compact(value), found=found, bound=schema[keyword])


def _object_problems(schema: Mapping[str, Any], value: dict[str, Any]) -> Iterator[str]:
    missing = sorted(name for name in schema.get("required", ()) if name not in value)
    if missing:
        yield f"object has missing required properties ({_compact(missing)})"
    properties = schema.get("properties", {})
    extra = sorted(name for name in value if name not in properties)
    if extra and schema.get("additionalProperties") is False:
        yield f"object instance has properties which are not allowed by the schema: {_compact(extra)}"
    for name, item in value.items():
        if name in properties:
            yield from _problems(properties[name], item)


def _is(value: Any, name: str) -> bool:
    return name in (_type(value), "number" if _type(value) == "integer" else None)


def _type(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
