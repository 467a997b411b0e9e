"""The rules that turn figures and thresholds into a verdict. `docs/decisions/0005-gate.md` gives the reasons."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from classifier.evaluation.figures import Interval, wilson
from gate.evidence.job_output import Baseline
from gate.statistics.measure import Comparison, Measured
from gate.statistics.slices import LEVEL, least_loss

AUTO = "auto"
"""Value of a threshold in a request that leaves it to the gate."""

Outcome = Literal["passed", "refused", "undecided"]

REFERENCE_ROWS = 1_000
"""Size of a test set from which on floors and margin hold as configured; smaller sets get wider ones."""

MIN_ROWS = 30
"""Below this size a person decides: the intervals say little."""

MIN_COMPARED_ROWS = 100
"""Below this size a person decides between two models: the margin would be more than three times as wide."""

DEFAULT_MARGIN = 0.0275

_Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True)
class Thresholds:
    """What a challenger has to reach on a test set of `REFERENCE_ROWS` rows or more."""

    min_accuracy: float | None = None
    """Floor of the lower end of the accuracy's 95 % interval, 0 to 1. None: see `reach_verdict`."""
    min_f1: float | None = None
    """Floor of the lower end of the 95 % interval of the task's F1, 0 to 1; None as above."""
    margin: float = DEFAULT_MARGIN
    """Largest distance of the paired difference's lower end below the champion, 0 to 0.5."""

    @classmethod
    def from_request(cls, gate: Mapping[str, float | str]) -> Self:
        """Read the request's `gate`, in which each value may be a number or `auto`."""
        return cls(**{name: float(value) for name, value in gate.items() if value != AUTO})


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

    It is undecided where the test set is too small. The `reasons` of a refusal are the sentences of the failed checks.
    `floors` (of the lower ends of `accuracy` and `f1`, where they have one) and `margin` (of the accuracy, or of the F1
    for several labels a text) are for this size of the test set. `least_loss` is how many rows only the champion must
    have right for any slice to show a loss; None without slices.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    floors: dict[str, float]
    margin: float
    least_loss: int | None = None


def reach_verdict(measured: Measured, thresholds: Thresholds) -> Verdict:
    """Apply every rule.

    A challenger must always be better than giving the commonest label (with several labels a text: every label) to
    every text. Where a threshold leaves its floor open, it also must not be shown to be worse than the baseline.
    """
    rows, comparison = measured.figures.rows, measured.comparison
    sizes = {"accuracy": rows, "f1": measured.f1_rows}
    margins = {name: margin_for(thresholds.margin, size) for name, size in sizes.items()}
    judged = "f1" if measured.multilabel else "accuracy"
    floors = {judged: measured.commonest_share}
    for name, given in (("accuracy", thresholds.min_accuracy), ("f1", thresholds.min_f1)):
        if given is not None:
            floors[name] = floor_for(given, sizes[name])
    checks = _floor_checks(measured, thresholds, floors)
    if comparison is not None:
        checks += _comparison_checks(measured, comparison, margins)
    failed = [check for check in checks if not check.passed]
    outcome: Outcome = "refused" if failed else "passed"
    slices = len(comparison.slices) if comparison is not None else 0
    reasons = tuple(check.sentence for check in failed or checks[: len(checks) - slices])
    if not failed and slices:
        reasons += (f"The challenger is not shown to be worse on any of {slices} slices of the test set.",)
    least_rows = MIN_ROWS if comparison is None else MIN_COMPARED_ROWS
    if not failed and rows < least_rows:
        outcome = "undecided"
        what = "decide" if comparison is None else "compare two models"
        reasons = (f"{rows} test rows are too few to {what} by statistics; from {least_rows} on they do.",)
    return Verdict(outcome, reasons, tuple(checks), floors, margins[judged], least_loss(slices) if slices else None)


