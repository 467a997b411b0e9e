"""The rules that turn figures and thresholds into a verdict. `docs/decisions/0005-gate.md` gives the reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from classifier.evaluation.bootstrap import Interval
from gate.statistics.measure import Comparison, Measured
from gate.statistics.slices import LEVEL

Outcome = Literal["passed", "refused", "undecided"]

REFERENCE_ROWS = 1_000
"""Size of a test set from which on floors and margin hold as configured; smaller sets get wider ones."""

MIN_ROWS = 100
"""Below this size a person decides: the margin would be more than three times as wide and say little."""

_Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True)
class Thresholds:
    """What a challenger has to reach on a test set of `REFERENCE_ROWS` rows or more."""

    min_accuracy: float
    """Floor of the lower end of the accuracy's 95 % interval, 0 to 1."""

    min_f1: float
    """Floor of the lower end of F1's 95 % interval, 0 to 1."""

    margin: float
    """Largest distance of the paired difference's lower end below the champion, 0 to 0.5."""


@dataclass(frozen=True)
class Check:
    """One rule applied: it holds if `value` is above `bound`; a slice's value is its corrected p-value."""

    name: str
    value: float
    bound: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What the statistics say. The field names are those of `verdict.json`.

    Attributes:
        outcome: undecided where the test set is too small.
        reasons: sentences; of a refusal those of the failed checks.
        checks: every rule that was applied.
        floors: `accuracy` and `f1`, for this size of the test set.
        margin: for this size of the test set.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    floors: dict[str, float]
    margin: float


def reach_verdict(measured: Measured, thresholds: Thresholds) -> Verdict:
    """Apply every rule."""
    rows = measured.rows
    floors = {"accuracy": floor_for(thresholds.min_accuracy, rows), "f1": floor_for(thresholds.min_f1, rows)}
    margin = margin_for(thresholds.margin, rows)
    checks = _floor_checks(measured, floors)
    if measured.comparison is not None:
        checks += _comparison_checks(measured.comparison, margin, widened=rows < REFERENCE_ROWS)
    failed = [check for check in checks if not check.passed]
    outcome: Outcome = "refused" if failed else "passed"
    reasons = tuple(check.sentence for check in failed or checks)
    if not failed and rows < MIN_ROWS:
        outcome = "undecided"
        reasons = (f"{rows} test rows are too few to decide by statistics; from {MIN_ROWS} on they do.",)
    return Verdict(outcome, reasons, tuple(checks), floors, margin)


def floor_for(floor: float, rows: int) -> float:
    """Return the floor for a test set of `rows` rows, at least 0.

    The lower end lies about 1.96 standard errors below the observed figure, so lower with fewer rows. The floor
    moves down by as much, so that the same observed figure passes at every size.
    """
    if rows >= REFERENCE_ROWS:
        return floor
    deviation = math.sqrt(floor * (1 - floor))
    return max(0.0, floor - _Z * deviation * (1 / math.sqrt(rows) - 1 / math.sqrt(REFERENCE_ROWS)))


def margin_for(margin: float, rows: int) -> float:
    """Return the margin for a test set of `rows` rows, which grows as the interval does where there are fewer."""
    return margin * math.sqrt(max(1.0, REFERENCE_ROWS / rows))


def _floor_checks(measured: Measured, floors: dict[str, float]) -> list[Check]:
    def floor_check(rule: str, name: str, interval: Interval, floor: float) -> Check:
        left = f"{name} {interval.value:.3f}: the lower end of its 95 % interval, {interval.low:.3f}"
        return _above(rule, interval.low, floor, left, f"the floor of {floor:.3f} for {measured.rows} test rows")

    share, low = measured.commonest_share, measured.accuracy.low
    left, right = f"The lower end of the accuracy, {low:.3f}", f"the share of the commonest label, {share:.3f}"
    return [
        floor_check("accuracy floor", "Accuracy", measured.accuracy, floors["accuracy"]),
        _above("commonest label", low, share, left, right),
        floor_check("F1 floor", "F1", measured.f1, floors["f1"]),
    ]


def _comparison_checks(comparison: Comparison, margin: float, *, widened: bool) -> list[Check]:
    size = " (widened for the size of the test set)" if widened else ""
    checks = [
        _above(
            f"{name} difference",
            interval.low,
            -margin,
            f"{name} differs from the champion's by {interval.value:+.4f}: the lower end of the paired 95 % interval, "
            f"{interval.low:+.4f}",
            f"the allowed {-margin:+.4f}{size}",
        )
        for name, interval in (("Accuracy", comparison.accuracy), ("F1", comparison.f1))
    ]
    for test in comparison.slices:
        counts = test.counts
        found = "worse" if test.worse else "not shown to be worse"
        sentence = (
            f"On {counts.name} ({counts.rows} rows) only the champion is right {counts.only_champion_right} times, "
            f"only the challenger {counts.only_challenger_right} times (p = {test.p_value:.3f} "
            f"after correction for {len(comparison.slices)} slices): {found}."
        )
        checks.append(Check(f"slice {counts.name}", test.p_value, LEVEL, not test.worse, sentence))
    return checks


def _above(name: str, value: float, bound: float, left: str, right: str) -> Check:
    passed = value > bound
    return Check(name, value, bound, passed, f"{left}, is {'above' if passed else 'not above'} {right}.")
