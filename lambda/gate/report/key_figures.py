"""Accuracy, F1 and the difference to the champion: in sentences, and as intervals beside floors and margin."""

from collections.abc import Sequence
from typing import NamedTuple

from classifier.evaluation.figures import CONFIDENCE, Interval
from gate.report.markup import Markup, join, section, tag
from gate.report.numbers import count, interval, number, percent, points, points_interval
from gate.report.plot import WIDTH, Plot, drawing, round_values, text
from gate.report.probabilities import NO_ANSWERS
from gate.report.report import Report
from gate.statistics.measure import Measured
from gate.statistics.verdict import Verdict

_ROW = 44
_TOP = 26
_FAR = 0.4
"""Distance at which a floor, which the text states, is not drawn any more."""


class _Bar(NamedTuple):
    name: str
    figure: Interval
    kind: str
    written: str


def key_figures_section(report: Report) -> Markup:
    """Show the figures that the gate judged."""
    measured, verdict = report.decision.measured, report.decision.verdict
    if measured is None or verdict is None:
        return section("figures", "Key figures", tag("p", NO_ANSWERS))
    compared = measured.comparison
    champion, known, f1 = compared.champion if compared else None, measured.baseline, measured.f1_name
    accuracy = "exactly right" if measured.multilabel else "accuracy"
    charts = []
    for figure, name in (("accuracy", accuracy), ("f1", f1)):
        former, simple = (getattr(one, figure, None) for one in (champion, known))
        charts.append(_figure_chart(figure, name, getattr(measured.figures, figure), former, simple, verdict))
    if compared is not None:
        name, difference = (f1, compared.f1) if measured.multilabel else ("accuracy", compared.accuracy)
        charts.append(_difference_chart(name, difference, verdict.margin))
    return section(
        "figures",
        "Key figures",
        *[tag("p", sentences) for sentences in _sentences(measured, verdict)],
        tag("div", *[tag("figure", chart) for chart in charts], class_="charts"),
    )


def _sentences(measured: Measured, verdict: Verdict) -> list[str]:
    """Say what was measured against the floors, then what against the champion."""
    f1 = measured.f1_name.replace("Macro", "macro")
    names, an_f1 = {"accuracy": "accuracy", "f1": f1}, f"{'an' if measured.binary else 'a'} {f1}"
    figures = (
        f"On {count(measured.figures.rows, 'test sentence')} the challenger reaches an accuracy of "
        f"{interval(measured.figures.accuracy)} and {an_f1} of {interval(measured.figures.f1)}; "
        f"in brackets the {number(CONFIDENCE * 100, 0)} % intervals. "
        f"The intervals' lower ends must clear the floors: "
        f"{', '.join(f'{names[name]} {percent(floor)}' for name, floor in sorted(verdict.floors.items()))}."
    )
    if measured.multilabel:
        figures += " A text counts for the accuracy if exactly its labels are given; for the F1 each label counts."
    if known := measured.baseline:
        figures += (
            f" A simple model ({known.name}) reaches an accuracy of {percent(known.accuracy)} and {an_f1} of "
            f"{percent(known.f1)} on the same sentences."
        )
    if measured.comparison is None:
        return [figures, "There is no champion to compare with."]
    comparison = measured.comparison
    name, judged = (f1, comparison.f1) if measured.multilabel else ("accuracy", comparison.accuracy)
    compared = (
        f"The challenger's {name} minus the champion's on the same sentences is {points_interval(judged)}. "
        f"The interval's lower end must be above the margin, {points(-verdict.margin)} points."
    )
    return [figures, compared]


def _figure_chart(
    figure: str,
    name: str,
    challenger: Interval,
    champion: Interval | None,
    baseline: float | None,
    verdict: Verdict,
) -> Markup:
    """Draw one figure of all models, and the floor for the interval's lower end if there is one."""
    bars = [_Bar("Challenger", challenger, "challenger", interval(challenger))]
    if champion is not None:
        bars.append(_Bar("Champion", champion, "champion", interval(champion)))
    if baseline is not None:
        bars.append(_Bar("Simple model", Interval(baseline, baseline, baseline), "baseline", percent(baseline)))
    floor = verdict.floors.get(figure)
    if floor is not None and min(bar.figure.low for bar in bars) - floor > _FAR:
        floor = None  # the axis would hold little else
    drawn = _axis_values(bars, *([] if floor is None else [floor]))
    values = [value for value in drawn if -1e-9 <= value <= 1 + 1e-9]
    at = [(value, number(value * 100, _decimals(values))) for value in values]
    limit = None if floor is None else (floor, f"floor {percent(floor)}")
    return _chart(f"{figure}-chart", f"{name}, %", bars, limit, at)


def _difference_chart(name: str, difference: Interval, margin: float) -> Markup:
    """Draw the paired difference to the champion, zero, and the margin."""
    bars = [_Bar("Difference", difference, "challenger", points_interval(difference))]
    values = [value for value in _axis_values(bars, -margin, 0.0) if -1 - 1e-9 <= value <= 1 + 1e-9]
    at = [(value, points(value, _decimals(values))) for value in values]
    limit = (-margin, f"margin {points(-margin)}")
    return _chart("difference-chart", f"{name}: challenger minus champion, points", bars, limit, at)


def _axis_values(bars: Sequence[_Bar], *others: float) -> list[float]:
    """Return round values around everything that is drawn."""
    values = [*others, *(value for bar in bars for value in (bar.figure.low, bar.figure.high, bar.figure.value))]
    low, high = min(values), max(values)
    spare = max(0.02 * (high - low), 0.002)
    return round_values(low - spare, high + spare, 5)


def _decimals(shares: Sequence[float]) -> int:
    """Return how many decimals these shares need as percentages."""
    return 0 if all(abs(value * 100 - round(value * 100)) < 1e-6 for value in shares) else 1


def _chart(
    identifier: str, axis: str, bars: Sequence[_Bar], limit: tuple[float, str] | None, at: Sequence[tuple[float, str]]
) -> Markup:
    height = _TOP + _ROW * len(bars) + 50
    plot = Plot(x_range=(at[0][0], at[-1][0]), y_range=(0, 1), height=height, left=14, top=_TOP)
    described = [f"{bar.name}: {bar.written}." for bar in bars]
    marks = []
    if limit is not None:
        value, written = limit
        position = plot.x(value)
        side = "start" if position < WIDTH / 3 else "end" if position > WIDTH * 2 / 3 else "middle"
        described.append(f"{written.capitalize()}.")
        marks = [
            plot.line((value, 0), (value, 1), "floor"),
            text(position, _TOP - 8, written, anchor=side, kind="floor-name"),
        ]
    return drawing(
        identifier,
        axis,
        " ".join(described),
        height,
        plot.x_axis(at, axis),
        *marks,
        *[_bar(plot, bar, _TOP + _ROW * place) for place, bar in enumerate(bars)],
    )


def _bar(plot: Plot, bar: _Bar, top: float) -> Markup:
    """Draw name and numbers on one line, and the interval with its value below."""
    level = 1 - (top + 32 - plot.top) / (plot.height - plot.bottom - plot.top)
    low, high = (bar.figure.low, level), (bar.figure.high, level)
    return join(
        text(plot.left, top + 17, bar.name, kind="name over"),
        text(WIDTH - plot.right, top + 17, bar.written, anchor="end", kind="over"),
        plot.line(low, high, f"interval {bar.kind}"),
        plot.dots([(bar.figure.value, level)], bar.kind, radius=6),
    )
