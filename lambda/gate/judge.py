"""Entry point of the judge function: turn the models' answers into a decision and its files."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from gate.decision import registry_entry
from gate.decision.decision import decide
from gate.decision.files import baseline_file, verdict_file
from gate.evidence.answers import Answers, read_answers
from gate.evidence.evidence import Evidence
from gate.evidence.job_output import JobOutput, read_job_output, rows_sha256
from gate.payloads import Contender, JudgeEvent
from gate.report.page import render_report
from gate.report.report import Provenance, Report
from gate.settings import Settings
from gate.statistics.verdict import Thresholds
from shared.errors import EvidenceError
from shared.function import client, failures_logged
from shared.storage import ObjectStore, Recorded

logger = Logger()


@logger.inject_lambda_context
def handler(event: JudgeEvent, context: LambdaContext) -> dict[str, Any]:
    """Handle the call; see `run`."""
    with failures_logged(logger, "judging failed"):
        result = run(event, os.environ, client("s3"), datetime.now(UTC))
    logger.info("judged", status=result["status"], summary=result["summary"], numbers=result["numbers"])
    return result


def run(event: JudgeEvent, environment: Mapping[str, str], s3: Any, now: datetime) -> dict[str, Any]:
    """Judge with the given boto3 client for S3; `now` is in UTC.

    Raises FunctionError: MisconfiguredError, EvidenceError for a wrong output of the job, or StorageError.
    """
    settings = Settings.from_environment(environment)
    store = ObjectStore(s3)
    plan, training, request = event["plan"], event["training"], event["request"]
    output = read_job_output(store, training["output_uri"])
    if (rows_sha256(output.rows) if output.rows else None) != plan["rows_sha256"]:
        problem = "has other test rows than when the models were asked. Next: find out who wrote it, and train anew"
        raise EvidenceError(training["output_uri"], problem)
    evidence = collect_evidence(event, output, store)
    thresholds = Thresholds.from_request(request["gate"])
    decision = decide(evidence, thresholds, request["approval"])
    created = now.isoformat(timespec="seconds")
    summary = registry_entry.summary(decision)
    report = Report(
        decision=decision,
        summary=summary,
        evidence=evidence,
        provenance=_provenance(event, created, settings.model_package_group),
    )
    facts = {
        "training_job": training["job_name"],
        "test_sha256": plan["test_sha256"],
        "compared_with": decision.champion_version,
        "tuning": training.get("tuning"),
    }
    folder = settings.evaluation_uri(training["job_name"], plan["token"])
    report_uri, verdict_uri, baseline_uri = f"{folder}report.html", f"{folder}verdict.json", f"{folder}baseline.json"
    store.write(report_uri, render_report(report).encode(errors="replace"), "text/html; charset=utf-8")
    store.write(verdict_uri, verdict_file(decision, output, created=created, facts=facts), "application/json")
    store.write(baseline_uri, baseline_file(evidence), "application/json")
    return {
        "passed": decision.outcome == "passed",
        "status": decision.status,
        "summary": summary,
        "metadata": registry_entry.metadata(
            decision,
            evidence=_recorded(event)["challenger"],
            test_sha256=plan["test_sha256"],
            rows_sha256=plan["rows_sha256"],
            report=report_uri,
        ),
        "report_uri": report_uri,
        "statistics_uri": verdict_uri,
        "baseline_uri": baseline_uri,
        "numbers": registry_entry.numbers(decision),
    }


def collect_evidence(event: JudgeEvent, output: JobOutput, store: ObjectStore) -> Evidence:
    """Read the answers of both models, or why there are none."""
    champion, recorded = event["plan"]["champion"], _recorded(event)
    failed = {score["who"]: score for score in event["scores"] or () if score["error"] is not None}

    def answers(who: Contender, problem: str | None = None) -> Answers:
        if who in failed:
            reason = failed[who]["error"] or "no reason was given"
            return Answers(problem=reason, asked=failed[who].get("asked") is not False)
        if not output.rows:
            return Answers()
        return read_answers(store, recorded[who], output) if problem is None else Answers(problem=problem)

    return Evidence(
        output=output,
        challenger=answers("challenger"),
        champion=answers("champion", champion["problem"]) if champion else Answers(),
        champion_version=champion["version"] if champion else None,
        own_rows=event["request"]["mode"] == "judge"
        and (champion is None or champion["rows_sha256"] != rows_sha256(output.rows)),
    )


def _recorded(event: JudgeEvent) -> dict[Contender, Recorded | None]:
    """Return what was recorded of each model's answers, in this execution or on the champion's package."""
    champion = event["plan"]["champion"]
    found: dict[Contender, Recorded | None] = {"challenger": None, "champion": champion and champion["evidence"]}
    return found | {score["who"]: score.get("evidence") for score in event["scores"] or ()}


def _provenance(event: JudgeEvent, created: str, package_group: str) -> Provenance:
    training, data, plan = event["training"], event["data"] or {}, event["plan"]
    return Provenance(
        job_name=training["job_name"],
        package_group=package_group,
        created=created,
        data_source=data.get("source") or training.get("data_source"),
        data_sha256=data.get("data_sha256"),
        test_sha256=plan["test_sha256"],
        code_version=training.get("code_uri") or None,
        image=plan["challenger"]["image"],
        hyperparameters=training.get("hyperparameters") or {},
        tuning=training.get("tuning"),
    )
