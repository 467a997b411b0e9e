"""Building blocks of the hyperparameters: a field with its meaning and its rule, and text turned into a value.

Hyperparameters arrive as text, and each launcher quotes differently: ``5``, ``"5"``, ``"\\"5\\""``, ``'true'``. All of
these parse to the value meant.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from classifier.errors import HyperparameterInvalid

SETTING = "setting"
"""Key of the setting in the metadata of a dataclass field."""

AUTO = "auto"


@dataclass(frozen=True)
class Rule:
    """What a value must satisfy: ``allowed`` in words, ``holds`` in code."""

    allowed: str
    holds: Callable[[Any], bool]
    kind: type


@dataclass(frozen=True)
class Setting:
    """What a hyperparameter means, and what it may be."""

    meaning: str
    rule: Rule


def number(
    default: float,
    meaning: str,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> Any:
    """A dataclass field for a number within the bounds given: a whole one if the default is, else a float."""
    kind = "a whole number" if isinstance(default, int) else "a number"
    bounds = (("at least", at_least), ("above", above), ("at most", at_most), ("below", below))
    limits = " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)

    def holds(value: float) -> bool:
        return (
            math.isfinite(value)
            and (at_least is None or value >= at_least)
            and (above is None or value > above)
            and (at_most is None or value <= at_most)
            and (below is None or value < below)
        )

    return _field(default, meaning, Rule(f"{kind}, {limits}" if limits else kind, holds, type(default)))


def number_or_auto(meaning: str, *, at_least: int, at_most: int) -> Any:
    """A dataclass field for a whole number within the bounds, or ``auto``, which is the default."""
    allowed = f"auto, or a whole number, at least {at_least} and at most {at_most}"
    return _field(AUTO, meaning, Rule(allowed, lambda value: value == AUTO or at_least <= value <= at_most, int))


def choice(default: str, meaning: str, *, choices: Sequence[str]) -> Any:
    """A dataclass field for one of ``choices``."""
    return _field(default, meaning, Rule("one of " + ", ".join(choices), lambda value: value in choices, str))


def text(
    default: str, meaning: str, *, allowed: str = "text that is not empty", holds: Callable[[str], bool] = bool
) -> Any:
    """A dataclass field for text that satisfies ``holds``; ``allowed`` says in words what that is."""
    return _field(default, meaning, Rule(allowed, holds, str))


def parse_value(name: str, raw: object, rule: Rule) -> Any:
    """``raw`` as the value meant, checked against ``rule``.

    Args:
        name: the hyperparameter's name, for the error.
        raw: text as a launcher passed it, or a value that has its type already.
        rule: what is allowed.

    Raises:
        HyperparameterInvalid: the text is no value of this kind, or the value is not allowed.
    """
    try:
        value = unquote(raw) if isinstance(raw, str) else raw
        value = value if value == AUTO else _convert(value, rule.kind)
        if rule.holds(value):
            return value
    except (ValueError, TypeError, OverflowError) as e:
        raise invalid(name, raw, rule) from e
    raise invalid(name, raw, rule)


def invalid(name: str, value: object, rule: Rule) -> HyperparameterInvalid:
    """The error for ``value`` not being allowed for ``name``."""
    shown = value if isinstance(value, str) else json.dumps(value, default=str)
    return HyperparameterInvalid(
        f"Hyperparameter {name}={shown} is not allowed: {name} must be {rule.allowed}.",
        name=name,
        value=value,
        allowed=rule.allowed,
        hint="`python train.py --help` lists every hyperparameter with its range and default.",
    )


def unquote(raw: str) -> str:
    """``raw`` without the layers of quotes and blanks that launchers put around a value."""
    value = raw.strip()
    while len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        try:
            decoded = json.loads(value)
        except ValueError:
            decoded = value[1:-1]
        value = str(decoded).strip()
    return value


def _convert(value: Any, kind: type) -> Any:
    if isinstance(value, bool):
        raise ValueError("true and false are no value of any hyperparameter here")
    if kind is int:
        as_float = float(value)  # "5.0" and "1e3" are whole numbers too
        if not as_float.is_integer():
            raise ValueError(f"{value} is not whole")
        return int(as_float)
    return kind(value)


def _field(default: Any, meaning: str, rule: Rule) -> Any:
    return dataclasses.field(default=default, metadata={SETTING: Setting(meaning, rule)})
