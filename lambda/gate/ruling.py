"""From evidence to the status of the model package. No AWS: answers and reasons in, a ruling out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gate.evidence import Answer, Row
from gate.measure import Measured, measure
from gate.payloads import Approval
from gate.verdict import Outcome, Thresholds, Verdict, decide

Status = Literal["Approved", "PendingManualApproval", "Rejected"]


@dataclass(frozen=True)
class Evidence:
    """All that is known when judging.

    Attributes:
        rows: the test set; may be empty.
        no_rows: why it is empty.
        challenger: its answers; None where there are none.
        challenger_problem: why it did not answer.
        champion: its answers; None without a champion or where it did not answer.
        champion_version: version of the model that serves, or None.
        champion_problem: why it did not answer.
    """

    rows: Sequence[Row]
    no_rows: str | None = None
    challenger: Sequence[Answer] | None = None
    challenger_problem: str | None = None
    champion: Sequence[Answer] | None = None
    champion_version: str | None = None
    champion_problem: str | None = None


@dataclass(frozen=True)
class Ruling:
    """What becomes of the package.

    Attributes:
        status: the registry's approval status.
        outcome: what the evidence says, whatever the mode of approval.
        reasons: sentences, at least one.
        measured: the figures; None if the challenger could not be measured.
        verdict: the rules applied to them.
        mode_reason: why the status is another than the evidence would give, or None.
    """

    status: Status
    outcome: Outcome
    reasons: tuple[str, ...]
    measured: Measured | None
    verdict: Verdict | None
    mode_reason: str | None


def rule(evidence: Evidence, thresholds: Thresholds, approval: Approval) -> Ruling:
    """Judges, and turns the outcome into a status as the mode of approval says."""
    if evidence.challenger_problem is not None:
        reason = f"The model could not answer the test sentences: {_sentence(evidence.challenger_problem)}"
        return Ruling("Rejected", "refused", (reason,), None, None, None)
    if not evidence.rows or evidence.challenger is None:
        reason = f"There is no evidence: {_sentence(evidence.no_rows or 'no test sentences')}"
        return _ruled("undecided", (reason,), None, None, approval)
    champion = None if evidence.champion is None else [answer.label for answer in evidence.champion]
    measured = measure(evidence.rows, [answer.label for answer in evidence.challenger], champion)
    verdict = decide(measured, thresholds)
    outcome, reasons = verdict.outcome, verdict.reasons
    if evidence.champion_problem is not None and outcome != "refused":
        outcome = "undecided"
        reasons = (
            f"The champion, version {evidence.champion_version}, could not be compared: "
            f"{_sentence(evidence.champion_problem)}",
            *reasons,
        )
    return _ruled(outcome, reasons, measured, verdict, approval)


def _ruled(
    outcome: Outcome, reasons: tuple[str, ...], measured: Measured | None, verdict: Verdict | None, approval: Approval
) -> Ruling:
    by_evidence: dict[Outcome, Status] = {
        "passed": "Approved",
        "refused": "Rejected",
        "undecided": "PendingManualApproval",
    }
    status, mode_reason = by_evidence[outcome], None
    if approval == "manual":
        status, mode_reason = "PendingManualApproval", "Approval mode manual: a person decides."
    elif approval == "never":
        status, mode_reason = "Rejected", "Approval mode never."
    return Ruling(status, outcome, reasons, measured, verdict, mode_reason)


def _sentence(text: str) -> str:
    """The text on one line, with a full stop."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
