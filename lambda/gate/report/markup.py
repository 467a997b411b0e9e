"""HTML and SVG from Python values: elements and the page's building blocks.

Everything is escaped unless this package made it, so forgetting to escape is not possible.
"""

import html
import re
from collections.abc import Iterable, Sequence

from shared.words import shorten

TEXT_LIMIT = 300
"""Characters of a test sentence that are shown."""

NAME_LIMIT = 60
"""Characters of a name (a slice, a product family) that are shown."""

_VOID = frozenset({"meta", "img", "br"})
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class Markup(str):
    """Text that is HTML already. Only this module and constants of this package create it."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """Return an element with its children in order: text is escaped, None is left out.

    Of an attribute's name a trailing underscore is dropped, and an inner one becomes a hyphen (`class_`,
    `stroke_width`). None is left out here too.
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
    """Join the parts, escaping text; None is left out."""
    return Markup(between.join(_escaped(part) for part in parts if part is not None))


def section(identifier: str, heading: str, *content: str | None) -> Markup:
    """Return a part of the page with its heading; `identifier` is its anchor."""
    title = tag("h2", heading, id=f"{identifier}-heading")
    return tag("section", title, *content, id=identifier, aria_labelledby=f"{identifier}-heading")


def figure(picture: Markup, *caption: str | None) -> Markup:
    """Return a picture with the sentences that explain it."""
    return tag("figure", picture, tag("figcaption", *caption))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], kind: str) -> Markup:
    """Return a table that scrolls by itself where it is wider than the screen; a row's first cell names the row.

    `kind` holds its CSS classes. Each cell carries its column's name, which the style sheet shows where rows
    become cards.
    """
    header = tag("tr", *[tag("th", cell, scope="col") for cell in head])
    body = []
    for first, *others in rows:
        cells = [tag("td", value, data_column=name) for value, name in zip(others, head[1:], strict=True)]
        body.append(tag("tr", tag("th", first, scope="row"), *cells))
    whole = tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *body), class_=kind)
    return tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")


def quoted(text: str, below: str | None = None) -> Markup:
    """Return a shortened test sentence that can't reorder what is around it, with a small note below it."""
    note = None if not below else tag("small", tag("bdi", shorten(below, NAME_LIMIT)))
    return join(tag("bdi", shorten(text, TEXT_LIMIT), dir="auto"), note)


def _escaped(part: str) -> str:
    return part if isinstance(part, Markup) else html.escape(_safe(part))


def _safe(text: str) -> str:
    """Replace characters that no HTML file may hold, and those that reorder the text around them."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
