"""The sections that list: slices, mistakes, differences to the champion, where the model comes from."""

from __future__ import annotations

from gate.report.blocks import NAME_LIMIT, paragraph, quoted, section, table
from gate.report.data import ReportData, Row
from gate.report.markup import Markup, join, shorten, tag
from gate.report.quality import NO_ANSWERS, labels
from gate.report.selection import confidence, disagreement, surest_mistakes
from gate.report.wording import UNKNOWN, count, number, percent, points

_VALUE_LIMIT = 500
_MAX_SLICES = 200


def slices_section(data: ReportData) -> Markup:
    """Accuracy by slice, and where the challenger is held to be worse than the champion."""
    if not data.slices:
        return section("slices", "Slices", paragraph("No slice of the test set was looked at."))
    rows = []
    for part in data.slices[:_MAX_SLICES]:
        gap = UNKNOWN if part.champion_accuracy is None else points(part.challenger_accuracy - part.champion_accuracy)
        chance = UNKNOWN if part.p_value is None else "< 0.001" if part.p_value < 0.001 else number(part.p_value, 3)
        held = tag("strong", "worse", class_="bad") if part.harmed else "no harm found"
        judged = UNKNOWN if part.champion_accuracy is None and not part.harmed else held
        accuracies = (percent(part.challenger_accuracy), percent(part.champion_accuracy))
        rows.append((shorten(part.name, NAME_LIMIT), f"{part.rows:,}", *accuracies, gap, chance, judged))
    head = ("slice", "sentences", "challenger", "champion", "difference", "p value", "judged")
    note = "The p value is corrected for the number of slices."
    harmed = sum(part.harmed for part in data.slices)
    if harmed:
        note = f"The challenger is worse in {count(harmed, 'slice')}. {note}"
    listed = table("Accuracy by slice of the test set", head, rows, "numbers cards")
    return section("slices", "Slices", listed, paragraph(note))


def mistakes_section(data: ReportData) -> Markup:
    """The wrong answers that the challenger is surest of, both ways."""
    heading = "The most confident mistakes"
    if not data.rows:
        return section("mistakes", heading, paragraph(NO_ANSWERS))
    names = labels(data)
    parts: list[str] = []
    for answer in (1, 0):
        wrong = surest_mistakes(data.rows, answer)
        said = f"Answered {names[answer]}, truly {names[1 - answer]}"
        if not wrong:
            parts.append(paragraph(f"{said}: no such mistake."))
            continue
        total = sum(row.predicted == answer != row.label for row in data.rows)
        shown = f"the {len(wrong)} surest of {total:,}" if total > len(wrong) else f"all {total:,}"
        rows = [
            (
                quoted(row.text, row.family),
                _with_score(names[row.label], row.true_score),
                _with_score(names[row.predicted], row.score),
                percent(confidence(row)),
            )
            for row in wrong
        ]
        parts.append(table(f"{said}: {shown}", ("sentence", "truth", "answer", "confidence"), rows, "sentences cards"))
    return section("mistakes", heading, *parts)


def differences_section(data: ReportData) -> Markup:
    """Where challenger and champion give different labels."""
    heading = "Where challenger and champion differ"
    parted = disagreement(data.rows)
    if parted is None:
        said = "No champion answered these sentences, so there is nothing to compare with."
        return section("differences", heading, paragraph(said))
    total = parted.challenger_right + parted.champion_right
    if not total:
        return section("differences", heading, paragraph("Both give the same label for every sentence."))
    said = (
        f"They differ on {count(total, 'sentence')}: the challenger is right on {parted.challenger_right:,}, "
        f"the champion on {parted.champion_right:,}."
    )
    extent = f"{len(parted.shown)} of {total:,}" if total > len(parted.shown) else f"All {total:,}"
    caption = f"{extent}, those that the champion has right first"
    names = labels(data)
    rows = [_differing(row, names) for row in parted.shown]
    listed = table(caption, ("sentence", "truth", "challenger", "champion", "right"), rows, "sentences cards")
    return section("differences", heading, paragraph(said), listed)


def provenance_section(data: ReportData) -> Markup:
    """Where the challenger comes from, name by name."""
    facts = data.facts
    known = [
        ("Training job", facts.job_name),
        ("Model package group", facts.package_group),
        ("Judged at", facts.created),
        ("Data source", facts.data_source),
        ("Training data SHA-256", facts.data_sha256),
        ("Test sentences", f"{len(data.rows):,}"),
        ("Test sentences SHA-256", facts.test_sha256),
        ("Code version", facts.code_version),
        ("Serving image", facts.image),
        ("Champion compared with", facts.champion or "none"),
    ]
    rows = [(name, _value(value)) for name, value in known]
    rows += [
        (f"Hyperparameter {shorten(name, NAME_LIMIT)}", _value(str(facts.hyperparameters[name])))
        for name in sorted(facts.hyperparameters)
    ]
    return section("provenance", "Provenance", table("Where this model comes from", ("what", "value"), rows, "facts"))


def _with_score(name: str, score: float | None) -> Markup:
    return join(name, None if score is None else tag("small", f"score {number(score, 2)}"))


def _differing(row: Row, names: tuple[str, str]) -> tuple[str, ...]:
    champion = UNKNOWN if row.champion_predicted is None else names[row.champion_predicted]
    answer = join(names[row.predicted], tag("small", percent(confidence(row))))
    right = "challenger" if row.predicted == row.label else "champion"
    return quoted(row.text, row.family), _with_score(names[row.label], row.true_score), answer, champion, right


def _value(value: str | None) -> Markup:
    return Markup("unknown") if value is None else tag("bdi", shorten(value, _VALUE_LIMIT))
