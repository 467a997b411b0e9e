"""The training workflow, a Step Functions state machine: start it, follow it, read what came out."""

from __future__ import annotations

import json
import time
from typing import Any

from operations import command
from operations.deployment import Deployment
from operations.errors import TrainingFailed
from operations.training_log import TrainingLog

POLL_SECONDS = 1.5
RUNNING = "RUNNING"
INGEST_STATE = "Ingest data"  # as stacks/components/training_definition.py names it


def start(deployment: Deployment, overrides: dict[str, Any]) -> str:
    """Start an execution, as *Start execution* does in the console; answers its ARN.

    Args:
        overrides: the execution's input; `{}` runs everything as configured.
    """
    machine = deployment.output("StateMachineArn")
    return deployment.client("stepfunctions").start_execution(
        stateMachineArn=machine, input=json.dumps(overrides))["executionArn"]


def running(deployment: Deployment) -> str | None:
    """ARN of an execution that is under way, or None."""
    found = deployment.client("stepfunctions").list_executions(
        stateMachineArn=deployment.output("StateMachineArn"), statusFilter=RUNNING)["executions"]
    return found[0]["executionArn"] if found else None


def follow(deployment: Deployment, execution: str) -> str:
    """Show the execution's states and its training job's log until it ends.

    Returns:
        ARN of the model package that it registered.

    Raises:
        TrainingFailed: with the error and cause that the console shows.
    """
    client = deployment.client("stepfunctions")
    shown: set[int] = set()
    log: TrainingLog | None = None
    while True:
        description = client.describe_execution(executionArn=execution)
        for event in _new_events(client, execution, shown):
            if event["type"].endswith("StateEntered"):
                command.say(f"  state {event['stateEnteredEventDetails']['name']}")
            ingest = _ingest_result(event)
            if ingest and log is None:
                command.say(f"  data from {ingest['source']}")
                if ingest["fell_back"]:
                    command.say(f"  NOTE: the bundled synthetic data set stands in: {ingest['reason']}")
                command.say(f"  training job {ingest['job_name']}")
                log = TrainingLog(deployment, ingest["job_name"])
        if log:
            log.show_new()
        if description["status"] != RUNNING:
            return _result(description)
        time.sleep(POLL_SECONDS)


def _new_events(client: Any, execution: str, shown: set[int]) -> list[dict[str, Any]]:
    """History events that were not seen before."""
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
    fresh = [event for page in pages for event in page["events"] if event["id"] not in shown]
    shown.update(event["id"] for event in fresh)
    return fresh


def _ingest_result(event: dict[str, Any]) -> dict[str, Any] | None:
    """What the ingest step answered, where this event is its end and it did not fail."""
    details = event.get("stateExitedEventDetails", {})
    answer = json.loads(details["output"]) if details.get("name") == INGEST_STATE else {}
    return answer if "job_name" in answer else None


def _result(description: dict[str, Any]) -> str:
    """ARN of the model package that a finished execution registered."""
    if description["status"] != "SUCCEEDED":
        raise TrainingFailed(
            f"The training workflow ended {description['status']}: {description.get('error', '')}\n"
            f"{description.get('cause', '')}",
            hint="mend what it names and `make train` again; `make logs` shows the job's last lines. "
                 "The released model keeps serving.")
    return json.loads(description["output"])["model_package_arn"]
