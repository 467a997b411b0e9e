"""The API's contract as static HTML. A viewer with a megabyte of script would be most of the Lambda."""

import json
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

Json = dict[str, Any]


def render(contract: Json) -> str:
    """Return the page of a contract that `document.build` made."""
    schemas = contract["components"]["schemas"]

    def example(schema: Json) -> Any:
        if "example" in schema:
            return schema["example"]
        if target := _target(schema):
            return {name: example(value) for name, value in schemas[target]["properties"].items()}
        if schema.get("type") == "array":
            return [example(schema["items"])]
        if "enum" in schema:
            return schema["enum"][0]
        return None if schema.get("nullable") else "…"

    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.ChainableUndefined
    )
    environment.filters |= {
        "prose": _prose,
        "target": _target,
        "type": _type,
        "meaning": _meaning,
        "example": example,
        "json": lambda value, indent=None: json.dumps(value, indent=indent, ensure_ascii=False),
    }
    operations = [
        (path, method, operation)
        for path, methods in sorted(contract["paths"].items(), key=lambda entry: not entry[0].startswith("/v1/p"))
        if path.startswith("/v1/")
        for method, operation in methods.items()
    ]
    return environment.get_template("page.html.jinja").render(
        info=contract["info"],
        version=contract["openapi"],
        schemas=schemas,
        operations=operations,
        problem_types=contract["x-problem-types"],
    )


def _prose(text: str) -> Markup:
    """Return a text whose parts in backticks are code."""
    parts = (
        f"<code>{escape(part)}</code>" if index % 2 else escape(part) for index, part in enumerate(text.split("`"))
    )
    return Markup("".join(parts))


def _target(schema: Json) -> str:
    """Return the name of the object that a schema refers to, or ""."""
    inner = schema.get("allOf", [schema])[0]
    return str(inner.get("$ref", "")).rpartition("/")[2]


def _type(schema: Json) -> Markup:
    items = schema.get("items", schema)
    if target := _target(items):
        kind = Markup('<a href="#{0}">{0}</a>').format(target)
    else:
        kind = Markup("text" if items["type"] == "string" else items["type"])
    return Markup("list of " * (items is not schema)) + kind + Markup(" or null" * bool(schema.get("nullable")))


def _meaning(schema: Json) -> Markup:
    limits = f" From {schema['minimum']} to {schema['maximum']}." if "maximum" in schema else ""
    enum = schema.get("enum", ())
    choices = f" One of {', '.join(f'`{one}`' for one in enum)}." if len(enum) in (2, 3) else ""
    return _prose(f"{schema.get('description', '')}{limits}{choices}".strip())
