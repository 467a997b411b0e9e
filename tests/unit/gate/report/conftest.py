"""A believable challenger for the report's tests: simulated answers, always the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gate.report.data import Facts, Figure, Figures, ReportData, Row, SliceRow, Verdict

HYPERPARAMETERS = {"epochs": "3", "learning_rate": "1e-4", "batch_size": "32", "objective": "regression", "runs": "2"}
LOSS = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320"><rect width="100%" height="100%" fill="white"/>'
    '<polyline points="60,40 200,180 420,250" fill="none" stroke="#1b6ca8"/></svg>'
)


def simulated_rows(count: int, texts: Sequence[str] = (), *, seed: int = 7, scores: bool = True) -> tuple[Row, ...]:
    """Rows of a model that is right on about 87 % and of a champion that is right on about 85 %."""
    random_ = random.Random(seed)
    rows = []
    for n in range(count):
        true = min(2.0, max(0.0, random_.gauss(1.2, 0.45)))
        answered = min(2.05, max(-0.05, 1.15 + 0.8 * (true - 1.15) + random_.gauss(0, 0.21)))
        champion = true + random_.gauss(0, 0.26)
        rows.append(
            Row(
                text=texts[n] if texts else f"Sentence {n}: the strap held for two years, then the buckle broke.",
                label=int(true >= 1),
                predicted=int(answered >= 1),
                probability=round(1 / (1 + math.exp(-6 * (answered - 1))), 4),
                score=round(answered, 4) if scores else None,
                true_score=round(true, 2) if scores else None,
                family=random_.choice(["Camera", "Books", "Headphones", None]),
                champion_predicted=int(champion >= 1),
            )
        )
    return tuple(rows)


def simulated_report(rows: Sequence[Row] = (), **changes: Any) -> ReportData:
    """A report on ``rows`` with every part filled in; ``changes`` replace parts."""
    rows = tuple(rows) or simulated_rows(60)
    return replace(
        ReportData(
            facts=Facts(
                job_name="text-classifier-dev-20261123-231500-4f9a1c",
                package_group="text-classifier-dev",
                created="2026-11-23T23:15:00Z",
                data_source="s3://text-classifier-dev-data/source/",
                data_sha256="9b1c" * 16,
                test_sha256="77aa" * 16,
                hyperparameters=HYPERPARAMETERS,
                code_version="5f0e" * 16,
                image="123456789012.dkr.ecr.eu-central-1.amazonaws.com/text-classifier-dev-serving:3f2a",
                champion="3",
            ),
            verdict=Verdict(
                status="Approved",
                passed=True,
                summary="Better than the floor, and not worse than version 3 by more than the margin.",
                reasons=(
                    "The accuracy's lower bound 84.9 % clears the floor of 80 %.",
                    "The F1's lower bound 88.4 % clears the floor of 80 %.",
                    "The difference to version 3 is at least −0.4 points, above the margin of −2 points.",
                ),
            ),
            label_names=("not_helpful", "helpful"),
            figures=Figures(
                accuracy=Figure(value=0.869, low=0.849, high=0.889),
                f1=Figure(value=0.904, low=0.884, high=0.92),
                champion_accuracy=Figure(value=0.851, low=0.829, high=0.873),
                champion_f1=Figure(value=0.891, low=0.871, high=0.909),
                difference=Figure(value=0.018, low=-0.004, high=0.04),
                margin=0.02,
                min_accuracy=0.8,
                min_f1=0.8,
            ),
            rows=rows,
            slices=(
                SliceRow(name="1 to 8 words", rows=310, challenger_accuracy=0.89, champion_accuracy=0.88, p_value=1.0),
                SliceRow(name="9 to 20 words", rows=512, challenger_accuracy=0.87, champion_accuracy=0.84, p_value=1.0),
                SliceRow(
                    name="family Camera",
                    rows=178,
                    challenger_accuracy=0.80,
                    champion_accuracy=0.89,
                    p_value=0.0213,
                    harmed=True,
                ),
            ),
            score_thresholds=(1.0,),
            loss_svg=LOSS,
        ),
        **changes,
    )


@pytest.fixture
def rows() -> Callable[..., tuple[Row, ...]]:
    """Makes simulated rows, see ``simulated_rows``."""
    return simulated_rows


@pytest.fixture
def report() -> Callable[..., ReportData]:
    """Makes a simulated report, see ``simulated_report``."""
    return simulated_report
