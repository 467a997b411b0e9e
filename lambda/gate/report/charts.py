"""The charts of the challenger's probabilities and scores."""

from __future__ import annotations

from collections.abc import Sequence

from gate.report.curves import Bin, PrecisionRecall
from gate.report.markup import Markup, join
from gate.report.svg import Plot, drawing, text, ticks
from gate.report.wording import number, percent

MAX_DOTS = 4_000
"""In the scatter; a larger test set is thinned evenly."""

_SHARES = [(n / 5, f"{n * 20}") for n in range(6)]
_UNIT = (0.0, 1.0)


def precision_recall_chart(
    points: Sequence[PrecisionRecall], operating: tuple[float, float] | None, base_rate: float, label: str
) -> Markup:
    """Precision over recall, where the model operates (recall, precision), and what always saying yes would give."""
    plot = Plot(x_range=_UNIT, y_range=_UNIT)
    steps = [(0.0, points[0].precision)]
    for point in points:
        steps += [(point.recall, steps[-1][1]), (point.recall, point.precision)]
    marks = [
        plot.x_axis(_SHARES, f"recall, % (share of all {label} that is found)"),
        plot.y_axis(_SHARES, "precision, %"),
        plot.line((0, base_rate), (1, base_rate), "reference"),
        plot.curve(steps, "curve"),
    ]
    described = f"Always answering {label} would have a precision of {percent(base_rate)}."
    if operating is not None:
        marks.append(plot.dots([operating], "operating", radius=5))
        at = f"recall {percent(operating[0])}, precision {percent(operating[1])}"
        described = f"The model operates at {at}. {described}"
    return drawing("precision-recall-chart", "Precision over recall", described, plot.height, *marks)


def reliability_chart(bins: Sequence[Bin], label: str) -> Markup:
    """Observed over predicted share of label 1, and below it how many rows each bin holds (at least one holds some)."""
    plot = Plot(x_range=_UNIT, y_range=_UNIT, height=400, bottom=124)
    filled = [b for b in bins if b.count]
    found = [(b.predicted, b.observed) for b in filled if b.predicted is not None and b.observed is not None]
    counts = Plot(x_range=_UNIT, y_range=(0, max(b.count for b in filled)), height=400, top=316, bottom=26)
    bars = [counts.curve([(b.low, 0), (b.low, b.count), (b.high, b.count), (b.high, 0)], "bar") for b in filled]
    labels = [
        text(counts.x((b.low + b.high) / 2), counts.y(b.count) - 4, f"{b.count:,}", anchor="middle", kind="tick small")
        for b in filled
    ]
    described = " ".join(
        f"{percent(b.low, 0)} to {percent(b.high, 0)}: {b.count:,}, observed {percent(b.observed)}." for b in filled
    )
    return drawing(
        "reliability-chart",
        "Observed over predicted probability",
        described,
        plot.height,
        plot.x_axis(_SHARES, ""),
        plot.y_axis(_SHARES, f"truly {label}, %"),
        plot.line((0, 0), (1, 1), "reference"),
        plot.curve(found, "curve"),
        plot.dots(found, "markers", radius=4),
        join(*bars, *labels),
        text(counts.x(0.5), 394, f"predicted probability of {label}, %; bars: sentences", anchor="middle"),
    )


def score_chart(pairs: Sequence[tuple[float, float, bool]], thresholds: Sequence[float]) -> Markup:
    """Answered over true score; the rows with a wrong label in front, in a colour of their own.

    Args:
        pairs: (true score, answered score, whether the label is right); at least one.
        thresholds: the scores at which the label changes.
    """
    values = [value for true, answered, _ in pairs for value in (true, answered)]
    around = ticks(min(values), max(values))
    spare = (around[-1] - around[0]) / 50
    span = (min(*values, around[1]) - spare, max(*values, around[-2]) + spare)
    at = [value for value in around if span[0] <= value <= span[1]]
    decimals = max(len(f"{value:g}".partition(".")[2]) for value in at)
    named = [(value, number(value, decimals)) for value in at]
    plot = Plot(x_range=span, y_range=span, height=400)
    shown = pairs[:: -(-len(pairs) // MAX_DOTS)]
    inside = [value for value in thresholds if span[0] <= value <= span[1]]
    wrong = sum(not right for _, _, right in pairs)
    return drawing(
        "score-chart",
        "Answered score over true score",
        f"{len(pairs):,} sentences, {wrong:,} of them with the wrong label.",
        plot.height,
        plot.x_axis(named, "true score"),
        plot.y_axis(named, "answered score"),
        plot.line((span[0], span[0]), (span[1], span[1]), "reference"),
        plot.dots([(true, answered) for true, answered, right in shown if right], "right"),
        plot.dots([(true, answered) for true, answered, right in shown if not right], "wrong"),
        *[plot.line((value, span[0]), (value, span[1]), "threshold") for value in inside],
        *[plot.line((span[0], value), (span[1], value), "threshold") for value in inside],
    )
