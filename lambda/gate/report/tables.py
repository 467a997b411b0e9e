"""The sections that list: slices, the most confident mistakes, differences to the champion."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gate.evidence.evidence import AnsweredRow
from gate.report.markup import NAME_LIMIT, Markup, join, quoted, section, table, tag
from gate.report.numbers import UNKNOWN, count, number, percent, points
from gate.report.probabilities import NO_ANSWERS
from gate.report.report import Report
from gate.statistics.slices import SliceTest, least_loss
from shared.words import shorten

SHOWN = 20
"""Rows in a table of sentences, at most."""

_MAX_SLICES = 200


class Disagreement(NamedTuple):
    """Where challenger and champion give different labels; with two classes one of the two is right.

    `total` counts all these rows; `shown` holds at most `SHOWN` of them: those that only the champion has right first,
    and within them the challenger's most confident answers first.
    """

    challenger_right: int
    champion_right: int
    total: int
    shown: list[AnsweredRow]


def slices_section(report: Report) -> Markup:
    """Show the accuracy by slice, and where the challenger is held to be worse than the champion."""
    measured = report.decision.measured
    slices = measured.comparison.slices if measured and measured.comparison else ()
    if not slices:
        return section("slices", "Slices", tag("p", "No slice of the test set was compared."))
    head = ("slice", "sentences", "challenger", "champion", "difference", "can show", "p value", "judged")
    least = least_loss(len(slices))
    note = (
        "The p value is corrected for the slices on which the two differ often enough to show anything, at most "
        f"{len(slices)}. A slice shows a loss of {count(least, 'sentence')}, where the challenger wins none: "
        f"{_points_of(least, 20)} of 20 sentences, {_points_of(least, 100)} of 100."
    )
    worse = sum(test.worse for test in slices)
    if worse:
        note = f"The challenger is worse in {count(worse, 'slice')}. {note}"
    ordered = sorted(slices, key=lambda test: test.p_value)
    rows = [_slice_cells(test, least) for test in ordered[:_MAX_SLICES]]
    listed = table("Accuracy by slice of the test set", head, rows, "numbers cards")
    return section("slices", "Slices", listed, tag("p", note))


def tuning_section(report: Report) -> Markup | None:
    """Show the trials of the tuning job that the challenger comes from, best first; nothing without one."""
    tuning = report.provenance.tuning
    if tuning is None:
        return None
    trials = sorted(tuning["trials"], key=lambda trial: trial.get("objective", -1.0), reverse=True)
    ended = ", ".join(f"{many} {status.lower()}" for status, many in Counter(one["status"] for one in trials).items())
    note = (
        f"{count(len(trials), 'trial')} of {tuning['job']}: {ended}. Of those that completed, the best on the "
        "validation split was judged."
    )
    rows = [
        (
            f"{trial['job']}{' (judged)' if trial['job'] == report.provenance.job_name else ''}",
            ", ".join(f"{name} {value}" for name, value in sorted(trial["values"].items())),
            number(trial["objective"], 4) if "objective" in trial else UNKNOWN,
            shorten(": ".join(filter(None, (trial["status"], trial.get("reason")))), NAME_LIMIT),
            number(trial["seconds"], 0) if "seconds" in trial else UNKNOWN,
        )
        for trial in trials
    ]
    head = ("training job", "values", "validation", "status", "seconds")
    return section("tuning", "Tuning", tag("p", note), table("Trials, best first", head, rows, "sentences cards"))


def mistakes_section(report: Report) -> Markup:
    """Show the wrong answers that the challenger is most confident of, both ways."""
    heading = "The most confident mistakes"
    if not report.rows:
        return section("mistakes", heading, tag("p", NO_ANSWERS))
    names = report.labels
    kinds = [("Wrong answers", [one for one in report.rows if not one.right])]
    if report.binary:
        kinds = [
            (
                f"Answered {names[label]}, truly {names[1 - label]}",
                [one for one in report.rows if one.answer.label == label != one.row.label],
            )
            for label in (1, 0)
        ]
    parts: list[str] = []
    for said, wrong in kinds:
        if not wrong:
            parts.append(tag("p", f"{said}: no mistakes of this kind."))
            continue
        surest = by_confidence(wrong)[:SHOWN]
        extent = (
            f"the {len(surest)} most confident of {len(wrong):,}" if len(wrong) > len(surest) else f"all {len(wrong):,}"
        )
        rows = [
            (
                quoted(one.row.text, one.row.family),
                _with_score(report.named(one.row.labels), one.row.score),
                _with_score(report.named(one.answer.labels), one.answer.score),
                percent(one.answer.confidence),
            )
            for one in surest
        ]
        parts.append(table(f"{said}: {extent}", ("sentence", "truth", "answer", "confidence"), rows, "sentences cards"))
    return section("mistakes", heading, *parts)


def differences_section(report: Report) -> Markup:
    """Show where challenger and champion give different labels."""
    heading = "Where challenger and champion differ"
    found = disagreement(report.rows)
    if found is None:
        said = "No champion answered these sentences, so there is nothing to compare with."
        return section("differences", heading, tag("p", said))
    total = found.total
    if not total:
        return section("differences", heading, tag("p", "Both give the same label for every sentence."))
    said = (
        f"They differ on {count(total, 'sentence')}: the challenger is right on {found.challenger_right:,}, "
        f"the champion on {found.champion_right:,}"
        f"{'' if (both := total - found.challenger_right - found.champion_right) == 0 else f', neither on {both:,}'}."
    )
    extent = f"{len(found.shown)} of {total:,}" if total > len(found.shown) else f"All {total:,}"
    caption = f"{extent}, starting with those that only the champion has right"
    rows = [
        (
            quoted(one.row.text, one.row.family),
            _with_score(report.named(one.row.labels), one.row.score),
            join(report.named(one.answer.labels), tag("small", percent(one.answer.confidence))),
            report.named(one.champion.labels) if one.champion else UNKNOWN,
            "challenger" if one.right else "champion" if _champion_right(one) else "neither",
        )
        for one in found.shown
    ]
    listed = table(caption, ("sentence", "truth", "challenger", "champion", "right"), rows, "sentences cards")
    return section("differences", heading, tag("p", said), listed)


def by_confidence(rows: Iterable[AnsweredRow]) -> list[AnsweredRow]:
    """Sort the rows by the challenger's confidence, highest first; equal ones stay in file order."""
    return sorted(rows, key=lambda one: one.answer.confidence, reverse=True)


