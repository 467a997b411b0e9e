"""The newest log lines, and why the last runs failed."""

import argparse
import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from operations.aws import executions, releases, training
from operations.aws.deployment import PROJECT, Deployment, connect
from operations.console import Answer

STATES = f"/aws/vendedlogs/states/{PROJECT}-"
PREFIXES = ("/aws/sagemaker/", f"/aws/lambda/{PROJECT}-", f"/{PROJECT}/", STATES)
WORKFLOWS = {"training": training.MACHINE, "release": releases.MACHINE, "bulk scoring": executions.BULK_MACHINE}
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
            told = _state(message) if group.startswith(STATES) else message
            lines.append(f"{when:%Y-%m-%d %H:%M:%S}{job}  {told}")
            groups[group].append({"time": when.isoformat(), "stream": event["logStreamName"], "message": message})
    return Answer({"failures": failed, "groups": groups}, "\n".join(lines), whole=True)


def _pages(client: Any, operation: str, **wanted: Any) -> list[dict[str, Any]]:
    return list(client.get_paginator(operation).paginate(**wanted))


def _state(message: str) -> str:
    """Return execution, event and state of a workflow's log line, and an error's cause; --json has the line itself."""
    with suppress(ValueError, KeyError, TypeError):
        event = json.loads(message)
        known = [event["details"][name] for name in ("name", "error", "cause") if name in event["details"]]
        return " ".join((event["execution_arn"].rpartition(":")[2], event["type"], *known))
    return message


def _failures(deployment: Deployment) -> list[str]:
    """Return one line for each of the last failed workflow runs and training jobs, with its reason."""
    found = []
    if not deployment.outputs:
        deployment.output(training.MACHINE)  # an error that says where to deploy
    for what, output in WORKFLOWS.items():
        machine = deployment.outputs.get(output)  # an environment that was never deployed in full lacks some
        failed = executions.newest(deployment, machine, "FAILED") if machine else ()
        for execution in islice(failed, NEWEST_FAILURES):
            told = executions.why(executions.describe(deployment, execution["executionArn"]))
            found.append(f"{what} workflow {execution['name']}: {told}")
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
