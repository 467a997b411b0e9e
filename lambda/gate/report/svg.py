"""Axes, lines and dots as SVG. Colours are the page's (``style.py``), so that dark mode and print reach them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.report.markup import Markup, join, tag

WIDTH = 400
"""Of every drawing, in its own units. Narrow, so that its letters stay readable at a phone's width."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A rectangle with two linear axes; its methods give the marks, ``drawing`` puts them together."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    height: int = 320
    left: int = 46
    right: int = 14
    top: int = 14
    bottom: int = 44

    def x(self, value: float) -> float:
        """The horizontal position of a value, kept inside the frame."""
        return _scale(value, self.x_range, self.left, WIDTH - self.right)

    def y(self, value: float) -> float:
        """The vertical position of a value, kept inside the frame."""
        return _scale(value, self.y_range, self.height - self.bottom, self.top)

    def x_axis(self, ticks: Sequence[tuple[float, str]], label: str) -> Markup:
        """Vertical grid lines with their values below, and what the axis is."""
        low, high = self.y_range
        marks = [self.line((value, low), (value, high), "grid") for value, _ in ticks]
        base = self.height - self.bottom
        marks += [text(self.x(value), base + 16, content, anchor="middle", kind="tick") for value, content in ticks]
        middle = (self.left + WIDTH - self.right) / 2
        return join(*marks, text(middle, base + 35, label, anchor="middle"))

    def y_axis(self, ticks: Sequence[tuple[float, str]], label: str) -> Markup:
        """Horizontal grid lines with their values on the left, and what the axis is, upright along the edge."""
        low, high = self.x_range
        marks = [self.line((low, value), (high, value), "grid") for value, _ in ticks]
        marks += [text(self.left - 6, self.y(value) + 4, name, anchor="end", kind="tick") for value, name in ticks]
        middle = (self.top + self.height - self.bottom) / 2
        turned = tag("text", label, transform=f"translate(12 {middle:.1f}) rotate(-90)", text_anchor="middle")
        return join(*marks, turned)

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
        """A straight line between two values; ``kind`` is its CSS class."""
        (x1, y1), (x2, y2) = start, end
        return tag("line", x1=self.x(x1), y1=self.y(y1), x2=self.x(x2), y2=self.y(y2), class_=kind)

    def curve(self, values: Iterable[tuple[float, float]], kind: str) -> Markup:
        """A line through the values. Those that fall on one line of pixels are drawn once: a curve stays small."""
        places: list[tuple[float, float]] = []
        for value_x, value_y in values:
            place = (self.x(value_x), self.y(value_y))
            if len(places) > 1 and (_level(places[-2:], place, 0) or _level(places[-2:], place, 1)):
                places[-1] = place
            elif not places or place != places[-1]:
                places.append(place)
        return tag("polyline", points=" ".join(f"{x:g},{y:g}" for x, y in places), class_=kind)

    def dots(self, values: Iterable[tuple[float, float]], kind: str, radius: float = 2) -> Markup:
        """A circle at each value."""
        circles = "".join(f'<circle cx="{self.x(x):g}" cy="{self.y(y):g}" r="{radius:g}"/>' for x, y in values)
        return tag("g", Markup(circles), class_=kind)


def drawing(identifier: str, title: str, description: str, height: int, *marks: Markup) -> Markup:
    """The marks as one picture with a name and a description for those who can't see it.

    Args:
        identifier: unique in the page; letters and hyphens.
        title: what is drawn.
        description: what there is to see, in words.
        height: of the picture, in units of which it is ``WIDTH`` wide.
        marks: what is drawn, the first at the back.
    """
    return tag(
        "svg",
        tag("title", title, id=f"{identifier}-title"),
        tag("desc", description, id=f"{identifier}-description"),
        *marks,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_labelledby=f"{identifier}-title {identifier}-description",
    )


def text(x: float, y: float, content: str, *, anchor: str = "start", kind: str | None = None) -> Markup:
    """A line of text; ``anchor`` is ``start``, ``middle`` or ``end``."""
    return tag("text", content, x=f"{x:g}", y=f"{y:g}", text_anchor=None if anchor == "start" else anchor, class_=kind)


def ticks(low: float, high: float, at_most: int = 6) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten apart) that enclose the range, at most ``at_most`` + 2 of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high - low < 1e-9:
        low, high = (low - 0.5, low + 0.5) if math.isfinite(low) and abs(low) < 1e6 else (0.0, 1.0)
    raw = (high - low) / at_most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _scale(value: float, span: tuple[float, float], start: float, end: float) -> float:
    low, high = span
    share = (min(max(value, low), high) - low) / (high - low)
    return round(start + (end - start) * share, 1)


def _level(last_two: Sequence[tuple[float, float]], place: tuple[float, float], axis: int) -> bool:
    """Whether the place goes on straight along an axis, in the direction of the last two."""
    (before, last) = last_two
    other = 1 - axis
    straight = before[axis] == last[axis] == place[axis]
    return straight and (last[other] - before[other]) * (place[other] - last[other]) >= 0
