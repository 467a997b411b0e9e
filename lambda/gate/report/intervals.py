"""The measured values with their intervals, beside what they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gate.report.data import Figure, Figures
from gate.report.markup import Markup, join
from gate.report.svg import WIDTH, Plot, drawing, text, ticks
from gate.report.wording import interval, number, percent, points, points_interval

_ROW = 44
_TOP = 26


@dataclass(frozen=True)
class _Bar:
    name: str
    figure: Figure
    kind: str
    written: str


def measure_chart(
    identifier: str, name: str, challenger: Figure, champion: Figure | None, floor: float | None
) -> Markup:
    """One measure of the challenger, of the champion if there is one, and the floor for the interval's lower end."""
    bars = [_Bar("Challenger", challenger, "challenger", interval(challenger))]
    if champion is not None:
        bars.append(_Bar("Champion", champion, "champion", interval(champion)))
    limit = None if floor is None else (floor, f"floor {percent(floor)}")
    values = _range(bars, limit, 0.0, 1.0)
    at = [(value, number(value * 100, _decimals(values))) for value in values]
    return _chart(identifier, f"{name}, %", bars, limit, at)


def difference_chart(figures: Figures) -> Markup:
    """The paired difference to the champion, zero, and the margin; nothing without a champion."""
    if figures.difference is None:
        return Markup()
    written = points_interval(figures.difference)
    bars = [_Bar("Difference", figures.difference, "challenger", written)]
    limit = None if figures.margin is None else (-figures.margin, f"margin {points(-figures.margin)}")
    values = _range(bars, limit, -1.0, 1.0, 0.0)
    at = [(value, points(value, _decimals(values))) for value in values]
    return _chart("difference-chart", "accuracy: challenger less champion, points", bars, limit, at)


def _range(
    bars: Sequence[_Bar], limit: tuple[float, str] | None, lowest: float, highest: float, *also: float
) -> list[float]:
    """Round values around everything that is drawn, within what is possible."""
    values = [value for bar in bars for value in (bar.figure.low, bar.figure.high, bar.figure.value)]
    values += [*also, *([] if limit is None else [limit[0]])]
    low, high = min(values), max(values)
    spare = max(0.02 * (high - low), 0.002)
    return [value for value in ticks(low - spare, high + spare, 5) if lowest - 1e-9 <= value <= highest + 1e-9]


def _decimals(shares: Sequence[float]) -> int:
    """As many as these shares need, written as percentages."""
    return 0 if all(abs(value * 100 - round(value * 100)) < 1e-6 for value in shares) else 1


def _chart(
    identifier: str,
    axis: str,
    bars: Sequence[_Bar],
    limit: tuple[float, str] | None,
    at: Sequence[tuple[float, str]],
) -> Markup:
    height = _TOP + _ROW * len(bars) + 50
    plot = Plot(x_range=(at[0][0], at[-1][0]), y_range=(0, 1), height=height, left=14, top=_TOP)
    marks = [plot.x_axis(at, axis)]
    described = [f"{bar.name}: {bar.written}." for bar in bars]
    if limit is not None:
        value, written = limit
        marks.append(plot.line((value, 0), (value, 1), "floor"))
        position = plot.x(value)
        side = "start" if position < WIDTH / 3 else "end" if position > WIDTH * 2 / 3 else "middle"
        marks.append(text(position, _TOP - 8, written, anchor=side, kind="floor-name"))
        described.append(f"{written.capitalize()}.")
    for number_, bar in enumerate(bars):
        marks.append(_bar(plot, bar, _TOP + _ROW * number_))
    return drawing(identifier, axis, " ".join(described), height, *marks)


def _bar(plot: Plot, bar: _Bar, top: float) -> Markup:
    """Name and numbers on one line, the interval with its value below."""
    level = 1 - (top + 32 - plot.top) / (plot.height - plot.bottom - plot.top)
    low, high = (bar.figure.low, level), (bar.figure.high, level)
    return join(
        text(plot.left, top + 17, bar.name, kind="name over"),
        text(WIDTH - plot.right, top + 17, bar.written, anchor="end", kind="over"),
        plot.line(low, high, f"interval {bar.kind}"),
        plot.dots([(bar.figure.value, level)], bar.kind, radius=6),
    )
