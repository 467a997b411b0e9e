"""Accuracy, F1 and the figures of every label, each with a 95 % interval, and the difference of two classifiers.

This module uses the standard library only: the gate's Lambda ships it, so that a model card, a verdict and
`make evaluate` agree on what an interval is.

Every interval is a formula, so the same answers always give the same one:

- A share of rows has Wilson's interval, which says something about 80 right of 80 too.
- The F1 of one label follows from the share of rows on which both agree among those where truth or answer holds it.
- The mean of several labels' F1 and the difference of two classifiers are smooth functions of counts. Their variance
  is the sum of the rows' squared contributions to the linearised figure (the delta method).
"""

import functools
import itertools
import math
import operator
from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import asdict, dataclass

CONFIDENCE = 0.95

_Z = 1.959964
"""Half the width of a 95 % interval, in standard errors."""

Labels = Sequence[int] | Sequence[Collection[int]]
"""(rows,) label ids; for several labels a text the ids of each row."""


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the form of `evaluation.json`."""
        return asdict(self)


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one label; `rows` truly have it, and `right` of them were given it among `answered`."""

    rows: int
    answered: int
    right: int

    @property
    def precision(self) -> Interval:
        """Share of the rows that were given the label and truly have it."""
        return wilson(self.right, self.answered)

    @property
    def recall(self) -> Interval:
        """Share of the rows that truly have the label and were given it."""
        return wilson(self.right, self.rows)

    @property
    def f1(self) -> Interval:
        """Harmonic mean of precision and recall: 0 where neither truth nor answers hold the label."""
        # With the share s of agreeing rows, F1 is 2s / (1 + s), which grows with s.
        agreeing = wilson(self.right, self.rows + self.answered - self.right)
        return Interval(*(2 * share / (1 + share) for share in (agreeing.value, agreeing.low, agreeing.high)))


@dataclass(frozen=True)
class Figures:
    """The figures of a set of answers, at least one; `classes` are by label id.

    `accuracy` is the share of rows that are answered exactly right, for several labels a text with the whole set. `f1`
    is the task's own: that of label 1 for two classes, else `macro_f1`, the mean over the labels that occur in the
    truth. `micro_f1` is the F1 of all labels' counts together, the accuracy for one label a text. `confused` are wrong
    pairs (true id, answered id, rows), the most frequent first. For several labels a text, each missed label is paired
    with each label that was given in error.
    """

    rows: int
    accuracy: Interval
    f1: Interval
    macro_f1: Interval
    micro_f1: Interval
    classes: tuple[ClassFigures, ...]
    confused: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Differences:
    """One classifier's accuracy and task's F1 minus another's on the same rows, with paired intervals."""

    accuracy: Interval
    f1: Interval


def measure(truth: Labels, answers: Labels, *, labels: int, multilabel: bool = False) -> Figures:
    """Measure the `answers` to at least one row. Ids are below `labels`, their number; `multilabel`: several a text."""
    true, given = as_sets(truth), as_sets(answers)
    classes = _classes(true, given, labels)
    accuracy = wilson(sum(map(operator.eq, true, given)), len(true))
    macro = _weighted(_macro_f1(classes), _contributions(true, given, classes), even_rows(classes))
    confused: Counter[tuple[int, int]] = Counter()
    for wanted, got in zip(true, given, strict=True):
        confused.update(itertools.product(wanted - got, got - wanted))
    return Figures(
        rows=len(true),
        accuracy=accuracy,
        f1=classes[1].f1 if _is_binary(labels, multilabel) else macro,
        macro_f1=macro,
        micro_f1=_micro_f1(true, given, classes) if multilabel else accuracy,
        classes=classes,
        confused=tuple((*pair, rows) for pair, rows in sorted(confused.items(), key=lambda one: (-one[1], one[0]))),
    )


def compare(truth: Labels, before: Labels, after: Labels, *, labels: int, multilabel: bool = False) -> Differences:
    """Subtract the figures of the answers `before` from those of the answers `after`; arguments as for `measure`."""
    true, first, second = as_sets(truth), as_sets(before), as_sets(after)
    gains = [(got == wanted) - (had == wanted) for wanted, had, got in zip(true, first, second, strict=True)]
    mean = sum(gains) / len(gains)
    binary = _is_binary(labels, multilabel)
    f1s, parts = [], []
    for given in (first, second):
        classes = _classes(true, given, labels)
        f1s.append(classes[1].f1.value if binary else _macro_f1(classes))
        parts.append(_contributions(true, given, classes, only=1 if binary else None))
    return Differences(
        accuracy=_normal(mean, sum((gain - mean) ** 2 for gain in gains) / len(gains) ** 2),
        f1=_normal(f1s[1] - f1s[0], sum((two - one) ** 2 for one, two in zip(*parts, strict=True))),
    )


