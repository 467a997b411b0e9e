"""The approval status of the model package that follows from the evidence, and its reasons."""

from dataclasses import dataclass, replace
from typing import Literal

from gate.evidence.evidence import Evidence
from gate.statistics.measure import Measured, measure_answers
from gate.statistics.verdict import Outcome, Thresholds, Verdict, reach_verdict
from shared.words import shorten

Approval = Literal["auto", "manual", "never"]
"""Mode of approval: whether the evidence decides, a person does, or no package is approved."""

Status = Literal["Approved", "PendingManualApproval", "Rejected"]

_STATUSES: dict[Outcome, Status] = {
    "passed": "Approved",
    "refused": "Rejected",
    "undecided": "PendingManualApproval",
}
_MAX_PROBLEM = 600
_QUOTAS = (
    "This says nothing about it. Next: see the quotas for transform instances in Service Quotas (Amazon SageMaker) or "
    "configure another evidence_instance_type, then judge the job again by its name."
)
_OWN_ROWS = "The job brought test sentences of its own; a person decides."


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of the package: its status in the registry, and what the evidence says, with at least one reason.

    `mode_reason` says why the mode of approval overrides the evidence. `measured` and `verdict` are None if the
    challenger could not be measured.
    """

    status: Status
    outcome: Outcome
    reasons: tuple[str, ...]
    mode_reason: str | None = None
    measured: Measured | None = None
    verdict: Verdict | None = None
    champion_version: str | None = None


def decide(evidence: Evidence, thresholds: Thresholds, approval: Approval) -> Decision:
    """Judge the challenger, and turn the outcome into a status as the mode of approval says."""
    decision = replace(_decide(evidence, thresholds), champion_version=evidence.champion_version)
    unable = evidence.challenger.problem is not None and evidence.challenger.asked
    if unable or approval == "auto":  # an artifact that cannot answer is rejected in every mode
        return decision
    if approval == "never":
        return replace(decision, status="Rejected", mode_reason="Approval mode never.")
    reason = "Approval mode manual: a person decides."
    return replace(decision, status="PendingManualApproval", mode_reason=reason)


def _decide(evidence: Evidence, thresholds: Thresholds) -> Decision:
    """Decide by the evidence alone."""
    challenger, champion = evidence.challenger, evidence.champion
    if challenger.problem is not None:
        problem = _sentence(challenger.problem)
        if not challenger.asked:
            return _decision("undecided", (f"The model could not be asked: {problem}", _QUOTAS))
        return _decision("refused", (f"The model could not answer the test sentences: {problem}",))
    if challenger.given is None:
        problem = _sentence(evidence.output.problem or "no test sentences")
        return _decision("undecided", (f"There is no evidence: {problem}",))
    output = evidence.output
    measured = measure_answers(
        output.rows,
        challenger.labels,
        None if champion.given is None else champion.labels,
        labels=output.labels,
        multilabel=output.multilabel,
        baseline=output.baseline,
    )
    verdict = reach_verdict(measured, thresholds)
    outcome, reasons = verdict.outcome, verdict.reasons
    if champion.problem is not None and outcome != "refused":
        compared = f"The champion, version {evidence.champion_version}, could not be compared: "
        outcome, reasons = "undecided", (f"{compared}{_sentence(champion.problem)}", *reasons)
    if evidence.own_rows and outcome == "passed":
        outcome, reasons = "undecided", (_OWN_ROWS, *reasons)
    return replace(_decision(outcome, reasons), measured=measured, verdict=verdict)


def _decision(outcome: Outcome, reasons: tuple[str, ...]) -> Decision:
    return Decision(status=_STATUSES[outcome], outcome=outcome, reasons=reasons)


def _sentence(text: str) -> str:
    """Return the text on one line, not too long, with a full stop."""
    text = shorten(text, _MAX_PROBLEM)
    return text if text.endswith((".", "!", "?")) else f"{text}."
