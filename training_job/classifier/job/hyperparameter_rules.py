r"""Building blocks of the hyperparameters: fields with a meaning and a rule, and the parsing of text values.

Hyperparameters arrive as text, and launchers quote them differently: `5`, `"5"`, `"\"5\""`, `'true'`. All of these
parse to the value that was meant.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from classifier.errors import HyperparameterError

SETTING = "setting"
"""Key of the `Setting` in the metadata of a dataclass field."""

AUTO = "auto"

ENCODED = "percent:"
"""Begins a value that is written as in a URL."""
LONGEST = 2500
"""Characters of a hyperparameter's value that SageMaker takes."""


class Written(str):
    """A value exactly as a person wrote it: its quotes and blanks are its own."""


def encoded(values: Mapping[str, str]) -> dict[str, str]:
    """Write values so that they arrive as they are, whatever starts the script.

    Up to version 5.1.2 the toolkit of the training images passes them to a shell without quotes. So a value with any
    other character than letters, digits and `_@+=:,./-` is written as in a URL; one that is then too long continues in
    `name_part2` and so on. `decoded` reads all of it.
    """
    result: dict[str, str] = {}
    for name, value in values.items():
        text = quote(value, safe="@+=:,/").replace("~", "%7E")
        if text != value or not value or value.startswith(ENCODED) or len(value) > LONGEST:
            text = ENCODED + text
        pieces = [text[start : start + LONGEST] for start in range(0, len(text), LONGEST)]
        result |= {f"{name}_part{number}" if number > 1 else name: piece for number, piece in enumerate(pieces, 1)}
    return result


def decoded(values: Mapping[str, object]) -> dict[str, object]:
    """Return values as they were before `encoded`; those that a person typed plainly stay as they are."""
    result = dict(values)
    for name, raw in values.items():
        text = unquote(raw) if isinstance(raw, str) and not isinstance(raw, Written) else ""
        if text.startswith(ENCODED):
            number = 2
            while isinstance(part := result.pop(f"{name}_part{number}", None), str):
                text, number = text + unquote(part), number + 1
            given = text.removeprefix(ENCODED).encode(errors="surrogatepass")
            result[name] = Written(unquote_to_bytes(given).decode("utf-8", errors="replace"))
    return result


@dataclass(frozen=True)
class Setting:
    """What a hyperparameter means, and which values it may have: `allowed` in words, `holds` in code."""

    meaning: str
    allowed: str
    holds: Callable[[Any], bool]
    kind: type


def number(
    default: float,
    meaning: str,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    below: float = math.inf,
) -> Any:
    """Make a dataclass field for a number within bounds: an integer if the default is one, else a float."""
    bounds = (("at least", at_least), ("above", above), ("at most", at_most), ("below", below))
    limits = " and ".join(f"{word} {bound}" for word, bound in bounds if math.isfinite(bound))
    kind = "a whole number" if isinstance(default, int) else "a number"

    def holds(value: float) -> bool:
        return math.isfinite(value) and at_least <= value <= at_most and above < value < below

    return _field(default, Setting(meaning, f"{kind}, {limits}", holds, type(default)))


def number_or_auto(meaning: str, *, at_least: float, at_most: float) -> Any:
    """Make a dataclass field for `auto`, which is the default, or a number within bounds: whole if they are."""
    kind = type(at_least)
    allowed = f"auto, or a {'whole ' if kind is int else ''}number, at least {at_least} and at most {at_most}"
    return _field(AUTO, Setting(meaning, allowed, lambda value: value == AUTO or at_least <= value <= at_most, kind))


def choice(default: str, meaning: str, *, choices: Sequence[str]) -> Any:
    """Make a dataclass field for one of `choices`."""
    return _field(default, Setting(meaning, "one of " + ", ".join(choices), lambda value: value in choices, str))


def text(
    default: str, meaning: str, *, allowed: str = "text that is not empty", holds: Callable[[str], bool] = bool
) -> Any:
    """Make a dataclass field for text that satisfies `holds`; `allowed` describes such text."""
    return _field(default, Setting(meaning, allowed, holds, str))


def optional_text(meaning: str) -> Any:
    """Make a dataclass field for any text, empty by default."""
    return text("", meaning, allowed="any text", holds=lambda _: True)


def parse_value(name: str, raw: object, setting: Setting) -> Any:
    """Parse and check one value.

    `name`: the hyperparameter's name, for the message. `raw`: text as a launcher passed it, or a value that has its
    type already. Raises HyperparameterError: the value cannot be parsed, or `setting` does not allow it.
    """
    cause: Exception | None = None
    try:
        value = unquote(raw) if isinstance(raw, str) and not isinstance(raw, Written) else raw
        value = value if value == AUTO else _convert(value, setting.kind)
        if setting.holds(value):
            return value
    except (ValueError, TypeError, OverflowError) as e:
        cause = e
    shown = raw if isinstance(raw, str) else json.dumps(raw, default=str)
    raise HyperparameterError(
        f"Hyperparameter {name}={shown} is not allowed: {name} must be {setting.allowed}.",
        name=name,
        value=raw,
        hint="`python train.py --help` lists every hyperparameter with its range and default.",
    ) from cause


def unquote(raw: str) -> str:
    """Remove the layers of quotes and spaces that launchers put around a value."""
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
        raise ValueError("no hyperparameter takes true or false")
    if kind is int:
        as_float = float(value)  # "5.0" and "1e3" are whole numbers too
        if not as_float.is_integer():
            raise ValueError(f"{value} is not whole")
        return int(as_float)
    return kind(value)


def _field(default: Any, setting: Setting) -> Any:
    return dataclasses.field(default=default, metadata={SETTING: setting})