def even_rows(classes: Sequence[ClassFigures]) -> float:
    """Return how many rows of equally frequent labels say as much about the mean of the labels' figures."""
    present = [one.rows for one in classes if one.rows]
    return len(present) ** 2 / sum(1 / rows for rows in present) if present else 1.0


def wilson(part: float, whole: float) -> Interval:
    """Return the share of `part` in `whole` rows with Wilson's interval; 0, and anything possible, without rows."""
    return _wilson(part / whole, whole) if whole else Interval(0.0, 0.0, 1.0)


def as_sets(answers: Labels) -> list[Set[int]]:
    """Return the label ids of each row as a set, whatever the kind of the labels."""
    known: dict[int, frozenset[int]] = {}
    return [
        frozenset(one) if isinstance(one, (frozenset, Collection)) else known.setdefault(one, frozenset((int(one),)))
        for one in answers
    ]


def _is_binary(labels: int, multilabel: bool) -> bool:
    return labels == 2 and not multilabel


def _classes(true: Sequence[Set[int]], given: Sequence[Set[int]], labels: int) -> tuple[ClassFigures, ...]:
    rows, answered, right = [0] * labels, [0] * labels, [0] * labels
    for wanted, got in zip(true, given, strict=True):
        for label in wanted:
            rows[label] += 1
            right[label] += label in got
        for label in got:
            answered[label] += 1
    return tuple(map(ClassFigures, rows, answered, right))


def _f1(one: ClassFigures) -> float:
    either = one.rows + one.answered
    return 2 * one.right / either if either else 0.0


def _macro_f1(classes: Sequence[ClassFigures]) -> float:
    present = [_f1(one) for one in classes if one.rows]
    return sum(present) / len(present) if present else 0.0


def _contributions(
    true: Sequence[Set[int]], given: Sequence[Set[int]], classes: Sequence[ClassFigures], *, only: int | None = None
) -> list[float]:
    """Return what each row adds to the linearised macro F1, or to the F1 of one label; they add up to 0.

    F1 is 2·Σright / Σ(true + answered), so a row adds (2·right - F1·(true + answered)) / Σ(true + answered).
    """
    counted = [label for label, one in enumerate(classes) if (one.rows if only is None else label == only)]
    hit, lost = [0.0] * len(classes), [0.0] * len(classes)
    for label in counted:
        one, f1 = classes[label], _f1(classes[label])
        either = (one.rows + one.answered or 1) * len(counted)
        hit[label], lost[label] = (2 - 2 * f1) / either, -f1 / either

    @functools.cache
    def part(wanted: Set[int], got: Set[int]) -> float:
        return sum(hit[one] if one in got else lost[one] for one in wanted) + sum(lost[one] for one in got - wanted)

    return list(map(part, true, given))


def _micro_f1(true: Sequence[Set[int]], given: Sequence[Set[int]], classes: Sequence[ClassFigures]) -> Interval:
    either = sum(one.rows + one.answered for one in classes)
    f1 = 2 * sum(one.right for one in classes) / either if either else 0.0
    parts = (
        (2 * len(wanted & got) - f1 * (len(wanted) + len(got))) / (either or 1)
        for wanted, got in zip(true, given, strict=True)
    )
    return _weighted(f1, parts, len(true))


def _weighted(value: float, contributions: Iterable[float], rows: float) -> Interval:
    """Return Wilson's interval for the number of rows at which a share would vary as this figure does.

    That number is at most `rows`: without a single mistake, the figure would seem not to vary at all.
    """
    variance = math.fsum(part * part for part in contributions)
    spread = value * (1 - value)
    return _wilson(value, min(rows, spread / variance) if variance and spread > 0 else rows)


def _wilson(share: float, rows: float) -> Interval:
    square = _Z * _Z / rows
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(max(0.0, share * (1 - share)) * square + square * square / 4) / (1 + square)
    # Rounding must not push an end past the figure itself.
    return Interval(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def _normal(value: float, variance: float) -> Interval:
    half = _Z * math.sqrt(variance)
    return Interval(value, value - half, value + half)
