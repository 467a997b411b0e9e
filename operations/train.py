"""Run the training workflow (collect the data, train, register a model package) and release its model.

The same state machine runs from the Step Functions console with `{}`. Ctrl-C leaves it running; calling this
again attaches to the run that is under way.
"""

from __future__ import annotations

import json
from typing import Any

from operations import command, status, workflow
from operations.deployment import Deployment, connect
from operations.errors import OperationError
from operations.release import release


def train_and_release(deployment: Deployment, overrides: dict[str, Any]) -> None:
    """One run of the workflow, then the release of its package.

    Raises:
        TrainingFailed: the run failed; nothing was released.
        ReleaseFailed: the package's endpoint did not come up; the champion serves.
    """
    execution = workflow.running(deployment)
    if execution is None:
        execution = workflow.start(deployment, overrides)
        command.say(f"Started {execution}")
    else:
        command.say(f"Following the run under way: {execution}")
    package = workflow.follow(deployment, execution)
    command.say(f"Registered {package}")
    release(deployment, package)
    if deployment.endpoint_url:
        status.write(deployment)
    command.say(f"Released model version {deployment.model_version}")


def hyperparameters(pairs: list[str]) -> dict[str, str]:
    """`["epochs=3"]` → `{"epochs": "3"}`.

    Raises:
        OperationError: an item is not NAME=VALUE.
    """
    wrong = [pair for pair in pairs if "=" not in pair or pair.startswith("=")]
    if wrong:
        raise OperationError(f"Not NAME=VALUE: {', '.join(wrong)}.", hint='make train HYPERPARAMETERS="epochs=3"')
    return dict(pair.split("=", 1) for pair in pairs)


def main() -> int:
    """Start the workflow with the overrides given on the command line."""
    parser = command.parser(__doc__)
    parser.add_argument("--hyperparameter", action="append", default=[], metavar="NAME=VALUE",
                        help="override one hyperparameter (python training_job/train.py --help lists them)")
    parser.add_argument("--data-source", help="https:// or s3:// address of train.json and test.json for this run")
    arguments = parser.parse_args()
    overrides: dict[str, Any] = {}
    if arguments.hyperparameter:
        overrides["hyperparameters"] = hyperparameters(arguments.hyperparameter)
    if arguments.data_source:
        overrides["data_source"] = arguments.data_source
    command.say(f"Input of the execution: {json.dumps(overrides)}")
    train_and_release(connect(arguments.env), overrides)
    return 0


if __name__ == "__main__":
    command.run(main, "The workflow goes on; `make train` follows it again, `make logs` shows it.")
