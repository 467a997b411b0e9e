"""The API's contract as static HTML. A viewer with a megabyte of script would be most of the Lambda."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gate.report.markup import Markup, join, tag

Json = dict[str, Any]

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' "
    "height='16' rx='4' fill='%230b5cad'/%3E%3C/svg%3E"
)


def render(contract: Json) -> str:
    """Return the page of a contract that `document.build` made."""
    info, schemas = contract["info"], contract["components"]["schemas"]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{info['title']}: API reference"),
        Markup(f'<link rel="icon" href="{_ICON}">'),
        Markup('<link rel="stylesheet" href="style.css">'),
    )
    header = tag(
        "header",
        tag("h1", "API reference"),
        tag("p", _inline(info["description"]), class_="lead"),
        tag(
            "nav",
            *(tag("a", name, href=f"#{anchor}") for name, anchor in _NAVIGATION),
            tag("a", "openapi.json", href="openapi.json"),
            aria_label="Contents",
        ),
    )
    operations = [
        _operation(path, method, operation, schemas)
        for path, methods in sorted(contract["paths"].items(), key=lambda entry: not entry[0].startswith("/v1/p"))
        if path.startswith("/v1/")
        for method, operation in methods.items()
    ]
    main = tag("main", tag("div", *operations, id="operations"), _problems(contract), _objects(schemas))
    body = tag("body", header, main, tag("footer", tag("p", f"Contract {info['version']}, OpenAPI 3.0.3.")))
    return f'<!doctype html>\n<html lang="en">\n{head}\n{body}\n</html>\n'


_NAVIGATION = (("Operations", "operations"), ("Errors", "errors"), ("Objects", "objects"))


def _operation(path: str, method: str, operation: Json, schemas: Json) -> Markup:
    name = operation["operationId"]
    parts = [
        tag("h2", tag("span", method.upper(), class_="method"), tag("code", path), id=f"{name}-title"),
        tag("p", tag("strong", operation["summary"]), " ", _inline(operation["description"])),
    ]
    if "parameters" in operation:
        parameters = operation["parameters"]
        rows = [(tag("code", one["name"]), _type(one["schema"]), _inline(one["description"])) for one in parameters]
        parts += [tag("h3", "Parameters"), _table(("Name", "Type", "Meaning"), rows, "In the query")]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        parts += [tag("h3", "Request"), _request(schemas[_target(content["schema"])])]
        for example in content["examples"].values():
            parts.append(_code(_curl(method, path, example["value"])))
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    target = _target(answer)
    parts += [tag("h3", "Answer"), tag("p", tag("a", target, href=f"#{target}"), ", for example:")]
    parts.append(_code(json.dumps(_example(answer, schemas), indent=2, ensure_ascii=False)))
    failures = [status for status in operation["responses"] if status >= "4"]
    links = [tag("a", tag("code", status), href=f"#status-{status}") for status in failures]
    parts.append(tag("p", "Errors: ", join(*links, between=", "), "."))
    return tag("section", *parts, class_="card operation", aria_labelledby=f"{name}-title")


def _request(schema: Json) -> Markup:
    one, several = schema["properties"]["inputs"]["oneOf"]
    text = f"a text of {one['minLength']} to {one['maxLength']} characters"
    texts = f"or a list of {several['minItems']} to {several['maxItems']} such texts"
    rows: list[tuple[str, ...]] = [
        (tag("code", "inputs"), "required", f"{text[0].upper()}{text[1:]}, {texts}."),
        (tag("code", "parameters"), "optional", _inline(schema["properties"]["parameters"]["description"])),
    ]
    return _table(("Field", "", "Meaning"), rows, "A JSON object with")


def _problems(contract: Json) -> Markup:
    seen: set[int] = set()
    rows = []
    for kind in contract["x-problem-types"]:
        status = kind["status"]
        anchor = None if status in seen else f"status-{status}"
        seen.add(status)
        retry = f" (Retry-After: {kind['retryAfter']} s)" if "retryAfter" in kind else ""
        meaning = join(f"{kind['title']}. ", _inline(kind["meaning"]), retry)
        rows.append((tag("code", kind["code"]), tag("span", str(status), id=anchor), meaning))
    problem, code, urn = (tag("code", name) for name in ("application/problem+json", "code", "type"))
    said = ("Every error, including the gateway's own, is an ", problem, " document. Programs should read its ")
    return tag(
        "section",
        tag("h2", "Errors", id="errors"),
        tag("p", *said, code, ", or its ", urn, ", a URN."),
        _table(("Code", "Status", "Meaning"), rows, "All kinds of errors"),
        class_="card",
        aria_labelledby="errors",
    )


def _objects(schemas: Json) -> Markup:
    parts = [tag("h2", "Objects", id="objects")]
    for name, schema in schemas.items():
        if name == "PredictionRequest":
            continue
        required = schema["required"]
        rows = [
            (
                tag("code", field),
                _linked(value),
                join(_inline(_meaning(value)), "" if field in required else " Optional."),
            )
            for field, value in schema["properties"].items()
        ]
        parts += [tag("h3", name, id=name), _table(("Field", "Type", "Meaning"), rows, schema["description"])]
    return tag("section", *parts, class_="card", aria_labelledby="objects")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], caption: str) -> Markup:
    cells = [tag("th", name, scope="col") if name else tag("td", "") for name in head]
    lines = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    table = tag("table", tag("caption", _inline(caption)), tag("thead", tag("tr", *cells)), tag("tbody", *lines))
    # Focusable, because it scrolls on a narrow screen.
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _code(text: str) -> Markup:
    return tag("pre", tag("code", text), tabindex="0")


def _curl(method: str, path: str, body: Json) -> str:
    sent = json.dumps(body, ensure_ascii=False)
    return f"curl -X {method.upper()} \"$API{path}\" \\\n  -H 'Content-Type: application/json' \\\n  -d '{sent}'"


def _inline(text: str) -> Markup:
    """Return a text whose parts in backticks are code."""
    return join(*(tag("code", part) if index % 2 else part for index, part in enumerate(text.split("`"))))


def _target(schema: Json) -> str:
    """Return the name of the object that a schema refers to, or ""."""
    inner = schema.get("allOf", [schema])[0]
    return str(inner.get("$ref", "")).rpartition("/")[2]


def _linked(schema: Json) -> Markup:
    inner = schema.get("items", schema)
    target = _target(inner)
    if not target:
        return Markup(_type(schema))
    ends = ("list of " if inner is not schema else "", " or null" if schema.get("nullable") else "")
    return join(ends[0], tag("a", target, href=f"#{target}"), ends[1])


def _type(schema: Json) -> str:
    kind = "text" if schema["type"] == "string" else schema["type"]
    return f"{kind} or null" if schema.get("nullable") else str(kind)


def _meaning(schema: Json) -> str:
    limits = f" From {schema['minimum']} to {schema['maximum']}." if "maximum" in schema else ""
    enum = schema.get("enum", ())
    choices = f" One of {', '.join(f'`{one}`' for one in enum)}." if len(enum) in (2, 3) else ""
    return f"{schema.get('description', '')}{limits}{choices}".strip()


def _example(schema: Json, schemas: Json) -> Any:
    if "example" in schema:
        return schema["example"]
    target = _target(schema)
    if target:
        return {name: _example(value, schemas) for name, value in schemas[target]["properties"].items()}
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    if "enum" in schema:
        return schema["enum"][0]
    return None if schema.get("nullable") else "…"
