"""A ruling as the registry holds it: a summary, short metadata, and numbers."""

from __future__ import annotations

import re
from typing import Any

from classifier.evaluation.bootstrap import Interval
from gate.ruling import Ruling

MAX_SUMMARY = 1_000  # SageMaker allows 1,024 characters in an approval's description
MAX_METADATA = 256

_FOREIGN = re.compile(r"[^A-Za-z0-9 _.:/=+@-]")


def summary(ruling: Ruling, champion_version: str | None) -> str:
    """One line for the console: status, key figures, reasons; at most ``MAX_SUMMARY`` characters."""
    parts = [f"{ruling.status}: the gate {_SAID[ruling.outcome]}.", ruling.mode_reason or ""]
    if ruling.outcome != "passed":
        parts += ruling.reasons
    measured = ruling.measured
    if measured is not None:
        parts.append(f"{measured.rows} test rows: accuracy {_span(measured.accuracy)}, F1 {_span(measured.f1)}.")
        if measured.comparison is not None and ruling.verdict is not None:
            worse = sum(test.worse for test in measured.comparison.slices)
            parts.append(
                f"Accuracy compared with version {champion_version}: {_span(measured.comparison.accuracy, sign='+')}, "
                f"allowed {-ruling.verdict.margin:+.4f}; worse on {worse} of {len(measured.comparison.slices)} slices."
            )
        elif champion_version is None:
            parts.append("No model serves yet, so there was nothing to compare with.")
    text = "".join(one if one.isprintable() else " " for one in " ".join(parts))
    return _short(" ".join(text.split()), MAX_SUMMARY)


def metadata(
    ruling: Ruling,
    *,
    champion_version: str | None,
    test_sha256: str | None,
    rows_sha256: str | None,
    evidence_uri: str | None,
    report_uri: str,
) -> dict[str, str]:
    """Entries for the package's ``CustomerMetadataProperties``, in the characters that the registry allows."""
    measured = ruling.measured
    values: dict[str, str | float | int | None] = {
        "verdict": ruling.outcome,
        "compared_with": champion_version or "none",
        "test_rows": measured.rows if measured else 0,
        "test_sha256": test_sha256,
        "rows_sha256": rows_sha256,
        "evidence": evidence_uri if measured else None,
        "report": report_uri,
        "gate_reasons": _brief(ruling),
    }
    if measured is not None:
        for name, interval in (("accuracy", measured.accuracy), ("f1", measured.f1)):
            values |= {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
        if measured.comparison is not None:
            values["difference"] = measured.comparison.accuracy.value
            values["difference_low"] = measured.comparison.accuracy.low
    if ruling.verdict is not None:
        values["margin"] = ruling.verdict.margin
    return {name: _clean(value) for name, value in values.items() if value is not None}


def numbers(ruling: Ruling, champion_version: str | None) -> dict[str, Any]:
    """The figures for the execution's output; ``rows`` alone where nothing could be measured."""
    measured, verdict = ruling.measured, ruling.verdict
    if measured is None or verdict is None:
        return {"rows": 0}
    found: dict[str, Any] = {
        "rows": measured.rows,
        "accuracy": measured.accuracy.as_dict(),
        "f1": measured.f1.as_dict(),
        "commonest_label": measured.commonest_share,
        "floors": verdict.floors,
        "margin": verdict.margin,
        "champion": champion_version,
    }
    if measured.comparison is not None:
        found["difference"] = measured.comparison.accuracy.as_dict()
        found["f1_difference"] = measured.comparison.f1.as_dict()
        found["slices"] = len(measured.comparison.slices)
        found["slices_worse"] = sum(test.worse for test in measured.comparison.slices)
    return found


_SAID = {"passed": "passed it", "refused": "refused it", "undecided": "could not decide"}


def _span(interval: Interval, sign: str = "") -> str:
    low, high = f"{interval.low:{sign}.4f}", f"{interval.high:{sign}.4f}"
    return f"{interval.value:{sign}.4f} (95 % interval {low} to {high})"


def _brief(ruling: Ruling) -> str:
    """The checks that decided, as short as the registry's values are; the sentence where no check did."""
    if ruling.verdict is None or ruling.outcome == "undecided":
        return ruling.reasons[0]
    checks = [check for check in ruling.verdict.checks if check.passed == (ruling.outcome == "passed")]
    return " - ".join(
        f"{check.name} {check.value:.4f} {'above' if check.passed else 'not above'} {check.bound:.4f}"
        for check in checks
    )


def _clean(value: str | float | int) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return _FOREIGN.sub("_", text)[:MAX_METADATA] or "none"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
