"""What the workflows share: reasons of errors, retrying, and data written as JSONata."""

import json
from pathlib import Path
from typing import Any

import yaml

SHARED: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
"""What each document may use, beside what is its own."""


def as_jsonata(value: Any, indent: str = "") -> str:
    """Write plain data with `{% … %}` in it as the text of one JSONata expression, without the brackets around it."""
    deeper = indent + "  "
    if isinstance(value, str) and value.startswith("{%") and value.endswith("%}"):
        return value[2:-2].strip()
    if isinstance(value, dict) and value:
        members = [f"{deeper}{json.dumps(name)}: {as_jsonata(item, deeper)}" for name, item in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[" + ", ".join(as_jsonata(item, indent) for item in value) + "]"
    return json.dumps(value)
