"""YAML documents filled in for an environment, such as the workflows and the monitoring."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

# In C, ten times as fast, where PyYAML was built with it, as its wheels are.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def filled(document: Path, known: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a YAML document with a value for each `${name}`.

    Names are those of its `Expressions`, of `values`, and of what else is `known`. A value that stands alone keeps its
    type; a member whose value is None is left out.

    Raises ValueError: a name has no value, or nothing uses one of the expressions or values.
    """
    parts: dict[str, Any] = yaml.load(document.read_text(encoding="utf-8"), _LOADER)
    own = parts.pop("Expressions", {}) | values
    known, used = {**known, **own}, set[str]()

    def fill(part: Any) -> Any:
        if isinstance(part, dict):
            members = ((key, fill(value)) for key, value in part.items())
            return {key: value for key, value in members if value is not None}
        if isinstance(part, list):
            return [fill(value) for value in part]
        if not isinstance(part, str):
            return part
        alone = re.fullmatch(r"\$\{(\w+)\}", part)
        return look_up(alone) if alone else re.sub(r"\$\{(\w+)\}", lambda found: str(look_up(found)), part)

    def look_up(found: re.Match[str]) -> Any:
        if found[1] not in known:
            raise ValueError(f"{document}: {found[0]} has no value; add it to Expressions or to the values")
        used.add(found[1])
        return fill(known[found[1]])

    filled_in: dict[str, Any] = fill(parts)
    if unused := own.keys() - used:
        raise ValueError(f"{document}: nothing uses {', '.join(sorted(unused))}; remove it")
    return filled_in
