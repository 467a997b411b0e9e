"""The training workflow, a Step Functions state machine: start it, follow it, read the verdict."""

import json
from typing import Any

from operations.aws import executions
from operations.aws.deployment import Deployment
from operations.aws.training_log import TrainingLog
from operations.console import say
from operations.errors import OperationError

MACHINE = "StateMachineArn"
CHECKED = "Checked"
CHECK_STATE, INGEST_STATE = "Check input", "Ingest data"  # as the training stack names them


def start_or_join(deployment: Deployment, overrides: dict[str, Any]) -> str:
    """Start the workflow with this input, or join the run under way that has the same; return the execution's ARN."""
    machine = deployment.output(MACHINE)
    execution = executions.running(deployment, machine)
    if execution is None:
        execution = executions.start(deployment, machine, overrides)
        say(f"Started {execution}")
    elif executions.input_of(deployment, execution) != overrides:
        raise OperationError(
            f"Another run is under way, with another input: {execution}.",
            hint="wait for it (make logs shows it), or stop it in the Step Functions console",
        )
    else:
        say(f"Following the run under way: {execution}")
    return execution


def follow(deployment: Deployment, execution: str) -> dict[str, str]:
    """Show the execution's states and its training job's log until it ends, and return its `result`."""
    log: TrainingLog | None = None

    def show(event: executions.Event) -> None:
        nonlocal log
        if state := executions.entered(event):
            say(f"  state {state}")
        request = executions.left_with(event, CHECK_STATE)
        if "job_name" in request:
            say(f"  training job {request['job_name']}")
            log = TrainingLog(deployment, request["job_name"])
        data = executions.left_with(event, INGEST_STATE)
        if "source" in data:
            say(f"  data from {data['source']}")
            if data["fell_back"]:
                say(f"  NOTE: the bundled synthetic data set stands in: {data['reason']}")

    return result(executions.follow(deployment, execution, show, lambda: log.show_new() if log else None))


def result(description: dict[str, Any]) -> dict[str, str]:
    """Return of a finished execution `package` (its ARN), `status` and `summary`, which begins with the status."""
    if description["status"] != executions.SUCCEEDED:
        raise OperationError(
            f"The training workflow ended {description['status']}: {description.get('error', '')}\n"
            f"{description.get('cause', '')}",
            hint="fix what it names and `make train` again; `make logs` shows the job's last lines. "
            "The released model is not touched.",
        )
    output = json.loads(description["output"])
    if "verdict" not in output:  # an input with `dry_run`
        return {"package": "", "status": CHECKED, "summary": "The input is good; nothing was trained."}
    return {"package": output["model_package_arn"], **{name: output["verdict"][name] for name in ("status", "summary")}}
