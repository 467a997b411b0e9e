"""``verdict.json``: the package's model quality statistics as SageMaker's console reads them, and the whole verdict."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from classifier.evaluation.bootstrap import Confusion, Interval
from gate.measure import Measured
from gate.ruling import Ruling

_Z = 1.96


def statistics_file(ruling: Ruling, *, created: str, facts: dict[str, Any]) -> bytes:
    """The file's content.

    Args:
        ruling: what was ruled.
        created: time of the verdict, ISO 8601.
        facts: what the verdict is about: job, hashes, champion; stored as they are.
    """
    document: dict[str, Any] = {
        "version": 0.0,
        "dataset": {"item_count": ruling.measured.rows if ruling.measured else 0, "evaluation_time": created},
    }
    if ruling.measured is not None:
        document["binary_classification_metrics"] = _metrics(ruling.measured)
    document["gate"] = {
        **facts,
        "status": ruling.status,
        "outcome": ruling.outcome,
        "mode": ruling.mode_reason,
        "reasons": ruling.reasons,
        "verdict": None if ruling.verdict is None else asdict(ruling.verdict),
        "comparison": _comparison(ruling.measured),
    }
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


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


def _comparison(measured: Measured | None) -> dict[str, Any] | None:
    if measured is None or measured.comparison is None:
        return None
    found = measured.comparison
    joint = found.joint._asdict()
    champion: Confusion = found.joint.champion
    return {
        "accuracy": found.accuracy.as_dict(),
        "f1": found.f1.as_dict(),
        "champion": champion._asdict(),
        "label_champion_challenger": {name.removeprefix("n"): count for name, count in joint.items()},
        "slices": [{**asdict(test.counts), "p_value": test.p_value, "worse": test.worse} for test in found.slices],
    }
