"""A decision as the model registry holds it: a summary, short metadata, and numbers."""

import re
from typing import Any

from classifier.evaluation.figures import Interval
from gate.decision.decision import Decision
from shared.storage import Recorded
from shared.words import shorten

MAX_SUMMARY = 1_000  # SageMaker allows 1,024 characters in an approval's description
MAX_METADATA = 256

_FOREIGN = re.compile(r"[^A-Za-z0-9 _.:/=+@-]")
_OUTCOMES = {"passed": "passed it", "refused": "refused it", "undecided": "could not decide"}


def summary(decision: Decision) -> str:
    """Return status, key figures and reasons in one line of at most `MAX_SUMMARY` characters."""
    parts = [f"{decision.status}: the gate {_OUTCOMES[decision.outcome]}.", decision.mode_reason or ""]
    if decision.outcome != "passed":
        parts += decision.reasons
    measured, verdict = decision.measured, decision.verdict
    if measured is not None and verdict is not None:
        f1 = f"{measured.f1_name} {_span(measured.figures.f1)}"
        parts.append(f"{measured.figures.rows} test rows: accuracy {_span(measured.figures.accuracy)}, {f1}.")
        if measured.comparison is not None:
            compared, slices = measured.comparison, measured.comparison.slices
            name, judged = ("Macro F1", compared.f1) if measured.multilabel else ("Accuracy", compared.accuracy)
            difference = _span(judged, sign="+")
            parts.append(
                f"{name} compared with version {decision.champion_version}: {difference}, allowed "
                f"{-verdict.margin:+.4f}; worse on {sum(test.worse for test in slices)} of {len(slices)} slices."
            )
        elif decision.champion_version is None:
            parts.append("No model serves yet, so there was nothing to compare with.")
    return shorten("".join(one if one.isprintable() else " " for one in " ".join(parts)), MAX_SUMMARY)


def metadata(decision: Decision, *, evidence: Recorded | None, **facts: str | None) -> dict[str, str]:
    """Return entries for the package's `CustomerMetadataProperties`, in the characters that the registry allows.

    `evidence` is what was recorded of the challenger's answers, left out where they were not measured. `facts` are more
    entries; None is left out.
    """
    measured, verdict = decision.measured, decision.verdict
    values: dict[str, str | float | int | None] = {
        "verdict": decision.outcome,
        "compared_with": decision.champion_version or "none",
        "test_rows": measured.figures.rows if measured else 0,
        "gate_reasons": _brief_reasons(decision),
        **facts,
    }
    if measured is not None and evidence is not None:
        values |= {"evidence": evidence["uri"], "evidence_sha256": evidence["sha256"]}
        values |= {"evidence_version": evidence["version"]} if evidence["version"] else {}
    if measured is not None:
        for name, interval in (("accuracy", measured.figures.accuracy), ("f1", measured.figures.f1)):
            values |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        if measured.comparison is not None:
            difference = measured.comparison.accuracy
            values |= {"difference": difference.value, "difference_low": difference.low}
    if verdict is not None:
        values["margin"] = verdict.margin
    return {name: clean(value) for name, value in values.items() if value is not None}


def numbers(decision: Decision) -> dict[str, Any]:
    """Return the figures for the execution's output; only `rows` where nothing could be measured."""
    measured, verdict = decision.measured, decision.verdict
    if measured is None or verdict is None:
        return {"rows": 0}
    found: dict[str, Any] = {
        "rows": measured.figures.rows,
        "accuracy": measured.figures.accuracy.as_dict(),
        "f1": measured.figures.f1.as_dict(),
        "commonest_label": measured.commonest_share,
        "floors": verdict.floors,
        "margin": verdict.margin,
        "champion": decision.champion_version,
    }
    if measured.comparison is not None:
        found["difference"] = measured.comparison.accuracy.as_dict()
        found["f1_difference"] = measured.comparison.f1.as_dict()
        found["slices"] = len(measured.comparison.slices)
        found["slices_worse"] = sum(test.worse for test in measured.comparison.slices)
    return found


def _span(interval: Interval, sign: str = "") -> str:
    low, high = f"{interval.low:{sign}.4f}", f"{interval.high:{sign}.4f}"
    return f"{interval.value:{sign}.4f} (95 % interval {low} to {high})"


def _brief_reasons(decision: Decision) -> str:
    """Return the checks that decided, as briefly as the registry needs it; the sentence where no check did."""
    if decision.verdict is None or decision.outcome == "undecided":
        return decision.reasons[0]
    return " - ".join(
        f"{check.name} {check.value:.4f} {'above' if check.passed else 'not above'} {check.bound:.4f}"
        for check in decision.verdict.checks
        if check.passed == (decision.outcome == "passed")
    )


def clean(value: str | float | int) -> str:
    """Return a value in the characters that the registry allows, as many as it takes."""
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return _FOREIGN.sub("_", text)[:MAX_METADATA] or "none"
