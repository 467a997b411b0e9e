"""What the evaluation report shows, from a ruling and its evidence."""

from __future__ import annotations

import math

from classifier.evaluation.bootstrap import Interval, figure_intervals
from gate.evidence import Answer, Row
from gate.job_output import JobOutput
from gate.measure import RESAMPLES, SEED, Measured
from gate.payloads import JudgeRequest
from gate.report.data import Facts, Figure, Figures, ReportData, SliceRow
from gate.report.data import Row as ReportRow
from gate.report.data import Verdict as ReportVerdict
from gate.ruling import Evidence, Ruling

_DEFAULT_THRESHOLD = 1.0  # of the training job


def report_data(
    request: JudgeRequest,
    output: JobOutput,
    evidence: Evidence,
    ruling: Ruling,
    *,
    summary: str,
    created: str,
    package_group: str,
) -> ReportData:
    """Everything for the report.

    Args:
        request: the payload.
        output: of the training job.
        evidence: what was answered.
        ruling: what came of it.
        summary: the ruling in a line.
        created: time of the verdict, ISO 8601.
        package_group: where the model is registered.
    """
    passed = {"passed": True, "refused": False, "undecided": None}[ruling.outcome]
    checks = ruling.verdict.checks if ruling.verdict else ()
    sentences = dict.fromkeys([*ruling.reasons, *(check.sentence for check in checks)])
    return ReportData(
        facts=_facts(request, evidence, created, package_group),
        verdict=ReportVerdict(status=ruling.status, passed=passed, summary=summary, reasons=tuple(sentences)),
        label_names=output.labels,
        figures=_figures(ruling),
        rows=_rows(evidence) if ruling.measured else (),
        slices=_slices(ruling.measured),
        score_thresholds=_thresholds(request, evidence),
        loss_svg=output.loss_svg,
    )


def _facts(request: JudgeRequest, evidence: Evidence, created: str, package_group: str) -> Facts:
    given = {str(name): str(value) for name, value in (request.training.get("hyperparameters") or {}).items()}
    return Facts(
        job_name=request.job_name,
        package_group=package_group,
        created=created,
        data_source=request.data.get("source") or request.training.get("data_source"),
        data_sha256=request.data.get("data_sha256"),
        test_sha256=request.plan.test_sha256,
        hyperparameters=given,
        code_version=request.training.get("code_uri") or None,
        image=request.plan.challenger_image,
        champion=evidence.champion_version,
    )


def _thresholds(request: JudgeRequest, evidence: Evidence) -> tuple[float, ...]:
    """The score at which the label changes, where the test rows have scores."""
    if all(row.score is None for row in evidence.rows):
        return ()
    given = (request.training.get("hyperparameters") or {}).get("score_threshold", _DEFAULT_THRESHOLD)
    try:
        threshold = float(str(given).strip('"'))  # launchers quote differently
    except ValueError:
        return ()
    return (threshold,) if math.isfinite(threshold) else ()


def _figures(ruling: Ruling) -> Figures | None:
    measured, verdict = ruling.measured, ruling.verdict
    if measured is None or verdict is None:
        return None
    compared = measured.comparison
    champion = figure_intervals(compared.joint.champion, resamples=RESAMPLES, seed=SEED) if compared else {}
    return Figures(
        accuracy=_figure(measured.accuracy),
        f1=_figure(measured.f1),
        champion_accuracy=_figure(champion["accuracy"]) if champion else None,
        champion_f1=_figure(champion["f1"]) if champion else None,
        difference=_figure(compared.accuracy) if compared else None,
        margin=verdict.margin,
        min_accuracy=verdict.floors["accuracy"],
        min_f1=verdict.floors["f1"],
    )


def _figure(interval: Interval) -> Figure:
    return Figure(value=interval.value, low=interval.low, high=interval.high)


def _rows(evidence: Evidence) -> tuple[ReportRow, ...]:
    nobody: list[Answer | None] = [None] * len(evidence.rows)
    before = evidence.champion or nobody
    return tuple(map(_row, evidence.rows, evidence.challenger or (), before))


def _row(row: Row, answer: Answer, champion: Answer | None) -> ReportRow:
    return ReportRow(
        text=row.text,
        label=row.label,
        predicted=answer.label,
        probability=answer.probability,
        score=answer.score,
        true_score=row.score,
        family=row.family,
        champion_predicted=champion.label if champion else None,
    )


def _slices(measured: Measured | None) -> tuple[SliceRow, ...]:
    if measured is None or measured.comparison is None:
        return ()
    return tuple(
        SliceRow(
            name=test.counts.name,
            rows=test.counts.rows,
            challenger_accuracy=test.counts.challenger_accuracy,
            champion_accuracy=test.counts.champion_accuracy,
            p_value=test.p_value,
            harmed=test.worse,
        )
        for test in measured.comparison.slices
    )
