"""Turns values of the CDK context, which may be strings from the command line, into typed dataclasses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from stacks.common.errors import ConfigError

T = TypeVar("T")


def read_dataclass(kind: type[T], block: object, *, override: Callable[[str], object], path: str = "") -> T:
    """Build ``kind`` from a mapping, nested dataclasses included.

    Args:
        kind: the dataclass to build.
        block: mapping of field names to values.
        override: looks up a value by its dotted name (``serving.memory_mb``); what it finds wins over the block.
        path: dotted name of the block itself, for messages.

    Raises:
        ConfigError: unknown key, missing value or wrong type, named by its dotted name.
    """
    if not isinstance(block, Mapping):
        raise ConfigError(path or "environment", f"{block!r} is not allowed; a block of named values")
    hints = get_type_hints(kind)
    dotted = {name: f"{path}.{name}" if path else name for name in hints}
    unknown = sorted(set(block) - set(hints))
    if unknown:
        name = f"{path}.{unknown[0]}" if path else unknown[0]
        raise ConfigError(name, f"is not known; the names here are: {', '.join(sorted(hints))}")
    values: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        name, hint = dotted[item.name], hints[item.name]
        if isinstance(hint, type) and is_dataclass(hint):
            values[item.name] = read_dataclass(hint, block.get(item.name, {}), override=override, path=name)
            continue
        # `env` is what the override chose the block by, so it never differs from the block's own.
        given = override(name)
        value = block.get(item.name) if given is None else given
        if value is not None:
            values[item.name] = _convert(value, hint, name)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(name, "is missing; add it to this environment's block in cdk.json")
    return kind(**values)


def _convert(value: object, hint: Any, name: str) -> object:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(name, f"'{value}' is not allowed; one of {', '.join(get_args(hint))}")
        return value
    if get_origin(hint) is tuple:  # of texts
        return _to_texts(value, name)
    if get_origin(hint) is not None:  # the only other generic in use is Mapping[str, str]
        return _to_string_mapping(value, name)
    return {bool: _to_bool, int: _to_int, float: _to_float, str: _to_str}[hint](value, name)


def _to_bool(value: object, name: str) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ConfigError(name, f"{value!r} is not allowed; true or false")
    return value


def _to_int(value: object, name: str) -> int:
    # JSON numbers come through jsii as floats now and then; only a whole one is a count.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(name, f"{value!r} is not allowed; a whole number")
    return value


def _to_float(value: object, name: str) -> float:
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(name, f"{value!r} is not allowed; a number")
    return number


def _to_str(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(name, f"{value!r} is not allowed; a text")
    return value


def _to_texts(value: object, name: str) -> tuple[str, ...]:
    # On the command line a list is one text with commas.
    items = [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ConfigError(name, f"{value!r} is not allowed; a list of texts")
    return tuple(items)


def _to_string_mapping(value: object, name: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ConfigError(name, f"{value!r} is not allowed; a block of names and values")
    result: dict[str, str] = {}
    for key, item in value.items():
        if isinstance(item, (Mapping, list)) or item is None:
            raise ConfigError(f"{name}.{key}", f"{item!r} is not allowed; a text, a number or true/false")
        result[str(key)] = str(item).lower() if isinstance(item, bool) else str(item)
    return result
