"""What the tasks of the bulk workflow answer when everything goes well."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from states_interpreter import TaskFailed
from workflow_samples import PACKAGE, PARTS, serves

from stacks.bulk.definition import bulk_definition
from stacks.common.s3_folder import S3Folder

ROLE = "arn:aws:iam::111122223333:role/bulk"
INPUT = {"input": "s3://data/bulk/reviews/"}
CONTEXT = {"Execution": {"Id": "arn:aws:states:us-east-1:111122223333:execution:bulk:run-1", "Name": "run-1"}}
"""What the states find in `$states.context`."""
PLAN = {"read": 12, "errors": 2, "answered_before": 0, "to_score": 10, "hours": 0.1, "instance_hours": 0.1, "cost": 1}
COUNTS = {"read": 12, "scored": 10, "errors": 2}
WORKFLOW = bulk_definition(
    PARTS,
    role_arn=ROLE,
    runs=S3Folder(bucket_name="artifacts", bucket_arn="arn:aws:s3:::artifacts", prefix="bulk"),
)


def said(summary: dict[str, Any]) -> Callable[[Any], Any]:
    """A processing job that leaves this."""
    return lambda _: {"ProcessingJobStatus": "Completed", "ExitMessage": json.dumps(summary)}


def failed(job: dict[str, Any]) -> Callable[[Any], Any]:
    """A job that ends so."""

    def failing(_: Any) -> Any:
        raise TaskFailed("States.TaskFailed", json.dumps(job))

    return failing


def tasks(**changed: Callable[[Any], Any]) -> dict[str, Callable[[Any], Any]]:
    """State → its task; `changed` by the names of states, with _ for a blank."""
    well = {
        "Look at champion": serves(PACKAGE),
        "Keep request": lambda _: {"ETag": "1"},
        "Prepare": said(PLAN),
        **{state: lambda _: {} for state in ("Create model", "Score", "Stop scoring", "Delete model")},
        "Join": said(COUNTS),
    }
    return well | {name.replace("_", " "): task for name, task in changed.items()}
