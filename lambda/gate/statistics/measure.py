"""The figures that a verdict needs, from answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from classifier.evaluation.figures import Figures, Interval, Labels, compare, even_rows, measure
from gate.evidence.job_output import Baseline, Row
from gate.statistics.slices import SliceTest, compare_slices, count_slices


@dataclass(frozen=True)
class Comparison:
    """Challenger minus champion on the same rows; `champion` holds the champion's own figures."""

    accuracy: Interval
    f1: Interval
    slices: tuple[SliceTest, ...]
    champion: Figures


@dataclass(frozen=True)
class Measured:
    """The figures of a challenger, compared with the champion's and a simple model's on the same rows, if known.

    `commonest_share` is the share of the commonest label, which is the accuracy of always answering it; for several
    labels a text the macro F1 of giving every label to every text.
    """

    figures: Figures
    multilabel: bool
    commonest_share: float
    comparison: Comparison | None = None
    baseline: Baseline | None = None

    @property
    def binary(self) -> bool:
        """Whether there are two classes, of which label 1 is the positive one."""
        return len(self.figures.classes) == 2 and not self.multilabel

    @property
    def f1_rows(self) -> float:
        """Size of the test set as the task's F1 sees it: a mean over labels varies as its rare labels do."""
        rows = self.figures.rows
        return rows if self.binary else min(rows, even_rows(self.figures.classes))

    @property
    def f1_name(self) -> str:
        """What the task's F1 is called."""
        return "F1" if self.binary else "Macro F1"


def measure_answers(
    rows: Sequence[Row],
    challenger: Labels,
    champion: Labels | None = None,
    *,
    labels: Sequence[str] = ("0", "1"),
    multilabel: bool = False,
    baseline: Baseline | None = None,
) -> Measured:
    """Measure the labels that the challenger gave to each of the `rows`, at least one, and compare with the champion's.

    `labels` are their names by their ids. `baseline` is what a simple model reaches on the same rows.
    """
    truth, count = [row.labels for row in rows], len(labels)
    comparison = None
    if champion is not None:
        slices = compare_slices(count_slices(rows, champion, challenger, labels))
        difference = compare(truth, champion, challenger, labels=count, multilabel=multilabel)
        before = measure(truth, champion, labels=count, multilabel=multilabel)
        comparison = Comparison(difference.accuracy, difference.f1, slices, before)
    figures = measure(truth, challenger, labels=count, multilabel=multilabel)
    shares = [number / len(rows) for number in Counter(label for one in truth for label in one).values()]
    trivial = max(shares, default=0.0)
    if multilabel:
        trivial = sum(2 * share / (1 + share) for share in shares) / max(1, len(shares))
    return Measured(figures, multilabel, trivial, comparison, baseline)
