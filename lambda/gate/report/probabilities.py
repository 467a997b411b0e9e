"""The confusion matrix, the precision-recall curve and the reliability diagram, in plain Python."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from gate.report.markup import Markup, figure, join, section, table, tag
from gate.report.numbers import UNKNOWN, count, number, percent
from gate.report.plot import Plot, drawing, text
from gate.report.report import Report

NO_ANSWERS = "There are no answers to test sentences, so there is nothing to show here."

MAX_MATRIX = 10
"""Labels of the largest confusion matrix that is shown."""

MAX_PAIRS = 20
"""Confused pairs that are listed instead."""

_BINS = 10
_INNER_EDGES = [n / _BINS for n in range(1, _BINS)]
_SHARES = [(n / 5, f"{n * 20}") for n in range(6)]
_UNIT = (0.0, 1.0)


class PrecisionRecall(NamedTuple):
    """Precision and recall when label 1 is answered from `threshold` on."""

    threshold: float
    precision: float
    recall: float


class Bin(NamedTuple):
    """The rows whose probability of label 1 lies in (low, high]; the first bin holds 0 too.

    `predicted` is their mean probability, `observed` the share of them that truly has label 1; 0 in an empty bin.
    """

    low: float
    high: float
    rows: int
    predicted: float
    observed: float


def confusion_section(report: Report) -> Markup:
    """Show how often each label was answered for each true label."""
    if not report.rows:
        return section("confusion", "Confusion matrix", tag("p", NO_ANSWERS))
    names, figures = report.labels, report.figures
    if len(names) > MAX_MATRIX or report.evidence.output.multilabel:
        return section("confusion", "Confused labels", _confused_table(report))
    counts = Counter({(label, label): one.right for label, one in enumerate(figures.classes)})
    counts.update({(truth, answer): rows for truth, answer, rows in figures.confused})
    columns = [tag("th", heading, scope="col") for heading in (*(f"answered {name}" for name in names), "all")]
    head = tag("tr", tag("td"), *columns)
    body = []
    for true in range(len(names)):
        row = [counts[true, answer] for answer in range(len(names))]
        cells = [_heat(value, sum(row), "hit" if true == answer else "miss") for answer, value in enumerate(row)]
        body.append(tag("tr", tag("th", f"truly {names[true]}", scope="row"), *cells, tag("td", f"{sum(row):,}")))
    caption = tag("caption", "Test sentences by true and answered label; shares are of the row")
    matrix = tag("table", caption, tag("thead", head), tag("tbody", *body), class_="heat")
    wrong = sum(rows for _, _, rows in figures.confused)
    said = f"{count(wrong, 'answer')} of {len(report.rows):,} {'is' if wrong == 1 else 'are'} wrong."
    return section("confusion", "Confusion matrix", tag("div", matrix, class_="scroll"), tag("p", said))


def precision_recall_section(report: Report) -> Markup:
    """Show the precision-recall curve of label 1, and where the model operates."""
    heading = "Precision and recall"
    if not report.rows:
        return section("precision-recall", heading, tag("p", NO_ANSWERS))
    name = report.labels[1]
    points = precision_recall(*_labels_and_probabilities(report))
    if not points:
        said = f"No test sentence is truly {name}, so precision and recall are undefined."
        return section("precision-recall", heading, tag("p", said))
    positive = report.figures.classes[1]
    share = positive.rows / len(report.rows)
    plot = Plot(x_range=_UNIT, y_range=_UNIT)
    steps = [(0.0, points[0].precision)]
    for point in points:
        steps += [(point.recall, steps[-1][1]), (point.recall, point.precision)]
    marks = [
        plot.x_axis(_SHARES, f"recall, % (share of all {name} that is found)"),
        plot.y_axis(_SHARES, "precision, %"),
        plot.line((0, share), (1, share), "reference"),
        plot.curve(steps, "curve"),
    ]
    described = f"Always answering {name} would have a precision of {percent(share)}."
    where = f"The model never answers {name}."
    if positive.answered:
        precision, recall = positive.precision.value, positive.recall.value
        marks.append(plot.dots([(recall, precision)], "operating", radius=5))
        described = f"The model operates at recall {percent(recall)}, precision {percent(precision)}. {described}"
        where = (
            f"The dot shows where the model operates: {percent(precision)} of its answers {name} are right, "
            f"and it finds {percent(recall)} of all {name}."
        )
    picture = drawing("precision-recall-chart", "Precision over recall", described, plot.height, *marks)
    average = f"Average precision {number(average_precision(points), 3)}. "
    base = f" The dashed line is the share of {name} in the test set, {percent(share)}."
    return section("precision-recall", heading, figure(picture, average, where, base))


def reliability_section(report: Report) -> Markup:
    """Show whether a probability means what it says."""
    heading = "Reliability of the probabilities"
    if not report.rows:
        return section("reliability", heading, tag("p", NO_ANSWERS))
    name, truly = (report.labels[1], f"truly {report.labels[1]}") if report.binary else ("the answer", "right")
    bins = reliability_bins(*_labels_and_probabilities(report))
    caption = (
        f"Expected calibration error {percent(expected_calibration_error(bins))}: on average a stated probability is "
        "off by this much. On the dashed line it is exact."
    )
    rows = [
        (
            f"{b.low:.1f} to {b.high:.1f}",
            f"{b.rows:,}",
            percent(b.predicted) if b.rows else UNKNOWN,
            percent(b.observed) if b.rows else UNKNOWN,
        )
        for b in bins
    ]
    head = ("probability", "sentences", "mean probability", truly)
    numbers = table(f"The ten bins over the probability of {name}", head, rows, "numbers")
    details = tag("details", tag("summary", "The ten bins as a table"), numbers)
    return section("reliability", heading, figure(_reliability_chart(bins, name, truly), caption), details)


def precision_recall(labels: Sequence[int], probabilities: Sequence[float]) -> list[PrecisionRecall]:
    """Return the precision-recall curve of label 1, one point a distinct probability, from the highest down.

    It is empty without a row of label 1: recall has no meaning then.
    """
    positives = sum(labels)
    if not positives:
        return []
    points = []
    answered = found = 0
    ranked = sorted(zip(probabilities, labels, strict=True), reverse=True)
    for threshold, tied in groupby(ranked, key=lambda pair: pair[0]):
        group = [label for _, label in tied]
        answered += len(group)
        found += sum(group)
        points.append(PrecisionRecall(threshold, found / answered, found / positives))
    return points


def average_precision(points: Iterable[PrecisionRecall]) -> float:
    """Return the precision at each threshold, weighted with the recall gained there (no interpolation)."""
    total = reached = 0.0
    for point in points:
        total += (point.recall - reached) * point.precision
        reached = point.recall
    return total


def reliability_bins(labels: Sequence[int], probabilities: Sequence[float]) -> list[Bin]:
    """Return ten bins of equal width over the probability of label 1."""
    members: list[list[tuple[float, int]]] = [[] for _ in range(_BINS)]
    for probability, label in zip(probabilities, labels, strict=True):
        members[bisect_left(_INNER_EDGES, probability)].append((probability, label))
    bins = []
    for n, pairs in enumerate(members):
        size = len(pairs)
        predicted = math.fsum(probability for probability, _ in pairs) / (size or 1)
        observed = sum(label for _, label in pairs) / (size or 1)
        bins.append(Bin(n / _BINS, (n + 1) / _BINS, size, predicted, observed))
    return bins


def expected_calibration_error(bins: Iterable[Bin]) -> float:
    """Return the mean distance of predicted and observed share, each bin weighted with its rows; 0 without rows."""
    total, gaps = 0, 0.0
    for part in bins:
        total += part.rows
        gaps += part.rows * abs(part.predicted - part.observed)
    return gaps / (total or 1)


def _reliability_chart(bins: Sequence[Bin], label: str, truly: str) -> Markup:
    """Draw the observed share over the predicted one, and below it the rows of each bin; at least one is filled."""
    plot = Plot(x_range=_UNIT, y_range=_UNIT, height=400, bottom=124)
    filled = [b for b in bins if b.rows]
    found = [(b.predicted, b.observed) for b in filled]
    counts = Plot(x_range=_UNIT, y_range=(0, max(b.rows for b in filled)), height=400, top=316, bottom=26)
    bars = [counts.curve([(b.low, 0), (b.low, b.rows), (b.high, b.rows), (b.high, 0)], "bar") for b in filled]
    labels = [
        text(counts.x((b.low + b.high) / 2), counts.y(b.rows) - 4, f"{b.rows:,}", anchor="middle", kind="tick small")
        for b in filled
    ]
    described = " ".join(
        f"{percent(b.low, 0)} to {percent(b.high, 0)}: {b.rows:,}, observed {percent(b.observed)}." for b in filled
    )
    return drawing(
        "reliability-chart",
        "Observed over predicted probability",
        described,
        plot.height,
        plot.x_axis(_SHARES, ""),
        plot.y_axis(_SHARES, f"{truly}, %"),
        plot.line((0, 0), (1, 1), "reference"),
        plot.curve(found, "curve"),
        plot.dots(found, "markers", radius=4),
        *bars,
        *labels,
        text(counts.x(0.5), 394, f"predicted probability of {label}, %; bars: sentences", anchor="middle"),
    )


def _labels_and_probabilities(report: Report) -> tuple[list[int], list[float]]:
    """Return truth and probability of label 1 of two classes; of others, those of each text's most probable label."""
    answers = [one.answer for one in report.rows]
    if not report.binary:
        return [int(one.answer.label in one.row.labels) for one in report.rows], [one.confidence for one in answers]
    labels = [int(1 in one.row.labels) for one in report.rows]
    return labels, [one.confidence if one.label == 1 else 1 - one.confidence for one in answers]


def _confused_table(report: Report) -> Markup:
    """List the most frequent confusions; of many labels a matrix would show little."""
    names, figures, multilabel = report.labels, report.figures, report.evidence.output.multilabel
    if not figures.confused:
        return tag("p", "No label is taken for another.")
    rows = [
        (names[truth], names[answer], f"{rows:,}", percent(rows / figures.classes[truth].rows))
        for truth, answer, rows in figures.confused[:MAX_PAIRS]
    ]
    what = "missed and another given in error" if multilabel else "taken for another"
    shown = (
        f"the {len(rows)} most frequent of {len(figures.confused):,} pairs"
        if len(figures.confused) > len(rows)
        else "all"
    )
    head = ("missed" if multilabel else "truth", "answered", "sentences", "of the truth")
    return table(f"How often a label is {what}: {shown}", head, rows, "numbers cards")


def _heat(value: int, of: int, kind: str) -> Markup:
    share = value / of if of else 0.0
    written = join(tag("b", f"{value:,}"), tag("small", percent(share) if of else UNKNOWN))
    return tag("td", written, class_=kind, style=f"--heat:{share:.2f}")
