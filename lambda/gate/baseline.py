"""``baseline.json``: how the answers to the test sentences are distributed; the drift check compares with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from distribution.features import CONFIDENCE, LABEL, LENGTH
from gate.evidence import Answer, Row


def baseline_file(rows: Sequence[Row], answers: Sequence[Answer] | None, labels: tuple[str, str]) -> bytes:
    """The file's content: counts, from answers of the serving image, so that traffic is counted in the same way.

    Args:
        rows: the test set.
        answers: to each row; None where there are none, which leaves a baseline of no rows.
        labels: names of label 0 and label 1.
    """
    pairs = [] if answers is None else list(zip(rows, answers, strict=True))
    given = Counter(answer.label for _, answer in pairs)
    confidence = (answer.probability if answer.label else 1 - answer.probability for _, answer in pairs)
    document = {
        "version": 1,
        "rows": len(pairs),
        LABEL: {name: given[number] for number, name in enumerate(labels)},
        CONFIDENCE.name: CONFIDENCE.count(confidence),
        LENGTH.name: LENGTH.count(len(row.text) for row, _ in pairs),
    }
    return (json.dumps(document, indent=2) + "\n").encode()
