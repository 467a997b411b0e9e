"""Releases: the workflow that puts an approved model package into service. This only starts and follows it.

An approval starts it by itself (an EventBridge rule); starting it with an older package's ARN is a rollback.
"""

from __future__ import annotations

import json
import time
from typing import Any

from operations import command, executions, status
from operations.deployment import Deployment
from operations.errors import ReleaseFailed

EVENT_SECONDS = 60.0  # how long an approval's event may take to start the workflow; on AWS seconds


def start(deployment: Deployment, package_arn: str) -> str:
    """Start the release of a package, as a person does in the console; answers the execution's ARN."""
    machine = deployment.output("ReleaseStateMachineArn")
    return executions.start(deployment, machine, {"model_package_arn": package_arn})


def started_for(deployment: Deployment, package_arn: str, known: set[str]) -> str:
    """ARN of the execution that the package's approval starts; waits for it.

    Args:
        known: executions that existed before the approval.

    Raises:
        ReleaseFailed: none came.
    """
    machine = deployment.output("ReleaseStateMachineArn")
    deadline = time.monotonic() + EVENT_SECONDS
    while time.monotonic() < deadline:
        for execution in executions.newest(deployment, machine):
            arn = execution["executionArn"]
            if arn not in known and _package_of(deployment, arn) == package_arn:
                return arn
        time.sleep(executions.POLL_SECONDS)
    raise ReleaseFailed(
        f"The approval of {package_arn} started no release within {EVENT_SECONDS:.0f} s.",
        hint=f"start it: make rollback PACKAGE={package_arn.rsplit('/', 1)[-1]}",
    )


def under_way(deployment: Deployment) -> str | None:
    """ARN of a release that is under way, or None."""
    machine = deployment.output("ReleaseStateMachineArn")
    running = executions.newest(deployment, machine, executions.RUNNING)
    return next((execution["executionArn"] for execution in running), None)


def all_known(deployment: Deployment) -> set[str]:
    """ARNs of all releases so far."""
    machine = deployment.output("ReleaseStateMachineArn")
    return {execution["executionArn"] for execution in executions.newest(deployment, machine)}


def follow(deployment: Deployment, execution: str) -> str:
    """Show a release's states until it ends; answers what became of it, such as `released`.

    Raises:
        ReleaseFailed: with the workflow's reason; the champion serves as before.
    """
    last = ""

    def show(event: executions.Event) -> None:
        nonlocal last
        state = executions.entered(event)
        if state and state != last:  # a state that waits is entered again and again
            command.say(f"  release: {state}")
        last = state or last

    description = executions.follow(deployment, execution, show)
    if description["status"] != executions.SUCCEEDED:
        raise ReleaseFailed(
            f"The release ended {description['status']}: {description.get('error', '')}\n"
            f"{description.get('cause', '')}\n"
            f"The champion serves: {deployment.released_package or 'none was released yet'}.",
            hint="`make logs` shows what the new endpoint said; `make releases` what was decided",
        )
    return json.loads(description["output"])["outcome"]


def tell(deployment: Deployment, outcome: str) -> None:
    """Say what became of a release and who serves now; on the local cloud status.json says it too."""
    if deployment.endpoint_url:
        status.write(deployment)
    command.say(f"{outcome}: model version {deployment.model_version} serves")


def _package_of(deployment: Deployment, execution: str) -> Any:
    return json.loads(executions.describe(deployment, execution)["input"]).get("model_package_arn")
