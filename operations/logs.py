"""The newest log lines of training jobs, endpoint, Lambdas and workflow runs, and why the last runs failed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from operations import command, executions, training_log
from operations.deployment import PROJECT, Deployment, connect

PREFIXES = ("/aws/sagemaker/", f"/aws/lambda/{PROJECT}-", f"/{PROJECT}/")
MILLISECONDS = 1000
NEWEST_FAILURES = 3


def groups(deployment: Deployment) -> list[str]:
    """Names of the log groups that belong to this product."""
    client = deployment.client("logs")
    found: list[str] = []
    for prefix in PREFIXES:
        for page in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            found += [group["logGroupName"] for group in page["logGroups"]]
    return sorted(set(found))


def newest(deployment: Deployment, group: str, lines: int, hours: float) -> list[dict[str, Any]]:
    """The last `lines` events of a log group within the last `hours`."""
    since = int((time.time() - hours * 3600) * MILLISECONDS)
    pages = deployment.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    events = [event for page in pages for event in page["events"]]
    return sorted(events, key=lambda event: event["timestamp"])[-lines:]


def failures(deployment: Deployment) -> list[str]:
    """One line for each of the last failed workflow runs and training jobs, with its reason."""
    found = []
    for what, output in (("training", "StateMachineArn"), ("release", "ReleaseStateMachineArn")):
        for execution in islice(executions.newest(deployment, deployment.output(output), "FAILED"), NEWEST_FAILURES):
            description = executions.describe(deployment, execution["executionArn"])
            found.append(f"{what} workflow {execution['name']}: {description.get('error')}: {description.get('cause')}")
    jobs = deployment.client("sagemaker")
    summaries = jobs.list_training_jobs(
        StatusEquals="Failed",
        NameContains=f"{PROJECT}-{deployment.env}",
        MaxResults=NEWEST_FAILURES,
        SortBy="CreationTime",
        SortOrder="Descending",
    )["TrainingJobSummaries"]
    for job in summaries:
        reason = jobs.describe_training_job(TrainingJobName=job["TrainingJobName"]).get("FailureReason")
        found.append(f"training job {job['TrainingJobName']}: {reason}")
    return found


def main() -> int:
    """Print failures first, then the newest lines of every log group."""
    parser = command.parser(__doc__)
    parser.add_argument("--lines", type=int, default=15, help="lines of each log group. Default: %(default)s")
    parser.add_argument("--hours", type=float, default=24, help="how far back. Default: %(default)s")
    arguments = parser.parse_args()
    deployment = connect(arguments.env)
    for failure in failures(deployment):
        command.say(f"FAILED {failure}")
    for group in groups(deployment):
        command.say(f"\n== {group}")
        for event in newest(deployment, group, arguments.lines, arguments.hours):
            when = datetime.fromtimestamp(event["timestamp"] / MILLISECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S")
            job = f" {event['logStreamName'].split('/')[0]}" if group == training_log.GROUP else ""
            command.say(f"{when}{job}  {event['message'].rstrip()}")
    return 0


if __name__ == "__main__":
    command.run(main)
