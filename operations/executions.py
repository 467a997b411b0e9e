"""Executions of the two state machines: start one, see whether one runs, follow it state by state to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from operations.deployment import Deployment

POLL_SECONDS = 1.0
RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"

Event = dict[str, Any]


def start(deployment: Deployment, machine: str, document: dict[str, Any]) -> str:
    """Start an execution, as *Start execution* does in the console; answers its ARN.

    Args:
        machine: ARN of the state machine.
        document: the execution's input.
    """
    return deployment.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(document))[
        "executionArn"
    ]


def newest(deployment: Deployment, machine: str, status: str = "") -> Iterator[dict[str, Any]]:
    """Executions of a state machine, the latest first; of one status where it is given."""
    wanted = {"stateMachineArn": machine, **({"statusFilter": status} if status else {})}
    for page in deployment.client("stepfunctions").get_paginator("list_executions").paginate(**wanted):
        yield from sorted(page["executions"], key=lambda execution: execution["startDate"], reverse=True)


def describe(deployment: Deployment, execution: str) -> dict[str, Any]:
    """Status, input, and at its end the output or error and cause."""
    return deployment.client("stepfunctions").describe_execution(executionArn=execution)


def follow(
    deployment: Deployment, execution: str, show: Callable[[Event], None], meanwhile: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Wait until an execution ends; answers its description.

    Args:
        show: called with every event of the history, once, in order.
        meanwhile: called at every look, after the events.
    """
    client = deployment.client("stepfunctions")
    shown: set[int] = set()
    while True:
        description = client.describe_execution(executionArn=execution)
        for page in client.get_paginator("get_execution_history").paginate(executionArn=execution):
            for event in page["events"]:
                if event["id"] not in shown:
                    shown.add(event["id"])
                    show(event)
        meanwhile()
        if description["status"] != RUNNING:
            return description
        time.sleep(POLL_SECONDS)


def entered(event: Event) -> str | None:
    """Name of the state that this event enters, or None."""
    return event["stateEnteredEventDetails"]["name"] if event["type"].endswith("StateEntered") else None


def left_with(event: Event, state: str) -> dict[str, Any]:
    """What `state` handed on, where this event is its end; else nothing."""
    details = event.get("stateExitedEventDetails", {})
    output = json.loads(details["output"]) if details.get("name") == state and details.get("output") else {}
    return output if isinstance(output, dict) else {}
