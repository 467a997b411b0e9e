"""The figures of every label: as a chart in the order of their F1, and as a table."""

from classifier.evaluation.figures import ClassFigures
from gate.report.markup import NAME_LIMIT, Markup, figure, section, table, tag
from gate.report.numbers import UNKNOWN, interval, number, percent
from gate.report.plot import Plot, drawing, text
from gate.report.probabilities import NO_ANSWERS
from gate.report.report import Report
from shared.words import shorten

MAX_BARS = 30
"""Labels in the chart: of more, those with the lowest F1."""

MAX_ROWS = 200
"""Labels in the table."""

_STEP = 20
_SHARES = [(n / 5, f"{n * 20}") for n in range(6)]


def classes_section(report: Report) -> Markup:
    """Show F1, precision and recall of every label, the lowest F1 first."""
    heading = "Labels"
    if not report.rows:
        return section("classes", heading, tag("p", NO_ANSWERS))
    numbered = [(label, one) for label, one in enumerate(report.figures.classes) if one.rows or one.answered]
    found = sorted(numbered, key=lambda pair: (pair[1].f1.value, -pair[1].rows))
    unseen = len(report.figures.classes) - len(found)
    caption = "F1 of each label with its 95 % interval; a wide one means few sentences."
    if len(found) > MAX_BARS:
        caption = f"The {MAX_BARS} labels of {len(found):,} with the lowest F1. {caption}"
    if unseen:
        caption += f" {unseen:,} more are in no test sentence and no answer."
    thresholds = report.evidence.output.label_thresholds
    head = ["label", "sentences", "F1", "precision", "recall", *(["given from"] if thresholds else [])]
    rows = [
        (
            shorten(report.evidence.output.labels[label], NAME_LIMIT),
            f"{one.rows:,}",
            interval(one.f1),
            percent(one.precision.value) if one.answered else UNKNOWN,
            percent(one.recall.value) if one.rows else UNKNOWN,
            *([number(thresholds[label], 2) if label < len(thresholds) else UNKNOWN] if thresholds else []),
        )
        for label, one in found[:MAX_ROWS]
    ]
    shown = "" if len(found) <= MAX_ROWS else f" (the {MAX_ROWS} lowest)"
    listed = table(f"Figures of each label, the lowest F1 first{shown}", head, rows, "numbers cards")
    details = tag("details", tag("summary", f"All figures of the {len(rows)} labels"), listed)
    return section("classes", heading, figure(_chart(report, found[:MAX_BARS]), caption), details)


def _chart(report: Report, found: list[tuple[int, ClassFigures]]) -> Markup:
    """Draw a line with name, interval and dot for each label."""
    height = 14 + _STEP * len(found) + 44
    plot = Plot(x_range=(0, 1), y_range=(0, 1), height=height, left=176)
    marks = [plot.x_axis(_SHARES, "F1, %")]
    for place, (label, one) in enumerate(found):
        level = 1 - (place + 0.5) / len(found)
        marks += [
            text(plot.left - 8, plot.y(level) + 4, report.labels[label], anchor="end", kind="tick"),
            plot.line((one.f1.low, level), (one.f1.high, level), "interval challenger"),
            plot.dots([(one.f1.value, level)], "challenger", radius=4),
        ]
    described = f"{len(found)} labels, from {percent(found[0][1].f1.value)} to {percent(found[-1][1].f1.value)}."
    return drawing("classes-chart", "F1 of each label", described, height, *marks)
