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


_MAX_PROBLEM = 600
_QUOTAS = (
    "This says nothing about it. Next: see the quotas for transform instances in Service Quotas (Amazon SageMaker) or "
    "configure another evidence_instance_type, then judge the job again by its name."
)
_OWN_ROWS = "The job brought test sentences of its own; a person decides."


@dataclass(frozen=True)
class Evidence:
    """All that is known when judging.

    Attributes:
        rows: the test set; may be empty.
        no_rows: why it is empty.
        challenger: its answers; None where there are none.
        challenger_problem: why it did not answer.
        challenger_unasked: it was never asked, through no fault of its own.
        champion: its answers; None without a champion or where it did not answer.
        champion_version: version of the model that serves, or None.
        champion_problem: why it did not answer.
        own_rows: the job brought test rows, or labels, that the champion was not judged on.
    """

    rows: Sequence[Row]
    no_rows: str | None = None
    challenger: Sequence[Answer] | None = None
    challenger_problem: str | None = None
    champion: Sequence[Answer] | None = None
    champion_version: str | None = None
    champion_problem: str | None = None
    challenger_unasked: bool = False
    own_rows: bool = False


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
    reasons: tuple[str, ...]
    if evidence.challenger_problem is not None and evidence.challenger_unasked:
        reasons = (f"The model could not be asked: {_sentence(evidence.challenger_problem)}", _QUOTAS)
        return _ruled("undecided", reasons, None, None, approval)
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
    if evidence.own_rows and outcome == "passed":
        outcome, reasons = "undecided", (_OWN_ROWS, *reasons)
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
    """The text on one line, not too long, with a full stop."""
    text = " ".join(text.split())
    text = text if len(text) <= _MAX_PROBLEM else f"{text[: _MAX_PROBLEM - 1]}…"
    return text if text.endswith((".", "!", "?")) else f"{text}."
