"""Matches the service model's patterns, which are written for Java, with Python's `re`."""

from __future__ import annotations

import functools
import re

# Unicode classes that `re` lacks. Letters and digits are exact. Marks, symbols and punctuation are approximated by
# their blocks, which accepts too much rather than too little.
_SYMBOLS = (
    r"!-/:-@\[-`{-~\u00a1-\u00bf\u00d7\u00f7\u2010-\u2bff\u3001-\u303f\ufe10-\ufe6f\uff01-\uff65\U0001f000-\U0001fbff"
)
_UNICODE_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
    r"\p{M}": "\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f",
    r"\p{S}": _SYMBOLS,
    r"\p{P}": _SYMBOLS,
    r"\p{Alnum}": "a-zA-Z0-9",
}


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    for java, python in _UNICODE_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None


def matches(pattern: str, value: str) -> bool:
    """Return whether the whole of `value` matches. A pattern that cannot be translated matches everything."""
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
