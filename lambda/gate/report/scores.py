"""The scatter of answered over true scores, and the training job's loss curve."""

import base64
import re
import statistics
from collections.abc import Sequence

from gate.report.markup import Markup, figure, section, tag
from gate.report.numbers import count, number
from gate.report.plot import Plot, drawing, round_values
from gate.report.probabilities import NO_ANSWERS
from gate.report.report import Report

MAX_DOTS = 4_000
"""Dots in the scatter; a larger test set is thinned evenly."""

MAX_LOSS_CHARACTERS = 300_000

_LARGEST_SCORE = 1e9
_ACTIVE = re.compile(
    r"<\s*/?\s*(?:[\w.-]+:)?(?:script|foreignobject|iframe|object|embed|image|use|a|animate\w*|set|handler)\b"
    r"|\bon\w+\s*=|href|javascript:|url\s*\(|@import|<!|<\?|&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-f]{1,6});)",
    re.IGNORECASE,
)

Pairs = Sequence[tuple[float, float, bool]]
"""True score, answered score, and whether the label is right."""


def score_section(report: Report) -> Markup:
    """Show the answered scores against the true ones, where both exist."""
    heading = "Scores"
    if not report.rows:
        return section("scores", heading, tag("p", NO_ANSWERS))
    pairs = score_pairs(report)
    if not pairs:
        said = "The test data or the model has labels only and no scores, so there is no scatter plot."
        return section("scores", heading, tag("p", said))
    threshold, related = report.evidence.output.score_threshold, correlation(pairs)
    words = [f"Each dot is a test sentence; {count(len(pairs), 'has a score', 'have scores')}."]
    words += [] if related is None else [f"Pearson's correlation is {number(related, 3)}."]
    if threshold is not None:
        words.append(f"The label changes at the solid lines (score {threshold:g}).")
    words.append("Dots in the second colour have the wrong label.")
    if len(pairs) > MAX_DOTS:
        words.append(f"Only every {-(-len(pairs) // MAX_DOTS)}th dot is drawn.")
    return section("scores", heading, figure(_score_chart(pairs, threshold), " ".join(words)))


def loss_section(report: Report) -> Markup:
    """Show the training job's loss curve."""
    svg = report.evidence.output.loss_svg
    picture = loss_picture(svg)
    if picture is None:
        why = "The training job left no loss curve."
        if svg is not None:
            why = "The training job's loss curve is not a plain drawing, so it is not shown."
        return section("loss", "Loss in training", tag("p", why))
    return section("loss", "Loss in training", figure(picture, "Drawn by the training job."))


def score_pairs(report: Report) -> list[tuple[float, float, bool]]:
    """Return each row with two scores that an axis can show."""
    return [
        (one.row.score, one.answer.score, one.right)
        for one in report.rows
        if one.row.score is not None
        and one.answer.score is not None
        and abs(one.row.score) <= _LARGEST_SCORE
        and abs(one.answer.score) <= _LARGEST_SCORE
    ]


def correlation(pairs: Pairs) -> float | None:
    """Return Pearson's correlation of the two scores; None for fewer than two rows or without spread."""
    try:
        return statistics.correlation([true for true, _, _ in pairs], [answered for _, answered, _ in pairs])
    except statistics.StatisticsError:
        return None


def loss_picture(svg: str | None) -> Markup | None:
    """Return the drawing as an image; None if there is none or it is anything but a plain drawing.

    In an image a browser runs and fetches nothing, whatever the file holds, and its styles stay inside. Files with
    active content are refused all the same.
    """
    if svg is None or len(svg) > MAX_LOSS_CHARACTERS:
        return None
    stripped = svg.strip()
    if not re.match(r"<svg[\s>]", stripped) or not stripped.endswith("</svg>") or _ACTIVE.search(stripped):
        return None
    try:
        encoded = base64.b64encode(stripped.encode("utf-8")).decode("ascii")
    except UnicodeEncodeError:
        return None
    description = "Loss over the training steps: lines for the training loss, dots for the validation loss"
    return tag("img", src=f"data:image/svg+xml;base64,{encoded}", alt=description, class_="loss")


def _score_chart(pairs: Pairs, threshold: float | None) -> Markup:
    """Draw the answered over the true score, with wrong labels in front and in a colour of their own."""
    values = [value for true, answered, _ in pairs for value in (true, answered)]
    around = round_values(min(values), max(values))
    spare = (around[-1] - around[0]) / 50
    low, high = min(*values, around[1]) - spare, max(*values, around[-2]) + spare
    at = [value for value in around if low <= value <= high]
    decimals = max(len(f"{value:g}".partition(".")[2]) for value in at)
    named = [(value, number(value, decimals)) for value in at]
    plot = Plot(x_range=(low, high), y_range=(low, high), height=400)
    marks = [
        plot.x_axis(named, "true score"),
        plot.y_axis(named, "answered score"),
        plot.line((low, low), (high, high), "reference"),
    ]
    shown = pairs[:: -(-len(pairs) // MAX_DOTS)]
    for kind, right in (("right", True), ("wrong", False)):
        marks.append(plot.dots([(true, answered) for true, answered, is_right in shown if is_right == right], kind))
    if threshold is not None and low <= threshold <= high:
        marks.append(plot.line((threshold, low), (threshold, high), "threshold"))
        marks.append(plot.line((low, threshold), (high, threshold), "threshold"))
    wrong = sum(not right for _, _, right in pairs)
    described = f"{len(pairs):,} sentences, {wrong:,} of them with the wrong label."
    return drawing("score-chart", "Answered score over true score", described, plot.height, *marks)
