"""A believable challenger for the report's tests: simulated answers, always the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from classifier.evaluation.figures import ClassFigures, Figures, Interval
from gate.decision.decision import Decision
from gate.evidence.answers import Answer, Answers
from gate.evidence.evidence import AnsweredRow, Evidence
from gate.evidence.job_output import JobOutput, Row
from gate.report.report import Provenance, Report
from gate.statistics.measure import Comparison, Measured
from gate.statistics.slices import SliceCounts, SliceTest
from gate.statistics.verdict import Check, Verdict

HYPERPARAMETERS = {"epochs": "3", "learning_rate": "1e-4", "batch_size": "32", "objective": "regression", "runs": "2"}
LOSS = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320"><rect width="100%" height="100%" fill="white"/>'
    '<polyline points="60,40 200,180 420,250" fill="none" stroke="#1b6ca8"/></svg>'
)
REASONS = (
    "The accuracy's lower bound 84.9 % clears the floor of 80 %.",
    "The F1's lower bound 88.4 % clears the floor of 80 %.",
    "The difference to version 3 is at least −0.4 points, above the margin of −2 points.",
)
PROVENANCE = Provenance(
    job_name="text-classifier-dev-20261123-231500-4f9a1c",
    package_group="text-classifier-dev",
    created="2026-11-23T23:15:00Z",
    data_source="s3://text-classifier-dev-data/source/",
    data_sha256="9b1c" * 16,
    test_sha256="77aa" * 16,
    hyperparameters=HYPERPARAMETERS,
    code_version="5f0e" * 16,
    image="123456789012.dkr.ecr.eu-central-1.amazonaws.com/text-classifier-dev-serving:3f2a",
)
CLASSES = (ClassFigures(350, 360, 310), ClassFigures(650, 640, 600))
FIGURES = Figures(
    rows=1_000,
    accuracy=Interval(0.869, 0.849, 0.889),
    f1=Interval(0.904, 0.884, 0.92),
    macro_f1=Interval(0.89, 0.87, 0.91),
    micro_f1=Interval(0.869, 0.849, 0.889),
    classes=CLASSES,
    confused=((1, 0, 50), (0, 1, 40)),
)
COMPARISON = Comparison(
    accuracy=Interval(0.018, -0.004, 0.04),
    f1=Interval(0.013, -0.008, 0.03),
    slices=(
        SliceTest(SliceCounts("text length: up to 5 words", 310, 10, 13, 263), 1.0, worse=False),
        SliceTest(SliceCounts("text length: 6 to 10 words", 512, 10, 25, 420), 1.0, worse=False),
        SliceTest(SliceCounts("family: Camera", 178, 20, 4, 138), 0.0213, worse=True),
    ),
    champion=FIGURES,
)
MEASURED = Measured(FIGURES, multilabel=False, commonest_share=0.65, comparison=COMPARISON)
VERDICT = Verdict(
    "passed", REASONS, (Check("F1 floor", 0.884, 0.8, True, REASONS[1]),), {"accuracy": 0.8, "f1": 0.8}, 0.02
)


def simulated_rows(
    count: int, texts: Sequence[str] = (), *, seed: int = 7, scores: bool = True
) -> tuple[AnsweredRow, ...]:
    """Rows of a model that is right on about 87 % and of a champion that is right on about 85 %."""
    random_ = random.Random(seed)
    rows = []
    for n in range(count):
        true = min(2.0, max(0.0, random_.gauss(1.2, 0.45)))
        answered = min(2.05, max(-0.05, 1.15 + 0.8 * (true - 1.15) + random_.gauss(0, 0.21)))
        champion = true + random_.gauss(0, 0.26)
        text = texts[n] if texts else f"Sentence {n}: the strap held for two years, then the buckle broke."
        family = random_.choice(["Camera", "Books", "Headphones", None])
        probability = round(1 / (1 + math.exp(-6 * (answered - 1))), 4)
        rows.append(
            AnsweredRow(
                Row(text, int(true >= 1), round(true, 2) if scores else None, family),
                Answer(int(answered >= 1), max(probability, 1 - probability), round(answered, 4) if scores else None),
                Answer(int(champion >= 1), 0.5),
            )
        )
    return tuple(rows)


def simulated_report(
    rows: Sequence[AnsweredRow] | None = None,
    *,
    labels: tuple[str, ...] = ("not_helpful", "helpful"),
    loss_svg: str | None = LOSS,
    summary: str = "Better than the floor, and not worse than version 3 by more than the margin.",
    provenance: Provenance = PROVENANCE,
    objective: str = "classification",
    **decision: Any,
) -> Report:
    """A report on `rows` with every part filled in; `decision` replaces parts of the decision."""
    rows = simulated_rows(60) if rows is None else rows
    before = [one.champion for one in rows if one.champion is not None]
    given: dict[str, Any] = {"status": "Approved", "outcome": "passed", "reasons": REASONS, "champion_version": "3"}
    return Report(
        decision=Decision(**{**given, "measured": MEASURED, "verdict": VERDICT, **decision}),
        summary=summary,
        evidence=Evidence(
            output=JobOutput(tuple(one.row for one in rows), labels, loss_svg, objective=objective),
            challenger=Answers([one.answer for one in rows]),
            champion=Answers(before or None),
        ),
        provenance=provenance,
    )


@pytest.fixture
def rows() -> Callable[..., tuple[AnsweredRow, ...]]:
    """Makes simulated rows, see `simulated_rows`."""
    return simulated_rows


@pytest.fixture
def report() -> Callable[..., Report]:
    """Makes a simulated report, see `simulated_report`."""
    return simulated_report
