"""The sections that show how good the challenger is."""

from __future__ import annotations

from gate.report import curves
from gate.report.blocks import LABEL_LIMIT, figure, paragraph, section, table
from gate.report.charts import MAX_DOTS, precision_recall_chart, reliability_chart, score_chart
from gate.report.data import ReportData
from gate.report.loss import loss_picture
from gate.report.markup import Markup, join, shorten, tag
from gate.report.wording import UNKNOWN, count, number, percent

NO_ANSWERS = "There are no answers to test sentences, so there is nothing to show here."


def labels(data: ReportData) -> tuple[str, str]:
    """The labels' names, short enough for an axis."""
    return shorten(data.label_names[0], LABEL_LIMIT), shorten(data.label_names[1], LABEL_LIMIT)


def confusion_section(data: ReportData) -> Markup:
    """How often each label was answered for each true label."""
    if not data.rows:
        return section("confusion", "Confusion matrix", paragraph(NO_ANSWERS))
    names = labels(data)
    counts = curves.confusion(data.rows).counts
    columns = [tag("th", heading, scope="col") for heading in (f"answered {names[0]}", f"answered {names[1]}", "all")]
    head = tag("tr", tag("td"), *columns)
    body = []
    for true, row in enumerate(counts):
        cells = [_heat(value, sum(row), "hit" if true == answer else "miss") for answer, value in enumerate(row)]
        body.append(tag("tr", tag("th", f"truly {names[true]}", scope="row"), *cells, tag("td", f"{sum(row):,}")))
    caption = tag("caption", "Test sentences by true and answered label; shares are of the row")
    matrix = tag("table", caption, tag("thead", head), tag("tbody", *body), class_="heat")
    wrong = counts[0][1] + counts[1][0]
    said = f"{count(wrong, 'answer')} of {len(data.rows):,} {'is' if wrong == 1 else 'are'} wrong."
    return section("confusion", "Confusion matrix", tag("div", matrix, class_="scroll"), paragraph(said))


def precision_recall_section(data: ReportData) -> Markup:
    """The precision-recall curve of label 1."""
    heading = "Precision and recall"
    if not data.rows:
        return section("precision-recall", heading, paragraph(NO_ANSWERS))
    name = labels(data)[1]
    truth = [row.label for row in data.rows]
    points = curves.precision_recall(truth, [row.probability for row in data.rows])
    if not points:
        said = f"No test sentence is truly {name}, so precision and recall have no meaning here."
        return section("precision-recall", heading, paragraph(said))
    matrix = curves.confusion(data.rows)
    operating = None
    where = f"The model never answers {name}."
    if matrix.precision is not None and matrix.recall is not None:
        operating = (matrix.recall, matrix.precision)
        where = (
            f"The dot is where the model operates: of its answers {name}, {percent(matrix.precision)} are right, "
            f"and it finds {percent(matrix.recall)} of all {name}."
        )
    share = sum(truth) / len(truth)
    picture = precision_recall_chart(points, operating, share, name)
    average = f"Average precision {number(curves.average_precision(points), 3)}. "
    base = f" The dashed line is the share of {name} in the test set, {percent(share)}."
    return section("precision-recall", heading, figure(picture, average, where, base))


def reliability_section(data: ReportData) -> Markup:
    """Whether a probability means what it says."""
    heading = "Reliability of the probabilities"
    if not data.rows:
        return section("reliability", heading, paragraph(NO_ANSWERS))
    name = labels(data)[1]
    bins = curves.reliability([row.label for row in data.rows], [row.probability for row in data.rows])
    error = percent(curves.expected_calibration_error(bins))
    caption = (
        f"Expected calibration error {error}: by so much a stated probability is off on average. "
        "On the dashed line it is exact."
    )
    rows = [
        (
            f"{b.low:.1f} to {b.high:.1f}",
            f"{b.count:,}",
            UNKNOWN if b.predicted is None else percent(b.predicted),
            UNKNOWN if b.observed is None else percent(b.observed),
        )
        for b in bins
    ]
    head = ("probability", "sentences", "mean probability", f"truly {name}")
    numbers = table(f"The ten bins over the probability of {name}", head, rows, "numbers")
    details = tag("details", tag("summary", "The ten bins as a table"), numbers)
    return section("reliability", heading, figure(reliability_chart(bins, name), caption), details)


def score_section(data: ReportData) -> Markup:
    """The answered scores against the true ones, where both exist."""
    heading = "Scores"
    if not data.rows:
        return section("scores", heading, paragraph(NO_ANSWERS))
    pairs = curves.score_pairs(data.rows)
    if not pairs:
        said = "The test data or the model has labels only and no scores, so there is no scatter to show."
        return section("scores", heading, paragraph(said))
    related = curves.correlation(pairs)
    words = [f"Each dot is a test sentence; {count(len(pairs), 'has a score', 'have scores')}."]
    words += [] if related is None else [f"Pearson's correlation is {number(related, 3)}."]
    if data.score_thresholds:
        at = ", ".join(f"{value:g}" for value in data.score_thresholds)
        words.append(f"The solid lines are where the label changes (score {at}).")
    words.append("Dots in the second colour have the wrong label.")
    if len(pairs) > MAX_DOTS:
        words.append(f"Only every {-(-len(pairs) // MAX_DOTS)}th dot is drawn.")
    return section("scores", heading, figure(score_chart(pairs, data.score_thresholds), " ".join(words)))


def loss_section(data: ReportData) -> Markup:
    """The training job's loss curve."""
    picture = loss_picture(data.loss_svg)
    if picture is None:
        why = "The training job left no loss curve."
        if data.loss_svg is not None:
            why = "The loss curve that the training job left is no plain drawing, so it is not shown."
        return section("loss", "Loss in training", paragraph(why))
    return section("loss", "Loss in training", figure(picture, "As the training job drew it."))


def _heat(value: int, of: int, kind: str) -> Markup:
    share = value / of if of else 0.0
    written = join(tag("b", f"{value:,}"), tag("small", percent(share) if of else UNKNOWN))
    return tag("td", written, class_=kind, style=f"--heat:{share:.2f}")
