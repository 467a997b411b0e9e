"""The API's contract as static HTML. A viewer with a megabyte of script would be most of the Lambda."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

Json = dict[str, Any]


def render(contract: Json, template: str = "page.html.jinja") -> str:
    """Return the page of a contract that `document.build` made, as HTML or with `page.md.jinja` as Markdown."""
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
    dumps = partial(json.dumps, ensure_ascii=False)
    environment.filters |= {"target": _target, "example": example, "json": dumps}
    operations = [
        (path, method, operation)
        for path, methods in sorted(contract["paths"].items(), key=lambda entry: not entry[0].startswith("/v1/p"))
        if path.startswith("/v1/")
        for method, operation in methods.items()
    ]
    return environment.get_template(template).render(
        info=contract["info"],
        version=contract["openapi"],
        schemas=schemas,
        operations=operations,
        problem_types=contract["x-problem-types"],
    )


def _target(schema: Json) -> str:
    """Return the name of the object that a schema refers to, or ""."""
    inner = schema.get("allOf", [schema])[0]
    return str(inner.get("$ref", "")).rpartition("/")[2]
