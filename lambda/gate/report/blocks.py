"""The page's building blocks: sections, paragraphs, tables, quoted sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gate.report.markup import Markup, join, shorten, tag

TEXT_LIMIT = 300
"""Characters of a test sentence that are shown."""

NAME_LIMIT = 60
"""Characters of a name: a slice, a product family."""

LABEL_LIMIT = 24
"""Characters of a label's name, which has to fit on an axis."""


def section(identifier: str, heading: str, *content: str | None) -> Markup:
    """A part of the page with its heading; ``identifier`` is its anchor."""
    title = tag("h2", heading, id=f"{identifier}-heading")
    return tag("section", title, *content, id=identifier, aria_labelledby=f"{identifier}-heading")


def paragraph(*content: str | None, kind: str | None = None) -> Markup:
    """A paragraph; ``kind`` is its CSS class."""
    return tag("p", *content, class_=kind)


def figure(picture: Markup, *caption: str | None) -> Markup:
    """A picture with the sentences that explain it."""
    return tag("figure", picture, tag("figcaption", *caption))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], kind: str | None = None) -> Markup:
    """A table that scrolls by itself where it is wider than the screen; each row's first cell names the row."""
    header = tag("tr", *[tag("th", cell, scope="col") for cell in head])
    body = [tag("tr", tag("th", row[0], scope="row"), *_cells(row[1:], head[1:])) for row in rows]
    whole = tag("table", tag("caption", caption), tag("thead", header), tag("tbody", *body), class_=kind)
    return tag("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")


def quoted(text: str, below: str | None = None) -> Markup:
    """A test sentence, shortened and kept from reordering what is around it; below it, small, what else is known."""
    note = None if not below else tag("small", tag("bdi", shorten(below, NAME_LIMIT)))
    return join(tag("bdi", shorten(text, TEXT_LIMIT), dir="auto"), note)


def _cells(values: Sequence[str], names: Sequence[str]) -> list[Markup]:
    """The cells with their column's name, which the style sheet writes before them where rows become cards."""
    return [tag("td", value, data_column=name) for value, name in zip(values, names, strict=True)]
