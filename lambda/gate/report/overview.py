"""The top of the page: what was decided, and the figures behind it."""

from __future__ import annotations

from gate.report.blocks import paragraph, section
from gate.report.data import Figures, ReportData
from gate.report.intervals import difference_chart, measure_chart
from gate.report.markup import Markup, shorten, tag
from gate.report.quality import NO_ANSWERS
from gate.report.wording import count, interval, number, percent, points, points_interval

_DECISIONS = {
    "Approved": ("good", "✓", "Approved", "This model goes into service."),
    "Rejected": ("bad", "✗", "Rejected", "This model does not go into service."),
    "PendingManualApproval": ("open", "?", "Waiting for a person", "Approve or reject this model package by hand."),
}
_SENTENCE_LIMIT = 1_000
_MAX_REASONS = 50


def verdict_section(data: ReportData) -> Markup:
    """The decision with its reasons, in sentences; said in words and by a sign, not by colour alone."""
    verdict = data.verdict
    kind, sign, title, meaning = _DECISIONS.get(verdict.status, ("open", "?", shorten(verdict.status, 60), ""))
    gate = {
        True: "The gate's conditions hold.",
        False: "The gate's conditions do not hold.",
        None: "The gate could not tell whether its conditions hold.",
    }[verdict.passed]
    reasons = [tag("li", shorten(reason, _SENTENCE_LIMIT)) for reason in verdict.reasons[:_MAX_REASONS]]
    content = [
        paragraph(tag("strong", f"{meaning} {gate}".strip())),
        paragraph(shorten(verdict.summary, _SENTENCE_LIMIT)) if verdict.summary.strip() else None,
        tag("ul", *reasons) if reasons else None,
    ]
    heading = tag("h2", tag("span", sign, class_="sign", aria_hidden="true"), title, id="verdict-heading")
    return tag("section", heading, *content, id="verdict", class_=f"verdict {kind}", aria_labelledby="verdict-heading")


def figures_section(data: ReportData) -> Markup:
    """Accuracy, F1 and the difference to the champion, in sentences and as intervals."""
    heading = "Key figures"
    figures = data.figures
    if figures is None:
        return section("figures", heading, paragraph(NO_ANSWERS))
    charts = [
        measure_chart("accuracy-chart", "accuracy", figures.accuracy, figures.champion_accuracy, figures.min_accuracy),
        measure_chart("f1-chart", "F1", figures.f1, figures.champion_f1, figures.min_f1),
        difference_chart(figures),
    ]
    return section(
        "figures",
        heading,
        *[paragraph(sentences) for sentences in _sentences(data, figures)],
        tag("div", *[tag("figure", chart) for chart in charts if chart], class_="charts"),
    )


def _sentences(data: ReportData, figures: Figures) -> list[str]:
    """What was measured against the floors, then what against the champion."""
    level = number(figures.confidence * 100, 1).removesuffix(".0")
    measured = (
        f"On {count(len(data.rows), 'test sentence')} the challenger reaches an accuracy of "
        f"{interval(figures.accuracy)} and an F1 of {interval(figures.f1)}; in brackets the {level} % intervals."
    )
    floors = [
        f"{name} {percent(floor)}"
        for name, floor in (("accuracy", figures.min_accuracy), ("F1", figures.min_f1))
        if floor is not None
    ]
    if floors:
        measured += f" The intervals' lower ends must clear the floors: {', '.join(floors)}."
    if figures.difference is None:
        return [measured, "No champion was compared with."]
    compared = (
        f"The challenger's accuracy less the champion's on the same sentences is {points_interval(figures.difference)}."
    )
    if figures.margin is not None:
        compared += f" The interval's lower end must be above the margin, {points(-figures.margin)} points."
    return [measured, compared]
