"""Axes, lines and dots as SVG. The colours are in `report.css`, so that dark mode and print apply to them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gate.report.markup import Markup, join, tag

WIDTH = 400
"""Width of every drawing in its own units; narrow, so that text stays readable on a phone."""

Ticks = Sequence[tuple[float, str]]
"""Values on an axis, and what is written at them."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A rectangle with two linear axes; its methods return the marks, `drawing` puts them together."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    height: int = 320
    left: int = 46
    right: int = 14
    top: int = 14
    bottom: int = 44

    def x(self, value: float) -> float:
        """Return the horizontal position of a value, kept inside the frame."""
        return _scale(value, self.x_range, self.left, WIDTH - self.right)

    def y(self, value: float) -> float:
        """Return the vertical position of a value, kept inside the frame."""
        return _scale(value, self.y_range, self.height - self.bottom, self.top)

    def x_axis(self, ticks: Ticks, label: str) -> Markup:
        """Draw vertical grid lines with their values and the axis's label below."""
        low, high = self.y_range
        marks = [self.line((value, low), (value, high), "grid") for value, _ in ticks]
        base = self.height - self.bottom
        marks += [text(self.x(value), base + 16, content, anchor="middle", kind="tick") for value, content in ticks]
        middle = (self.left + WIDTH - self.right) / 2
        return join(*marks, text(middle, base + 35, label, anchor="middle"))

    def y_axis(self, ticks: Ticks, label: str) -> Markup:
        """Draw horizontal grid lines with their values on the left, and the axis's label upright along the edge."""
        low, high = self.x_range
        marks = [self.line((low, value), (high, value), "grid") for value, _ in ticks]
        marks += [text(self.left - 6, self.y(value) + 4, name, anchor="end", kind="tick") for value, name in ticks]
        middle = (self.top + self.height - self.bottom) / 2
        turned = tag("text", label, transform=f"translate(12 {middle:.1f}) rotate(-90)", text_anchor="middle")
        return join(*marks, turned)

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
        """Draw a straight line between two values; `kind` is its CSS class."""
        (x1, y1), (x2, y2) = start, end
        return tag("line", x1=self.x(x1), y1=self.y(y1), x2=self.x(x2), y2=self.y(y2), class_=kind)

    def curve(self, values: Iterable[tuple[float, float]], kind: str) -> Markup:
        """Draw a line through the values, with one point for a straight run along an axis."""
        places: list[tuple[float, float]] = []
        for value_x, value_y in values:
            place = (self.x(value_x), self.y(value_y))
            if len(places) > 1 and (_level(places[-2:], place, 0) or _level(places[-2:], place, 1)):
                places[-1] = place
            elif not places or place != places[-1]:
                places.append(place)
        return tag("polyline", points=" ".join(f"{x:g},{y:g}" for x, y in places), class_=kind)

    def dots(self, values: Iterable[tuple[float, float]], kind: str, radius: float = 2) -> Markup:
        """Draw a circle at each value."""
        circles = "".join(f'<circle cx="{self.x(x):g}" cy="{self.y(y):g}" r="{radius:g}"/>' for x, y in values)
        return tag("g", Markup(circles), class_=kind)


def drawing(identifier: str, title: str, description: str, height: int, *marks: Markup) -> Markup:
    """Put marks together as one picture, `WIDTH` units wide, with a name and a description for screen readers.

    `identifier` is unique in the page. The first of the `marks` lies at the back.
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
    """Return a line of text; `anchor` is `start`, `middle` or `end`."""
    return tag("text", content, x=f"{x:g}", y=f"{y:g}", text_anchor=None if anchor == "start" else anchor, class_=kind)


def round_values(low: float, high: float, at_most: int = 6) -> list[float]:
    """Return round values that enclose the range, 1, 2 or 5 times a power of ten apart, at most `at_most` + 2."""
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
    """Tell whether the place goes straight on along an axis, in the direction of the last two."""
    (before, last), other = last_two, 1 - axis
    straight = before[axis] == last[axis] == place[axis]
    return straight and (last[other] - before[other]) * (place[other] - last[other]) >= 0
