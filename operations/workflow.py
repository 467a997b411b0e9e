"""The training workflow, a Step Functions state machine: start it, follow it, read the verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from operations import command, executions
from operations.deployment import Deployment
from operations.errors import TrainingFailed
from operations.training_log import TrainingLog

# As stacks/components names them.
CHECK_STATE, INGEST_STATE = "Check input", "Ingest data"
APPROVED = "Approved"


@dataclass(frozen=True)
class Run:
    """What a finished execution came to.

    Attributes:
        package: ARN of the model package that it registered.
        approved: whether the gate approved it, which starts the release.
        status: the package's approval status after the verdict.
        summary: the verdict with its numbers, as it stands on the package.
    """

    package: str
    approved: bool
    status: str
    summary: str


def start(deployment: Deployment, overrides: dict[str, Any]) -> str:
    """Start the workflow; answers the execution's ARN.

    Args:
        overrides: the execution's input (docs/execution-input.md); `{}` runs everything as configured.
    """
    return executions.start(deployment, deployment.output("StateMachineArn"), overrides)


def running(deployment: Deployment) -> str | None:
    """ARN of a training run that is under way, or None."""
    under_way = executions.newest(deployment, deployment.output("StateMachineArn"), executions.RUNNING)
    return next((execution["executionArn"] for execution in under_way), None)


def input_of(deployment: Deployment, execution: str) -> dict[str, Any]:
    """What an execution was started with."""
    return json.loads(executions.describe(deployment, execution)["input"])


def follow(deployment: Deployment, execution: str) -> Run:
    """Show the execution's states and its training job's log until it ends.

    Raises:
        TrainingFailed: with the error and cause that the console shows.
    """
    log: TrainingLog | None = None

    def show(event: executions.Event) -> None:
        nonlocal log
        if state := executions.entered(event):
            command.say(f"  state {state}")
        request = executions.left_with(event, CHECK_STATE)
        if "job_name" in request:
            command.say(f"  training job {request['job_name']}")
            log = TrainingLog(deployment, request["job_name"])
        data = executions.left_with(event, INGEST_STATE)
        if "source" in data:
            command.say(f"  data from {data['source']}")
            if data["fell_back"]:
                command.say(f"  NOTE: the bundled synthetic data set stands in: {data['reason']}")

    return result(executions.follow(deployment, execution, show, lambda: log.show_new() if log else None))


def result(description: dict[str, Any]) -> Run:
    """What a finished execution came to; raises TrainingFailed where it did not succeed."""
    if description["status"] != executions.SUCCEEDED:
        raise TrainingFailed(
            f"The training workflow ended {description['status']}: {description.get('error', '')}\n"
            f"{description.get('cause', '')}",
            hint="mend what it names and `make train` again; `make logs` shows the job's last lines. "
            "The released model keeps serving.",
        )
    output = json.loads(description["output"])
    verdict = output["verdict"]
    return Run(
        package=output["model_package_arn"],
        approved=verdict["status"] == APPROVED,
        status=verdict["status"],
        summary=verdict["summary"],
    )
