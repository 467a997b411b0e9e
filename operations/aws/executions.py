"""Executions of the state machines: start one, see whether one runs, follow it state by state to its end."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from operations.aws.deployment import Deployment

POLL_SECONDS = 1.0
RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"
BULK_MACHINE = "BulkStateMachineArn"  # output of the stack that has it

Event = dict[str, Any]


def start(deployment: Deployment, machine: str, document: dict[str, Any]) -> str:
    """Start an execution with an input, as *Start execution* does in the console, and return its ARN."""
    started = deployment.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(document))
    return str(started["executionArn"])


def newest(deployment: Deployment, machine: str, status: str = "") -> Iterator[dict[str, Any]]:
    """Yield the executions of a state machine, the latest first; those with `status` alone where it is given."""
    wanted = {"stateMachineArn": machine, **({"statusFilter": status} if status else {})}
    for page in deployment.client("stepfunctions").get_paginator("list_executions").paginate(**wanted):
        yield from sorted(page["executions"], key=lambda execution: execution["startDate"], reverse=True)


def running(deployment: Deployment, machine: str) -> str | None:
    """Return the ARN of an execution that is under way, or None."""
    return next((execution["executionArn"] for execution in newest(deployment, machine, RUNNING)), None)


def describe(deployment: Deployment, execution: str) -> dict[str, Any]:
    """Return status, input, and at the end the output or error and cause."""
    described = deployment.client("stepfunctions").describe_execution(executionArn=execution)
    return cast(dict[str, Any], described)


def why(description: dict[str, Any]) -> str:
    """Return error and cause of a failed execution; a cause may begin with the error's name."""
    error, cause = description.get("error") or "no error told", description.get("cause") or ""
    return cause if cause.startswith(f"{error}:") else f"{error}: {cause}".rstrip(": ")


def input_of(deployment: Deployment, execution: str) -> dict[str, Any]:
    """Return what an execution was started with."""
    return cast(dict[str, Any], json.loads(describe(deployment, execution)["input"]))


def follow(
    deployment: Deployment, execution: str, show: Callable[[Event], None], meanwhile: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Wait until an execution ends, and return its description.

    `show` is called with every event of the history, once, in order; `meanwhile` at every look, after the events.
    """
    client = deployment.client("stepfunctions")
    shown: set[int] = set()
    while True:
        description: dict[str, Any] = client.describe_execution(executionArn=execution)
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
    """Return the name of the state that this event enters, or None."""
    return event["stateEnteredEventDetails"]["name"] if event["type"].endswith("StateEntered") else None


def left_with(event: Event, state: str) -> dict[str, Any]:
    """Return the output of `state` where this event is its end; otherwise an empty object."""
    details = event.get("stateExitedEventDetails", {})
    output = json.loads(details["output"]) if details.get("name") == state and details.get("output") else {}
    return output if isinstance(output, dict) else {}
