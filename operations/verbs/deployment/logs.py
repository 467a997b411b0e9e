"""The newest log lines, and why the last runs failed."""

import argparse
import time
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from operations.aws import executions, releases, training
from operations.aws.deployment import PROJECT, Deployment, connect
from operations.console import Answer

PREFIXES = ("/aws/sagemaker/", f"/aws/lambda/{PROJECT}-", f"/{PROJECT}/")
NEWEST_FAILURES = 3


def logs(arguments: argparse.Namespace) -> Answer:
    """Show why the last runs failed, then the newest log lines of training jobs, endpoint, Lambdas and workflows.

    For example: make logs ARGS="--lines 50 --hours 1", python -m operations logs --json
    """
    deployment = connect(arguments.env)
    failed = _failures(deployment)
    lines = [f"FAILED {failure}" for failure in failed]
    client = deployment.client("logs")
    pages = [page for prefix in PREFIXES for page in _pages(client, "describe_log_groups", logGroupNamePrefix=prefix)]
    since = int((time.time() - arguments.hours * 3600) * 1000)
    groups: dict[str, list[dict[str, Any]]] = {}
    for group in sorted({group["logGroupName"] for page in pages for group in page["logGroups"]}):
        lines.append(f"\n== {group}")
        found = _pages(client, "filter_log_events", logGroupName=group, startTime=since)
        events = sorted((event for page in found for event in page["events"]), key=lambda event: event["timestamp"])
        groups[group] = []
        for event in events[-arguments.lines :]:
            when, message = datetime.fromtimestamp(event["timestamp"] / 1000, UTC), event["message"].rstrip()
            job = f" {event['logStreamName'].split('/')[0]}" if group == training.LOG_GROUP else ""
            lines.append(f"{when:%Y-%m-%d %H:%M:%S}{job}  {message}")
            groups[group].append({"time": when.isoformat(), "stream": event["logStreamName"], "message": message})
    return Answer({"failures": failed, "groups": groups}, "\n".join(lines))


def _pages(client: Any, operation: str, **wanted: Any) -> list[dict[str, Any]]:
    return list(client.get_paginator(operation).paginate(**wanted))


def _failures(deployment: Deployment) -> list[str]:
    """Return one line for each of the last failed workflow runs and training jobs, with its reason."""
    found = []
    for what, output in (("training", training.MACHINE), ("release", releases.MACHINE)):
        for execution in islice(executions.newest(deployment, deployment.output(output), "FAILED"), NEWEST_FAILURES):
            description = executions.describe(deployment, execution["executionArn"])
            found.append(f"{what} workflow {execution['name']}: {description.get('error')}: {description.get('cause')}")
    sagemaker = deployment.client("sagemaker")
    jobs = sagemaker.list_training_jobs(
        StatusEquals="Failed",
        NameContains=f"{PROJECT}-{deployment.env}",
        MaxResults=NEWEST_FAILURES,
        SortBy="CreationTime",
        SortOrder="Descending",
    )
    for name in (job["TrainingJobName"] for job in jobs["TrainingJobSummaries"]):
        reason = sagemaker.describe_training_job(TrainingJobName=name).get("FailureReason")
        found.append(f"training job {name}: {reason}")
    return found
