"""Entry point of the judge function: what the models answered in, a verdict with its files out."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from gate import wording
from gate.baseline import baseline_file
from gate.errors import EvidenceInvalid, GateError, StorageError
from gate.evidence import Answer, parse_answers, rows_sha256
from gate.job_output import JobOutput, read_job_output
from gate.payloads import JudgeRequest
from gate.report import render_report
from gate.report_data import report_data
from gate.ruling import Evidence, rule
from gate.settings import Settings
from gate.statistics_file import statistics_file
from gate.store import ObjectStore

logger = Logger()

FILES = ("report.html", "verdict.json", "baseline.json")
"""What a verdict consists of, in one folder."""


@functools.cache
def _s3_client() -> Any:
    """One client for all calls of a warm function."""
    return boto3.client("s3")


def run(event: Any, environment: Mapping[str, str], s3: Any, now: datetime) -> dict[str, Any]:
    """Does the step with the given environment variables and S3 client.

    Args:
        event: payload, see ``JudgeRequest``.
        environment: of the function.
        s3: client.
        now: the time in UTC.

    Returns:
        ``passed``, ``status``, ``summary``, ``metadata``, ``report_uri``, ``statistics_uri``, ``baseline_uri``,
        ``numbers``.

    Raises:
        GateError: payload, deployment or the job's output is wrong; Step Functions shows class and message.
    """
    settings = Settings.from_environment(environment)
    request = JudgeRequest.parse(event)
    store = ObjectStore(s3)
    output = read_job_output(store, request.output_uri)
    evidence = collect_evidence(request, output, store)
    ruling = rule(evidence, request.thresholds, request.approval)
    folder = settings.evaluation_uri(request.job_name, request.plan.token)
    created = now.isoformat(timespec="seconds")
    champion, plan = evidence.champion_version, request.plan
    summary = wording.summary(ruling, champion)
    data = report_data(
        request, output, evidence, ruling, summary=summary, created=created, package_group=settings.package_group
    )
    facts = {"training_job": request.job_name, "test_sha256": plan.test_sha256, "compared_with": champion}
    judged_on = rows_sha256(output.rows) if output.rows else None
    report_uri, statistics_uri, baseline_uri = (f"{folder}{name}" for name in FILES)
    store.write(report_uri, render_report(data).encode(errors="replace"), "text/html; charset=utf-8")
    store.write(statistics_uri, statistics_file(ruling, created=created, facts=facts), "application/json")
    baseline = baseline_file(output.rows, evidence.challenger, output.labels)
    store.write(baseline_uri, baseline, "application/json")
    return {
        "passed": ruling.outcome == "passed",
        "status": ruling.status,
        "summary": summary,
        "metadata": wording.metadata(
            ruling,
            champion_version=champion,
            test_sha256=plan.test_sha256,
            rows_sha256=judged_on,
            evidence_uri=plan.challenger_evidence,
            report_uri=report_uri,
        ),
        "report_uri": report_uri,
        "statistics_uri": statistics_uri,
        "baseline_uri": baseline_uri,
        "numbers": wording.numbers(ruling, champion),
    }


@logger.inject_lambda_context
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """What Lambda calls. See ``run``."""
    try:
        result = run(event, os.environ, _s3_client(), datetime.now(UTC))
    except GateError as error:
        logger.error("judging failed", error=type(error).__name__, reason=str(error))
        raise
    logger.info("judged", status=result["status"], summary=result["summary"], numbers=result["numbers"])
    return result


def collect_evidence(request: JudgeRequest, output: JobOutput, store: ObjectStore) -> Evidence:
    """Test rows, and the answers of both models or why there are none."""
    plan, champion = request.plan, request.plan.champion
    problem = request.errors.get("challenger")
    answers, answers_problem = None, problem
    if output.rows and problem is None:
        answers, answers_problem = _answers(plan.challenger_evidence, output, store)
    before, before_problem = None, None
    if champion is not None and output.rows:
        problem = request.errors.get("champion")
        before_problem = champion.problem if problem is None else problem
        if before_problem is None:
            before, before_problem = _answers(champion.evidence_uri, output, store)
    return Evidence(
        rows=output.rows,
        no_rows=output.problem or plan.problem,
        challenger=answers,
        challenger_problem=answers_problem,
        challenger_unasked="challenger" in request.unasked,
        own_rows=request.started_elsewhere and (champion is None or champion.rows_sha256 != rows_sha256(output.rows)),
        champion=before,
        champion_version=champion.version if champion else None,
        champion_problem=before_problem,
    )


def _answers(uri: str | None, output: JobOutput, store: ObjectStore) -> tuple[list[Answer] | None, str | None]:
    """What a model answered, or else why that can't be used."""
    if uri is None:
        return None, "its answers were not asked for"
    try:
        content = store.read(uri)
        return parse_answers(content, labels=output.labels, rows=len(output.rows), source=uri), None
    except EvidenceInvalid as error:
        return None, str(error)
    except StorageError as error:
        if error.missing:
            return None, f"it left no answers at {uri}"
        raise
