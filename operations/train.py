"""Run the training workflow (collect the data, train, gather evidence, judge, register) and follow the release.

The same state machine runs from the Step Functions console with `{}`. Ctrl-C leaves it running; calling this
again attaches to the run that is under way. A package that the gate approves is released by itself.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from operations import command, registry, release, workflow
from operations.deployment import Deployment, connect
from operations.errors import NotApproved, OperationError

APPROVALS = ("auto", "manual", "never")


def train_and_release(deployment: Deployment, overrides: dict[str, Any]) -> None:
    """One run of the workflow, then, where the gate approves, the release that the approval starts.

    Raises:
        TrainingFailed: the run failed; nothing was released.
        NotApproved: the gate did not approve the model; the champion serves.
        OperationError: a run with another input is under way.
        ReleaseFailed: the package did not go into service; the champion serves.
    """
    known = release.all_known(deployment)
    execution = workflow.running(deployment)
    if execution is None:
        execution = workflow.start(deployment, overrides)
        command.say(f"Started {execution}")
    elif workflow.input_of(deployment, execution) != overrides:
        raise OperationError(
            f"Another run is under way, with another input: {execution}.",
            hint="wait for it (make logs shows it), or stop it in the Step Functions console",
        )
    else:
        command.say(f"Following the run under way: {execution}")
    run = workflow.follow(deployment, execution)
    version = run.package.rsplit("/", 1)[-1]
    command.say(f"Registered {run.package}\n{run.status}: {run.summary}")
    if not run.approved:
        next_step = f"make report PACKAGE={version} shows the figures; make approve PACKAGE={version} releases it"
        if run.status == registry.PENDING or overrides.get("approval") == "never":
            command.say(f"Next step: {next_step}")
            return
        raise NotApproved(f"Model version {version} was not approved.", hint=next_step)
    outcome = release.follow(deployment, release.started_for(deployment, run.package, known))
    release.tell(deployment, outcome)


def hyperparameters(pairs: list[str]) -> dict[str, str]:
    """`["epochs=3"]` → `{"epochs": "3"}`.

    Raises:
        OperationError: an item is not NAME=VALUE.
    """
    wrong = [pair for pair in pairs if "=" not in pair or pair.startswith("=")]
    if wrong:
        raise OperationError(f"Not NAME=VALUE: {', '.join(wrong)}.", hint='make train HYPERPARAMETERS="epochs=3"')
    return dict(pair.split("=", 1) for pair in pairs)


def overrides_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The execution's input that the command line asks for; what is left out is the configuration's.

    Raises:
        OperationError: `--input` is not a JSON object.
    """
    try:
        made = json.loads(arguments.input or "{}")
    except ValueError as error:
        raise OperationError(f"INPUT is not JSON: {error}.", hint="""make train INPUT='{"spot": true}'""") from error
    if not isinstance(made, dict):
        raise OperationError("INPUT is not a JSON object.", hint="""make train INPUT='{"spot": true}'""")
    if arguments.hyperparameter:
        made["hyperparameters"] = {**made.get("hyperparameters", {}), **hyperparameters(arguments.hyperparameter)}
    given = {
        "data_source": arguments.data_source,
        "training_job": arguments.training_job,
        "approval": arguments.approval,
    }
    return {**made, **{name: value for name, value in given.items() if value}}


def main() -> int:
    """Start the workflow with the overrides given on the command line."""
    parser = command.parser(__doc__)
    parser.add_argument(
        "--hyperparameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="override one hyperparameter (python training_job/train.py --help lists them)",
    )
    parser.add_argument("--data-source", help="https:// or s3:// address of train.json and test.json for this run")
    parser.add_argument("--training-job", help="judge and register this finished training job instead of a new one")
    parser.add_argument("--approval", choices=APPROVALS, help="what follows a good verdict; default: the configuration")
    parser.add_argument("--input", help="any other input of the execution, as JSON (docs/execution-input.md)")
    arguments = parser.parse_args()
    overrides = overrides_of(arguments)
    command.say(f"Input of the execution: {json.dumps(overrides)}")
    train_and_release(connect(arguments.env), overrides)
    return 0


if __name__ == "__main__":
    command.run(main, "The workflow goes on; `make train` follows it again, `make logs` shows it.")
