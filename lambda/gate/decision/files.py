"""The files of a decision: `verdict.json` and `baseline.json`."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from classifier.evaluation.figures import ClassFigures, Figures, Interval
from distribution.features import CONFIDENCE, LABEL, LENGTH, NO_LABEL
from gate.decision.decision import Decision
from gate.evidence.evidence import Evidence
from gate.evidence.job_output import JobOutput
from gate.statistics.measure import Comparison, Measured

_Z = 1.96


def verdict_file(decision: Decision, output: JobOutput, *, created: str, facts: dict[str, Any]) -> bytes:
    """Return the content of `verdict.json`: statistics as SageMaker's console reads them, and the whole verdict.

    `created` is the time of the decision in ISO 8601. `facts` say what it is about (job, hashes, champion).
    """
    measured = decision.measured
    document: dict[str, Any] = {
        "version": 0.0,
        "dataset": {"item_count": measured.figures.rows if measured else 0, "evaluation_time": created},
    }
    if measured is not None:
        document |= _metrics(measured)
    document["model"] = _model(measured, output)
    document["gate"] = {
        **facts,
        "status": decision.status,
        "outcome": decision.outcome,
        "mode": decision.mode_reason,
        "reasons": decision.reasons,
        "verdict": None if decision.verdict is None else asdict(decision.verdict),
        "comparison": None if measured is None or measured.comparison is None else _comparison(measured.comparison),
    }
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


def baseline_file(evidence: Evidence) -> bytes:
    """Return the content of `baseline.json`: how the challenger's answers are distributed; all zero where it gave none.

    The drift check compares the traffic with it. The answers come from the serving image, as those of the traffic do.
    """
    answered = evidence.answered_rows()
    given = Counter(label for one in answered for label in one.answer.labels)
    labels = {name: given[number] for number, name in enumerate(evidence.output.labels)}
    if evidence.output.multilabel:
        labels[NO_LABEL] = sum(not one.answer.labels for one in answered)
    document = {
        "version": 1,
        "rows": len(answered),
        LABEL: labels,
        CONFIDENCE.name: CONFIDENCE.count(one.answer.confidence for one in answered),
        LENGTH.name: LENGTH.count(len(one.row.text) for one in answered),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _metrics(measured: Measured) -> dict[str, Any]:
    """Return the statistics in the form of SageMaker's model quality, which knows no form for several labels a text."""
    figures, classes = measured.figures, measured.figures.classes
    accuracy = _metric(measured.figures.accuracy)
    if measured.multilabel:
        shown = {"accuracy": accuracy, "macro_f1": _metric(figures.macro_f1), "micro_f1": _metric(figures.micro_f1)}
        return {"multilabel_classification_metrics": shown}
    # The cells without rows would be most of the file of a model with many labels.
    cells: dict[str, dict[str, int]] = {str(label): {} for label in range(len(classes))}
    for label, one in enumerate(classes):
        cells[str(label)][str(label)] = one.right
    for truth, answer, rows in figures.confused:
        cells[str(truth)][str(answer)] = rows
    if measured.binary:
        confusion = {truth: {answer: row.get(answer, 0) for answer in ("0", "1")} for truth, row in cells.items()}
        return {
            "binary_classification_metrics": {
                "confusion_matrix": confusion,
                "accuracy": accuracy,
                "f1": _metric(measured.figures.f1),
                "precision": {"value": classes[1].precision.value},
                "recall": {"value": classes[1].recall.value},
            }
        }
    weighted = {name: {"value": _weighted(figures, name)} for name in ("precision", "recall", "f1")}
    return {
        "multiclass_classification_metrics": {
            "confusion_matrix": cells,
            "accuracy": accuracy,
            **{f"weighted_{name}": value for name, value in weighted.items()},
            "macro_f1": _metric(figures.macro_f1),
        }
    }


def _model(measured: Measured | None, output: JobOutput) -> dict[str, Any]:
    """Return what the API tells of the model. A label's figure is null where the test rows say nothing about it."""
    classes = measured.figures.classes if measured else [ClassFigures(0, 0, 0)] * len(output.labels)
    labels = [
        {
            "label": name,
            "test_rows": one.rows,
            "precision": one.precision.as_dict() if one.answered else None,
            "recall": one.recall.as_dict() if one.rows else None,
            "f1": one.f1.as_dict() if one.rows or one.answered else None,
        }
        for name, one in zip(output.labels, classes, strict=True)
    ]
    return {"objective": output.objective, "labels": labels, "score_threshold": output.score_threshold}


def _weighted(figures: Figures, name: str) -> float:
    total: float = sum(one.rows * getattr(one, name).value for one in figures.classes)
    return total / figures.rows


def _metric(interval: Interval) -> dict[str, float]:
    deviation = (interval.high - interval.low) / (2 * _Z)
    return {"value": interval.value, "standard_deviation": deviation, "low": interval.low, "high": interval.high}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    champion = comparison.champion
    return {
        "accuracy": comparison.accuracy.as_dict(),
        "f1": comparison.f1.as_dict(),
        "champion": {"accuracy": champion.accuracy.as_dict(), "f1": champion.f1.as_dict()},
        "slices": [{**asdict(test.counts), "p_value": test.p_value, "worse": test.worse} for test in comparison.slices],
    }
