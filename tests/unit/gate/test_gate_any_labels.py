"""Three classes from defaults alone, shuffled labels, many classes and several labels, through the judge."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from typing import Any

import pytest

from gate.decision.decision import Decision, decide
from gate.decision.files import baseline_file, verdict_file
from gate.evidence.answers import Answer, Answers
from gate.evidence.evidence import Evidence
from gate.evidence.job_output import Baseline, JobOutput, Row
from gate.report.page import render_report
from gate.report.report import Provenance, Report
from gate.statistics.verdict import Thresholds

Ids = Sequence[int] | Sequence[tuple[int, ...]]


def answers(given: Ids) -> Answers:
    return Answers(
        [Answer(one, 0.8) if isinstance(one, int) else Answer(0, 0.8, several=frozenset(one)) for one in given]
    )


def evidence(labels: int, truth: Ids, challenger: Ids, champion: Ids | None = None, **facts: Any) -> Evidence:
    """A judged run; several labels a text where the truth holds tuples."""
    objective = "multilabel" if isinstance(truth[0], tuple) else "classification"
    names = tuple(f"label {number}" for number in range(labels))
    rows = tuple(Row(f"text {place}", label) for place, label in enumerate(truth))
    return Evidence(
        output=JobOutput(rows, names, objective=objective, **facts),
        challenger=answers(challenger),
        champion=Answers() if champion is None else answers(champion),
        champion_version=None if champion is None else "7",
    )


def judged(found: Evidence) -> Decision:
    return decide(found, Thresholds(), "auto")


def noisy(truth: Sequence[int], labels: int, accuracy: float, seed: int) -> list[int]:
    draw = random.Random(seed)
    return [one if draw.random() < accuracy else draw.randrange(labels) for one in truth]


def noisy_sets(truth: Sequence[tuple[int, ...]], labels: int, recall: float, seed: int) -> list[tuple[int, ...]]:
    draw = random.Random(seed)
    return [
        tuple(one for one in range(labels) if draw.random() < (recall if one in labels_ else 0.01)) for labels_ in truth
    ]


THREE = [place % 3 for place in range(60)]  # a fifth of 300 rows
MANY = [place % 77 for place in range(1_540)]
SEVERAL = [tuple(sorted({place % 28, place * place % 28})) for place in range(2_714)]


def test_three_classes_of_60_test_rows_pass_by_defaults() -> None:
    """A small file with classes that are easy to tell apart needs no setting."""
    known = Baseline("TF-IDF", 0.98, 0.98)
    assert judged(evidence(3, THREE, noisy(THREE, 3, 0.97, 1), baseline=known)).status == "Approved"


@pytest.mark.parametrize("seed", range(5))
def test_a_model_of_shuffled_labels_is_refused(seed: int) -> None:
    """Its answers have nothing to do with the truth, whatever the number of labels."""
    assert judged(evidence(3, THREE, noisy(THREE, 3, 0.0, seed))).status == "Rejected"
    assert judged(evidence(77, MANY, noisy(MANY, 77, 0.0, seed))).status == "Rejected"
    shuffled = random.Random(seed).sample(SEVERAL, len(SEVERAL))
    assert judged(evidence(28, SEVERAL, shuffled)).status == "Rejected"


def test_one_broken_class_of_many_is_named() -> None:
    """The class has 20 rows, and the whole is better than the champion."""
    champion = noisy(MANY, 77, 0.93, 1)
    broken = [(0 if truth == 5 else truth) if truth == 5 else one for truth, one in zip(MANY, champion, strict=True)]
    found = judged(evidence(77, MANY, broken, champion))
    assert found.status == "Rejected" and any("On label: label 5 (20 rows)" in reason for reason in found.reasons)


def test_several_labels_are_compared_on_their_macro_f1() -> None:
    """An equal challenger passes, and one that lost a label does not."""
    champion = noisy_sets(SEVERAL, 28, 0.8, 1)
    assert judged(evidence(28, SEVERAL, noisy_sets(SEVERAL, 28, 0.8, 2), champion)).status == "Approved"
    lost = [tuple(label for label in one if label != 3) for one in champion]
    found = judged(evidence(28, SEVERAL, lost, champion))
    assert found.status == "Rejected" and "label: label 3" in " ".join(found.reasons)


def test_the_files_of_many_classes() -> None:
    """The registry's statistics have SageMaker's form for many classes, and each class has its figures."""
    found = evidence(77, MANY, noisy(MANY, 77, 0.93, 1))
    document = json.loads(verdict_file(judged(found), found.output, created="now", facts={}))
    metrics = document["multiclass_classification_metrics"]
    assert sum(sum(row.values()) for row in metrics["confusion_matrix"].values()) == 1_540
    assert metrics["accuracy"]["value"] == pytest.approx(metrics["weighted_recall"]["value"])
    assert len(document["model"]["labels"]) == 77 and document["model"]["labels"][5]["test_rows"] == 20


def test_the_files_of_several_labels() -> None:
    """The drift baseline counts every given label, and the texts without one."""
    found = evidence(3, [(0, 1), (2,), ()], [(0, 1), (0,), ()])
    document = json.loads(baseline_file(found))
    assert document["label"] == {"label 0": 2, "label 1": 1, "label 2": 0, "(none)": 1}
    assert document["rows"] == sum(document["confidence"]) == 3
    written = json.loads(verdict_file(judged(found), found.output, created="now", facts={}))
    assert "multilabel_classification_metrics" in written and written["model"]["objective"] == "multilabel"
    never_given = written["model"]["labels"][2]
    assert never_given["precision"] is None and never_given["recall"]["value"] == 0


def test_a_model_that_was_not_measured_still_has_labels() -> None:
    """Their figures are null, which the API tells as unknown."""
    output = JobOutput(labels=("a", "b", "c"), problem="no test rows")
    document = json.loads(verdict_file(judged(Evidence(output=output)), output, created="now", facts={}))
    assert document["model"]["labels"][2] == {
        "label": "c",
        "test_rows": 0,
        "precision": None,
        "recall": None,
        "f1": None,
    }


@pytest.mark.parametrize(("labels", "truth"), [(77, MANY), (28, SEVERAL)], ids=["77 classes", "28 labels"])
def test_judging_takes_a_second_or_two(labels: int, truth: Ids) -> None:
    """Decision, files and report of a large test set, in pure Python."""
    champion = noisy(MANY, 77, 0.93, 1) if labels == 77 else noisy_sets(SEVERAL, 28, 0.8, 1)
    given = noisy(MANY, 77, 0.93, 2) if labels == 77 else noisy_sets(SEVERAL, 28, 0.8, 2)
    started = time.process_time()
    found = evidence(labels, truth, given, champion, baseline=Baseline("TF-IDF", 0.5, 0.5))
    decision = judged(found)
    provenance = Provenance(job_name="job", package_group="group", created="now")
    page = render_report(Report(decision=decision, summary="", evidence=found, provenance=provenance))
    verdict_file(decision, found.output, created="now", facts={})
    assert time.process_time() - started < 5
    assert 'id="classes"' in page and 'id="precision-recall"' not in page and len(page) < 300_000