def disagreement(rows: Sequence[AnsweredRow]) -> Disagreement | None:
    """Find what the two models answer differently; None if no champion answered."""
    if not any(one.champion for one in rows):
        return None
    differing = [one for one in rows if one.champion and one.champion.labels != one.answer.labels]
    gains = by_confidence(one for one in differing if one.right)
    losses = by_confidence(one for one in differing if _champion_right(one))
    # Half of the places for each; the other side takes those that one leaves free.
    shown = losses[: max(SHOWN // 2, SHOWN - len(gains))]
    return Disagreement(len(gains), len(losses), len(differing), [*shown, *gains[: SHOWN - len(shown)]])


def _champion_right(one: AnsweredRow) -> bool:
    return one.champion is not None and one.champion.labels == one.row.labels


def _slice_cells(test: SliceTest, least: int) -> tuple[str, ...]:
    counts = test.counts
    return (
        shorten(counts.name, NAME_LIMIT),
        f"{counts.rows:,}",
        percent(counts.challenger_accuracy),
        percent(counts.champion_accuracy),
        points(counts.challenger_accuracy - counts.champion_accuracy),
        points(-least / counts.rows) if least <= counts.rows else UNKNOWN,
        "< 0.001" if test.p_value < 0.001 else number(test.p_value, 3),
        tag("strong", "worse", class_="bad") if test.worse else "no harm found",
    )


def _points_of(rows: int, size: int) -> str:
    return f"{100 * rows / size:.0f} points"


def _with_score(name: str, score: float | None) -> Markup:
    return join(name, None if score is None else tag("small", f"score {number(score, 2)}"))
