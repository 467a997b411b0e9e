"""The report as one HTML file."""

from __future__ import annotations

from gate.report import overview, quality, tables
from gate.report.data import ReportData
from gate.report.markup import Markup, join, shorten, tag
from gate.report.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Should a text ever get past the escaping, the browser still runs and fetches nothing."""

_CONTENTS = (
    ("figures", "Key figures"),
    ("confusion", "Confusion matrix"),
    ("precision-recall", "Precision and recall"),
    ("reliability", "Reliability"),
    ("scores", "Scores"),
    ("loss", "Loss"),
    ("slices", "Slices"),
    ("mistakes", "Mistakes"),
    ("differences", "Differences"),
    ("provenance", "Provenance"),
)


def render_report(data: ReportData) -> str:
    """The whole page: one file without script, and without anything that would have to be fetched.

    The same data gives the same bytes. Every section is there whatever the data lacks; it then says what is missing.

    Args:
        data: what to show; texts may hold anything, they are escaped and shortened.

    Returns:
        An HTML document to be written as UTF-8.
    """
    job = shorten(data.facts.job_name, 100)
    title = f"Evaluation of {job}"
    group, created = shorten(data.facts.package_group, 100), shorten(data.facts.created, 40)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", STYLE),
    )
    links = [tag("li", tag("a", name, href=f"#{identifier}")) for identifier, name in _CONTENTS]
    body = tag(
        "body",
        tag("header", tag("h1", title), tag("p", f"Model package group {group}, judged {created}")),
        tag("main", *_sections(data, tag("nav", tag("ul", *links), aria_label="Contents"))),
    )
    return join(Markup("<!doctype html>\n"), tag("html", head, body, lang="en"), Markup("\n"))


def _sections(data: ReportData, contents: Markup) -> list[Markup]:
    return [
        overview.verdict_section(data),
        contents,
        overview.figures_section(data),
        quality.confusion_section(data),
        tag("div", quality.precision_recall_section(data), quality.reliability_section(data), class_="pair"),
        tag("div", quality.score_section(data), quality.loss_section(data), class_="pair"),
        tables.slices_section(data),
        tables.mistakes_section(data),
        tables.differences_section(data),
        tables.provenance_section(data),
    ]
