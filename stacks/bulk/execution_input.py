"""The check of an execution's input, as a JSONata expression made from the documented schema."""

import json
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
"""JSON Schema, draft 7; of its rules, those that `_is_right` translates."""

_RULES: dict[str, dict[str, Any]] = SCHEMA["properties"]
DEFAULTS = {name: rule["default"] for name, rule in _RULES.items() if "default" in rule}


def problems() -> str:
    """Return the expression that says what is wrong with `$states.input`, and what is allowed; "" for nothing."""
    checks = [f'(({_is_right(name)}) ? "" : {json.dumps(_refusal(name))})' for name in _RULES]
    unknown = f'$join($keys($states.input)[$not($ in {json.dumps(list(_RULES))})].($ & " is not a known key. "))'
    return " & ".join([*checks, unknown])


def _refusal(name: str) -> str:
    return f"{name} is not as allowed. {_RULES[name]['description']} "


def _is_right(name: str) -> str:
    rule, value = _RULES[name], f"$states.input.{name}"
    kind = "number" if rule["type"] == "integer" else rule["type"]
    pattern = rule.get("pattern", "").replace("/", "\\/")
    limits = [f"$contains({value}, /{pattern}/)"] if pattern else []
    limits += [f"$length({value}) <= {rule['maxLength']}"] if "maxLength" in rule else []
    limits += [f"{value} >= {rule['minimum']} and {value} <= {rule['maximum']}"] if "minimum" in rule else []
    limits += [f"$floor({value}) = {value}"] if rule["type"] == "integer" else []
    missing = "false" if name in SCHEMA["required"] else "true"
    # Nested, because JSONata may evaluate both sides of an `and`.
    within = f'($type({value}) = "{kind}" ? ({" and ".join(limits) or "true"}) : false)'
    return f"$exists({value}) ? {within} : {missing}"
