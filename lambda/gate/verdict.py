"""The rules: from figures and thresholds to passed, refused or undecided. No AWS, no files.

The reasons for the rules, and what they promise, are in ``docs/decisions/0005-gate.md``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gate.measure import Comparison, Measured
from gate.slices import LEVEL

Outcome = Literal["passed", "refused", "undecided"]

REFERENCE_ROWS = 1_000
"""The size of a test set for which floors and margin are meant; smaller ones get wider ones."""

MIN_ROWS = 100
"""Below this size the margin would be more than three times as wide and say little: a person decides."""

_Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True)
class Thresholds:
    """What a challenger has to reach, for a test set of ``REFERENCE_ROWS`` rows or more."""

    min_accuracy: float
    """Floor of the lower end of the accuracy's 95 % interval, 0 to 1."""

    min_f1: float
    """The same of F1."""

    margin: float
    """How much worse than the champion the lower end of the paired difference may be, 0 to 0.5."""


@dataclass(frozen=True)
class Check:
    """One rule applied: ``passed`` if ``value`` is above ``bound``. ``sentence`` says it with the numbers.

    The value of a slice is its corrected p-value.
    """

    name: str
    value: float
    bound: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What the statistics say.

    Attributes:
        outcome: passed, refused, or undecided where they can't say.
        reasons: sentences; of a refusal those of the failed checks.
        checks: all that was checked.
        floors: ``{"accuracy": …, "f1": …}`` for this size of the test set.
        margin: for this size of the test set.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    floors: dict[str, float]
    margin: float


def decide(measured: Measured, thresholds: Thresholds) -> Verdict:
    """Applies every rule."""
    rows = measured.rows
    floors = {
        "accuracy": floor_for(thresholds.min_accuracy, rows),
        "f1": floor_for(thresholds.min_f1, rows),
    }
    margin = margin_for(thresholds.margin, rows)
    checks = _floor_checks(measured, floors)
    if measured.comparison is not None:
        checks += _comparison_checks(measured.comparison, margin, widened=rows < REFERENCE_ROWS)
    failed = [check for check in checks if not check.passed]
    outcome: Outcome = "refused" if failed else "passed"
    if not failed and rows < MIN_ROWS:
        sentence = f"{rows} test rows are too few to decide by statistics; from {MIN_ROWS} on they do."
        return Verdict("undecided", (sentence,), tuple(checks), floors, margin)
    reasons = tuple(check.sentence for check in failed or checks)
    return Verdict(outcome, reasons, tuple(checks), floors, margin)


def floor_for(floor: float, rows: int) -> float:
    """The floor for a test set of ``rows`` rows.

    The lower end lies about 1.96 standard errors below the observed figure. With fewer rows it lies lower; the floor
    moves down by as much, so that the same observed figure passes at every size. Never below 0.
    """
    if rows >= REFERENCE_ROWS:
        return floor
    deviation = math.sqrt(floor * (1 - floor))
    return max(0.0, floor - _Z * deviation * (1 / math.sqrt(rows) - 1 / math.sqrt(REFERENCE_ROWS)))


def margin_for(margin: float, rows: int) -> float:
    """The margin for a test set of ``rows`` rows: it grows as the interval does where there are fewer."""
    return margin * math.sqrt(max(1.0, REFERENCE_ROWS / rows))


def _floor_checks(measured: Measured, floors: dict[str, float]) -> list[Check]:
    share = measured.commonest_share
    return [
        _above(
            "accuracy floor",
            measured.accuracy.low,
            floors["accuracy"],
            f"Accuracy {measured.accuracy.value:.3f}: the lower end of its 95 % interval, {measured.accuracy.low:.3f}",
            f"the floor of {floors['accuracy']:.3f} for {measured.rows} test rows",
        ),
        _above(
            "commonest label",
            measured.accuracy.low,
            share,
            f"The lower end of the accuracy, {measured.accuracy.low:.3f}",
            f"the share of the commonest label, {share:.3f}",
        ),
        _above(
            "F1 floor",
            measured.f1.low,
            floors["f1"],
            f"F1 {measured.f1.value:.3f}: the lower end of its 95 % interval, {measured.f1.low:.3f}",
            f"the floor of {floors['f1']:.3f} for {measured.rows} test rows",
        ),
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
