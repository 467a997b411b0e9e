"""What the report shows, as plain values: the gate fills them in, the report only draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.report.errors import WrongReportData


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Where the challenger comes from. None means unknown; the report says so."""

    job_name: str
    """The training job."""

    package_group: str
    """The model package group that the challenger is registered in."""

    created: str
    """When the verdict was drawn, ISO 8601 in UTC."""

    data_source: str | None = None
    """Where the training data came from (text; the report makes no link of it)."""

    data_sha256: str | None = None
    """SHA-256 of the training data."""

    test_sha256: str | None = None
    """SHA-256 of the test sentences as they were sent to the model."""

    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    """Those of the training job, by name."""

    code_version: str | None = None
    """Version of the training code."""

    image: str | None = None
    """The serving image that answered the test sentences."""

    champion: str | None = None
    """Version of the model that serves now; None if there is none."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was decided and why."""

    status: str
    """The model package's approval status: ``Approved``, ``PendingManualApproval`` or ``Rejected``."""

    passed: bool | None
    """Whether the gate's conditions hold; None if the gate could not tell."""

    summary: str
    """One or two sentences."""

    reasons: tuple[str, ...] = ()
    """One sentence for each condition that was looked at."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured value with the interval around it: shares between 0 and 1 (a difference: -1 to 1)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The numbers that the gate judged."""

    accuracy: Figure
    f1: Figure
    champion_accuracy: Figure | None = None
    champion_f1: Figure | None = None
    difference: Figure | None = None
    """Challenger's accuracy less the champion's on the same sentences (paired); None without a champion."""

    margin: float | None = None
    """How much worse than the champion is tolerated: ``difference.low`` must be above ``-margin``."""

    min_accuracy: float | None = None
    """The floor that ``accuracy.low`` must clear."""

    min_f1: float | None = None
    """The floor that ``f1.low`` must clear."""

    confidence: float = 0.95
    """The intervals' level."""


@dataclass(frozen=True, kw_only=True)
class SliceRow:
    """One slice of the test set."""

    name: str
    rows: int
    challenger_accuracy: float
    champion_accuracy: float | None = None
    p_value: float | None = None
    """Of "the challenger is worse here", corrected for the number of slices."""

    harmed: bool = False
    """Whether the gate holds the challenger to be worse here."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One test sentence and what was answered."""

    text: str
    label: int
    """The true label, 0 or 1."""

    predicted: int
    """The challenger's label, 0 or 1."""

    probability: float
    """The challenger's probability of label 1, 0 to 1."""

    score: float | None = None
    """The challenger's score, where the model has one."""

    true_score: float | None = None
    """The data's score, where the data has one."""

    family: str | None = None
    """The product family, where it is known."""

    champion_predicted: int | None = None
    """The champion's label, where it answered."""

    def __post_init__(self) -> None:
        """Refuses what no chart can show.

        Raises:
            WrongReportData: a label is neither 0 nor 1, or the probability lies outside of 0 to 1.
        """
        for name in ("label", "predicted", "champion_predicted"):
            value = getattr(self, name)
            if value not in (0, 1) and not (name == "champion_predicted" and value is None):
                raise WrongReportData(name, value, "0 or 1")
        if not 0 <= self.probability <= 1:
            raise WrongReportData("probability", self.probability, "a number from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything that the report shows."""

    facts: Facts
    verdict: Verdict
    label_names: tuple[str, str]
    """Names of labels 0 and 1."""

    figures: Figures | None = None
    """None if the challenger could not be measured (no answers, no test rows)."""

    rows: tuple[Row, ...] = ()
    """One a test sentence, in file order; empty if the challenger could not be measured."""

    slices: tuple[SliceRow, ...] = ()
    score_thresholds: tuple[float, ...] = ()
    """Scores at which the label changes, e.g. ``(1.0,)``: lines in the scatter; at most a few."""

    loss_svg: str | None = None
    """The training job's loss curve, an SVG; left out of the report if it is anything but a plain drawing."""
