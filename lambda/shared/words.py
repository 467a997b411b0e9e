"""JSON values in the words of a message, always short and printable."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

MAX_SHOWN = 80
"""Longest part of a value or name that a message quotes, in characters."""


def shortened(text: str) -> str:
    """Return `text` on one line, with unprintable characters escaped, cut after `MAX_SHOWN` characters."""
    cut = text[:MAX_SHOWN]
    escaped = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in cut)
    return escaped[:MAX_SHOWN] + ("…" if len(text) > MAX_SHOWN or len(escaped) > MAX_SHOWN else "")


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters, ending in an ellipsis if something was cut; white space becomes one space."""
    # Look at far more than is shown, but not at everything: a text of white space alone must not cost much.
    tidy = " ".join(text[: limit * 20].split())
    cut = len(tidy) > limit or len(text) > limit * 20
    return tidy[: limit - 1].rstrip() + "…" if cut else tidy


def kind(value: Any) -> str:
    """Return the kind of a value in the words of JSON."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Mapping):
        return "an object"
    return "an array" if isinstance(value, list) else "a number"


def shown(value: Any) -> str:
    """Return a string in quotes, or a number as it was written; for anything else only its kind."""
    if isinstance(value, str):
        return f'"{shortened(value)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > 10**MAX_SHOWN:
        return f"a whole number above {MAX_SHOWN} digits"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    return kind(value)


def any_of(names: Iterable[str]) -> str:
    """Return `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def nearest(name: str, names: Iterable[str]) -> str:
    """Suggest the name that was probably meant, as ` (did you mean epochs?)`; return "" if none is similar."""
    close = difflib.get_close_matches(name[:MAX_SHOWN], list(names), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""
