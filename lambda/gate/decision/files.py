"""The files of a decision: `verdict.json` and `baseline.json`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from classifier.evaluation.bootstrap import Interval
from distribution.features import CONFIDENCE, LABEL, LENGTH
from gate.decision.decision import Decision
from gate.evidence.evidence import Evidence
from gate.statistics.measure import Comparison, Measured

_Z = 1.96


def verdict_file(decision: Decision, *, created: str, facts: dict[str, Any]) -> bytes:
    """Return the content of `verdict.json`: statistics as SageMaker's console reads them, and the whole verdict.

    Args:
        decision: what was decided.
        created: time of the decision, ISO 8601.
        facts: what the decision is about (job, hashes, champion); stored as they are.
    """
    measured = decision.measured
    document: dict[str, Any] = {
        "version": 0.0,
        "dataset": {"item_count": measured.rows if measured else 0, "evaluation_time": created},
    }
    if measured is not None:
        document["binary_classification_metrics"] = _metrics(measured)
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
    given = Counter(one.answer.label for one in answered)
    document = {
        "version": 1,
        "rows": len(answered),
        LABEL: {name: given[number] for number, name in enumerate(evidence.output.labels)},
        CONFIDENCE.name: CONFIDENCE.count(one.answer.confidence for one in answered),
        LENGTH.name: LENGTH.count(len(one.row.text) for one in answered),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _metrics(measured: Measured) -> dict[str, Any]:
    counts = measured.counts
    return {
        "confusion_matrix": {
            "0": {"0": counts.rejections, "1": counts.false_alarms},
            "1": {"0": counts.misses, "1": counts.hits},
        },
        "accuracy": _metric(measured.accuracy),
        "f1": _metric(measured.f1),
        "precision": {"value": _share(counts.hits, counts.hits + counts.false_alarms)},
        "recall": {"value": _share(counts.hits, counts.hits + counts.misses)},
    }


def _metric(interval: Interval) -> dict[str, float]:
    deviation = (interval.high - interval.low) / (2 * _Z)
    return {"value": interval.value, "standard_deviation": deviation, "low": interval.low, "high": interval.high}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _comparison(comparison: Comparison) -> dict[str, Any]:
    joint = comparison.joint
    return {
        "accuracy": comparison.accuracy.as_dict(),
        "f1": comparison.f1.as_dict(),
        "champion": joint.champion._asdict(),
        "label_champion_challenger": {name.removeprefix("n"): count for name, count in joint._asdict().items()},
        "slices": [{**asdict(test.counts), "p_value": test.p_value, "worse": test.worse} for test in comparison.slices],
    }
