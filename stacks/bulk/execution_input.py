"""The check of an execution's input, as a JSONata expression made from the documented schema."""

import json
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
"""JSON Schema, draft 7; of its rules, those that `_check` translates."""

_RULES: dict[str, dict[str, Any]] = SCHEMA["properties"]
DEFAULTS = {name: rule["default"] for name, rule in _RULES.items() if "default" in rule}


def problems() -> str:
    """Return the expression that says what is wrong with `$states.input`, and what is allowed; "" for nothing."""
    unknown = f'$join($keys($states.input)[$not($ in {json.dumps(list(_RULES))})].($ & " is not a known key. "))'
    return " & ".join([*(_check(name, rule) for name, rule in _RULES.items()), unknown])


def _check(name: str, rule: dict[str, Any]) -> str:
    value, whole = f"$states.input.{name}", rule["type"] == "integer"
    pattern = rule.get("pattern", "").replace("/", "\\/")
    limits = [f"$contains({value}, /{pattern}/)"] if pattern else []
    limits += [f"$length({value}) <= {rule['maxLength']}"] if "maxLength" in rule else []
    limits += [f"{value} >= {rule['minimum']} and {value} <= {rule['maximum']}"] if "minimum" in rule else []
    limits += [f"$floor({value}) = {value}"] if whole else []
    missing = json.dumps(name not in SCHEMA["required"])
    # Nested, because JSONata may evaluate both sides of an `and`.
    within = f'($type({value}) = "{"number" if whole else rule["type"]}" ? ({" and ".join(limits) or "true"}) : false)'
    refusal = json.dumps(f"{name} is not as allowed. {rule['description']} ")
    return f'(($exists({value}) ? {within} : {missing}) ? "" : {refusal})'