def floor_for(floor: float, rows: float) -> float:
    """Return the floor for a test set of `rows` rows, at least 0.

    The lower end lies about 1.96 standard errors below the observed figure, so lower with fewer rows. The floor
    moves down by as much, so that the same observed figure passes at every size.
    """
    if rows >= REFERENCE_ROWS:
        return floor
    deviation = math.sqrt(floor * (1 - floor))
    return max(0.0, floor - _Z * deviation * (1 / math.sqrt(rows) - 1 / math.sqrt(REFERENCE_ROWS)))


def margin_for(margin: float, rows: float) -> float:
    """Return the margin for a test set of `rows` rows, which grows as the interval does where there are fewer."""
    return margin * math.sqrt(max(1.0, REFERENCE_ROWS / rows))


def _floor_checks(measured: Measured, thresholds: Thresholds, floors: dict[str, float]) -> list[Check]:
    known, multilabel = measured.baseline, measured.multilabel
    checks = []
    for rule, name, interval, given, reached in (
        ("accuracy", "Accuracy", measured.figures.accuracy, thresholds.min_accuracy, known.accuracy if known else None),
        ("f1", measured.f1_name, measured.figures.f1, thresholds.min_f1, known.f1 if known else None),
    ):
        written = "F1" if rule == "f1" else rule
        if given is not None:
            left = f"{name} {interval.value:.3f}: the lower end of its 95 % interval, {interval.low:.3f}"
            right = f"the floor of {floors[rule]:.3f} for {measured.figures.rows} test rows"
            checks.append(_above(f"{written} floor", interval.low, floors[rule], left, right))
        elif known is not None and reached is not None and not (multilabel and rule == "accuracy"):
            rows = measured.f1_rows if rule == "f1" else measured.figures.rows
            checks.append(_baseline_check(written, name, interval, rows, known, reached))
        if multilabel == (rule == "f1"):
            checks.append(_trivial_check(measured))
    return checks


def _trivial_check(measured: Measured) -> Check:
    share, multilabel = measured.commonest_share, measured.multilabel
    low = (measured.figures.f1 if multilabel else measured.figures.accuracy).low
    rule = "every label" if multilabel else "commonest label"
    left = f"The lower end of the {'macro F1' if multilabel else 'accuracy'}, {low:.3f}"
    right = "the macro F1 of giving every label" if multilabel else "the share of the commonest label"
    return _above(rule, low, share, left, f"{right}, {share:.3f}")


def _baseline_check(rule: str, name: str, interval: Interval, rows: float, known: Baseline, reached: float) -> Check:
    """Compare with the baseline's figure, which is an estimate from as many rows: a row may be chance.

    The interval of the difference is Newcombe's (1998, method 10). That the rows are the same ones makes it wider than
    need be, in favour of the challenger.
    """
    both = math.hypot(interval.high - interval.value, reached - wilson(reached * rows, rows).low)
    high = interval.value - reached + both
    passed = high >= 0
    sentence = (
        f"{name} {interval.value:.3f} is {'not ' if passed else ''}shown to be worse than the {reached:.3f} that the "
        f"baseline ({known.name}) reaches: the upper end of the difference's 95 % interval is {high:+.3f}."
    )
    return Check(f"{rule} baseline", high, 0.0, passed, sentence)


def _comparison_checks(measured: Measured, comparison: Comparison, margins: Mapping[str, float]) -> list[Check]:
    def widened(rows: float) -> str:
        return " (widened for the size of the test set)" if rows < REFERENCE_ROWS else ""

    differences = [
        ("Accuracy", "Accuracy", comparison.accuracy, margins["accuracy"], widened(measured.figures.rows)),
        ("F1", measured.f1_name, comparison.f1, margins["f1"], widened(measured.f1_rows)),
    ]
    checks = [
        _above(
            f"{rule} difference",
            interval.low,
            -margin,
            f"{name} differs from the champion's by {interval.value:+.4f}: the lower end of the paired 95 % interval, "
            f"{interval.low:+.4f}",
            f"the allowed {-margin:+.4f}{size}",
        )
        # How many of several labels are exactly right is shown, and not judged.
        for rule, name, interval, margin, size in differences[measured.multilabel :]
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
