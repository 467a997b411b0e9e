"""The report as one HTML file: what was decided, the sections, and where the challenger comes from."""

from pathlib import Path

from gate.report.classes import classes_section
from gate.report.key_figures import key_figures_section
from gate.report.markup import NAME_LIMIT, Markup, join, section, table, tag
from gate.report.probabilities import confusion_section, precision_recall_section, reliability_section
from gate.report.report import Report
from gate.report.scores import loss_section, score_section
from gate.report.tables import differences_section, mistakes_section, slices_section, tuning_section
from shared.words import shorten

STYLE = Markup(Path(__file__).with_name("report.css").read_text(encoding="utf-8"))

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Should a text ever get past the escaping, the browser still runs and fetches nothing."""

_CONTENTS = {
    "figures": "Key figures",
    "classes": "Labels",
    "confusion": "Confusions",
    "precision-recall": "Precision and recall",
    "reliability": "Reliability",
    "scores": "Scores",
    "loss": "Loss",
    "slices": "Slices",
    "mistakes": "Mistakes",
    "differences": "Differences",
    "tuning": "Tuning",
    "provenance": "Provenance",
}
_STATUSES = {
    "Approved": ("good", "✓", "Approved", "This model goes into service."),
    "Rejected": ("bad", "✗", "Rejected", "This model does not go into service."),
    "PendingManualApproval": ("open", "?", "Waiting for a person", "Approve or reject this model package by hand."),
}
_OUTCOMES = {
    "passed": "The gate's conditions hold.",
    "refused": "The gate's conditions do not hold.",
    "undecided": "The gate could not decide whether its conditions hold.",
}
_SENTENCE_LIMIT = 1_000
_VALUE_LIMIT = 500
_MAX_REASONS = 50


def render_report(report: Report) -> str:
    """Return the report as one HTML document without scripts and without anything to be fetched.

    The same report gives the same bytes. Every section is there whatever is missing, and then says so.
    """
    provenance = report.provenance
    title = f"Evaluation of {shorten(provenance.job_name, 100)}"
    group, created = shorten(provenance.package_group, 100), shorten(provenance.created, 40)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", STYLE),
    )
    left_out = {"classes" if report.binary else "precision-recall"}  # two labels have a curve, others a table
    left_out |= set() if provenance.tuning else {"tuning"}
    links = [tag("li", tag("a", name, href=f"#{place}")) for place, name in _CONTENTS.items() if place not in left_out]
    main = tag(
        "main",
        _decision_section(report),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        key_figures_section(report),
        None if report.binary else classes_section(report),
        confusion_section(report),
        tag(
            "div",
            precision_recall_section(report) if report.binary else None,
            reliability_section(report),
            class_="pair",
        ),
        tag("div", score_section(report), loss_section(report), class_="pair"),
        slices_section(report),
        mistakes_section(report),
        differences_section(report),
        tuning_section(report),
        _provenance_section(report),
    )
    header = tag("header", tag("h1", title), tag("p", f"Model package group {group}, judged {created}"))
    return join(Markup("<!doctype html>\n"), tag("html", head, tag("body", header, main), lang="en"), Markup("\n"))


def _decision_section(report: Report) -> Markup:
    """Show the decision with its reasons, in words and by a sign as well as by colour."""
    decision, summary = report.decision, report.summary
    kind, sign, title, meaning = _STATUSES[decision.status]
    checks = decision.verdict.checks if decision.verdict else ()
    # A passed slice is a row of the table of slices.
    told = [check.sentence for check in checks if not (check.passed and check.name.startswith("slice "))]
    sentences = dict.fromkeys([*decision.reasons, *told])
    reasons = [tag("li", shorten(sentence, _SENTENCE_LIMIT)) for sentence in list(sentences)[:_MAX_REASONS]]
    content = [
        tag("p", tag("strong", f"{meaning} {_OUTCOMES[decision.outcome]}")),
        tag("p", shorten(summary, _SENTENCE_LIMIT)) if summary.strip() else None,
        tag("ul", *reasons) if reasons else None,
    ]
    heading = tag("h2", tag("span", sign, class_="sign", aria_hidden="true"), title, id="verdict-heading")
    return tag("section", heading, *content, id="verdict", class_=f"verdict {kind}", aria_labelledby="verdict-heading")


def _provenance_section(report: Report) -> Markup:
    provenance = report.provenance
    known = {
        "Training job": provenance.job_name,
        "Model package group": provenance.package_group,
        "Judged at": provenance.created,
        "Data source": provenance.data_source,
        "Training data SHA-256": provenance.data_sha256,
        "Test sentences": f"{len(report.rows):,}",
        "Test sentences SHA-256": provenance.test_sha256,
        "Code version": provenance.code_version,
        "Serving image": provenance.image,
        "Champion compared with": report.decision.champion_version or "none",
    }
    rows = [(name, _value(value)) for name, value in known.items()]
    rows += [
        (f"Hyperparameter {shorten(name, NAME_LIMIT)}", _value(str(value)))
        for name, value in sorted(provenance.hyperparameters.items())
    ]
    return section("provenance", "Provenance", table("Where this model comes from", ("what", "value"), rows, "facts"))


def _value(value: str | None) -> Markup:
    return Markup("unknown") if value is None else tag("bdi", shorten(value, _VALUE_LIMIT))
