"""What a training job and a model under judgement leave for the gate: a verdict, or an error that names the place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from drift.counts import BaselineError, parse_baseline
from fuzzing.run import Target
from gate.decision.decision import decide
from gate.decision.files import baseline_file, verdict_file
from gate.evidence.answers import Answers, parse_answers
from gate.evidence.evidence import Evidence
from gate.evidence.job_output import JobOutput, parse_evaluation, parse_rows, rows_sha256, sentences_file
from gate.report.page import render_report
from gate.report.report import Provenance, Report
from gate.statistics.verdict import Thresholds
from shared.errors import EvidenceError

TEXT = "Zq9 a customer's words"
ROWS = "".join(
    json.dumps({"text": f"{TEXT} {n}", "label": n % 2, "score": n / 4, "family": "f"}) + "\n" for n in range(6)
)
SEVERAL = "".join(json.dumps({"text": f"{TEXT} {n}", "labels": [0] * (n % 2)}) + "\n" for n in range(6))
EVALUATION: dict[str, Any] = {
    "labels": ["bad", "good"],
    "objective": "regression",
    "score_threshold": 1.0,
    "hyperparameters": {"score_threshold": 1.0},
    "label_thresholds": [0.5, 0.4],
    "baseline": {"name": "words", "test": {"accuracy": 0.7, "f1": 0.6}},
}
ONE = {
    "label": "good",
    "confidence": 0.9,
    "score": 1.5,
    "truncated": False,
    "scores": [{"label": "bad", "confidence": 1}],
}
ANSWERS = "".join(json.dumps({"predictions": [ONE], "model": {"version": "3", "labels": 2}}) + "\n" for _ in range(6))
BASELINE = baseline_file(
    Evidence(
        output=JobOutput(rows=tuple(parse_rows(ROWS.encode(), "r")), labels=("bad", "good")),
        challenger=Answers(tuple(parse_answers(ANSWERS.encode(), labels=("bad", "good"), rows=6, source="a"))),
    )
)
PROVENANCE = Provenance(
    job_name="job-1",
    package_group="g",
    created="2026-01-01T00:00:00+00:00",
    data_source=None,
    data_sha256=None,
    test_sha256=None,
    code_version=None,
    image="image:1",
    hyperparameters={},
)


class Fuzzed(Target):
    """Reads an input as each of the files, with good ones beside it, and judges what can be read."""

    def __init__(self) -> None:
        objectives = [{**EVALUATION, "objective": name} for name in ("classification", "multilabel")]
        evaluations = [json.dumps(found).encode() for found in (EVALUATION, *objectives)]
        super().__init__([ROWS.encode(), SEVERAL.encode(), ANSWERS.encode(), BASELINE, *evaluations])

    def check(self, data: bytes) -> None:
        for rows, evaluation, answers in (
            (data, self.seeds[4], self.seeds[2]),
            (data, self.seeds[6], self.seeds[2]),
            (self.seeds[0], data, self.seeds[2]),
            (self.seeds[0], self.seeds[4], data),
            (self.seeds[1], self.seeds[6], data),
        ):
            try:
                judged(rows, evaluation, answers)
            except EvidenceError as error:
                message = str(error)
                assert message.isprintable(), message
                assert len(message) < 500
                assert "Zq9" not in message, "a customer's text in a failure reason"
        try:
            parse_baseline(data, "s3://a/b")
        except BaselineError as error:
            assert str(error)


def judged(rows: bytes, evaluation: bytes, answers: bytes) -> None:
    """Read the three files as the gate does, decide, and write all that it writes."""
    known = parse_evaluation(evaluation, "evaluation.json")
    read = tuple(parse_rows(rows, "test_rows.jsonl", len(known.labels), multilabel=known.multilabel))
    output = replace(known, rows=read)
    sentences_file(read)
    rows_sha256(read)
    given = parse_answers(answers, labels=known.labels, rows=len(read), source="answers", multilabel=known.multilabel)
    evidence = Evidence(output=output, challenger=Answers(tuple(given)), champion=Answers(tuple(given)))
    decision = decide(evidence, Thresholds.from_request({"min_accuracy": "auto", "min_f1": 0.1, "margin": 0.1}), "auto")
    assert len(read) == len(given)
    verdict_file(decision, output, created="2026-01-01T00:00:00+00:00", facts={})
    baseline_file(evidence)
    page = render_report(Report(decision=decision, summary="s", evidence=evidence, provenance=PROVENANCE))
    assert page.encode(errors="replace")
