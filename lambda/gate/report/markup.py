"""HTML and SVG from Python values, escaped unless made here: forgetting to escape is not possible."""

from __future__ import annotations

import html
import unicodedata

_VOID = frozenset({"meta", "img", "br"})
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Markup(str):
    """Text that is HTML already. Only this module, and constants of this package, make it."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """An element. Children that are no ``Markup`` are escaped; None is left out.

    Args:
        name: the element's name.
        children: what it holds, in order.
        attributes: a trailing underscore is dropped and an inner one becomes a hyphen (``class_``, ``stroke_width``);
            None leaves the attribute out.
    """
    opened = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_safe(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{opened}>")
    return Markup(f"<{name}{opened}>{join(*children)}</{name}>")


def join(*parts: str | None, between: str = "") -> Markup:
    """The parts one after the other, escaped where they are no ``Markup``."""
    return Markup(between.join(_escaped(part) for part in parts if part is not None))


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, the last one an ellipsis if something was cut; runs of white space become one."""
    # Far more than is shown is looked at, so that a text of white space alone cannot cost much.
    tidy = " ".join(text[: limit * 20].split())
    cut = len(tidy) > limit or len(text) > limit * 20
    return tidy[: limit - 1].rstrip() + "…" if cut else tidy


def _escaped(part: str) -> str:
    return part if isinstance(part, Markup) else html.escape(_safe(part))


def _safe(text: str) -> str:
    """Without characters that no HTML file may hold, and without those that reorder the text around them."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if _forbidden(character) else character for character in text)


def _forbidden(character: str) -> bool:
    if character in "\n\t":
        return False
    return character in _BIDI_CONTROLS or unicodedata.category(character) in ("Cc", "Cs")
