"""The release workflow, which puts an approved model package into service: start it and follow it.

An approval starts it by itself (an EventBridge rule). Starting it with an older package's ARN is a rollback.
"""

import json
import time

from operations.aws import executions
from operations.aws.deployment import Deployment
from operations.console import say
from operations.errors import OperationError

EVENT_SECONDS = 60.0  # how long an approval's event may take to start the workflow; seconds on AWS
MACHINE = "ReleaseStateMachineArn"


def start(deployment: Deployment, package_arn: str) -> str:
    """Start the release of a package, as a person does in the console, and return the execution's ARN."""
    return executions.start(deployment, deployment.output(MACHINE), {"model_package_arn": package_arn})


def started_for(deployment: Deployment, package_arn: str, known: set[str]) -> str:
    """Wait for the execution that the package's approval starts; `known` are those that existed before it."""
    deadline = time.monotonic() + EVENT_SECONDS
    while time.monotonic() < deadline:
        for execution in executions.newest(deployment, deployment.output(MACHINE)):
            arn = execution["executionArn"]
            if arn not in known and executions.input_of(deployment, arn).get("model_package_arn") == package_arn:
                return str(arn)
        time.sleep(executions.POLL_SECONDS)
    raise OperationError(
        f"The approval of {package_arn} started no release within {EVENT_SECONDS:.0f} s.",
        hint=f"start it: make rollback PACKAGE={package_arn.rsplit('/', 1)[-1]}",
    )


def all_known(deployment: Deployment) -> set[str]:
    """Return the ARNs of all releases so far."""
    return {execution["executionArn"] for execution in executions.newest(deployment, deployment.output(MACHINE))}


def follow(deployment: Deployment, execution: str) -> str:
    """Show a release's states until it ends, and return its outcome, such as `released`."""
    shown: set[str] = set()

    def show(event: executions.Event) -> None:
        state = executions.entered(event)
        if state and state not in shown:  # the states of a wait are entered again and again
            shown.add(state)
            say(f"  release: {state}")

    description = executions.follow(deployment, execution, show)
    if description["status"] != executions.SUCCEEDED:
        raise OperationError(
            f"The release ended {description['status']}: {executions.why(description)}\n"
            f"The model now: {deployment.ask_model()[1]}",
            hint="`make logs` shows what the new endpoint said; `make releases` what was decided",
        )
    return str(json.loads(description["output"])["outcome"])
