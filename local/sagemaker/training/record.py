"""The record of one training job: its statuses, the transitions between them, and the events they cause."""

from __future__ import annotations

import time
from typing import Any

from local.sagemaker.api import events
from local.sagemaker.common.scope import Scope
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

KIND = "training-job"
RUNNING = ("InProgress", "Stopping")
_REASON_LENGTH = 1024

_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Failed": "Training job failed",
}


class TrainingRecord:
    """Reads and changes the stored record of one job; every change of status is announced."""

    def __init__(self, context: Context, scope: Scope, name: str) -> None:
        self._context = context
        self._scope = scope
        self.name = name

    def read(self) -> Record:
        """The record; empty when the job is gone."""
        return self._context.store.get(KIND, self._scope, self.name) or {}

    def change(self, **changes: Any) -> None:
        """Change members without a change of status."""
        self._context.store.update(KIND, self._scope, self.name, LastModifiedTime=time.time(), **changes)

    def enter(self, secondary: str, **changes: Any) -> None:
        """Begin the next phase (SecondaryStatus)."""
        with self._context.store.lock:
            now = time.time()
            transitions = self.read().get("SecondaryStatusTransitions", [])
            if transitions:
                transitions[-1].setdefault("EndTime", now)
            transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": _MESSAGES[secondary]})
            self.change(SecondaryStatus=secondary, SecondaryStatusTransitions=transitions, **changes)
        job = self.read()
        tags = self._context.tags.of(self._scope, job["TrainingJobArn"])
        events.training_job_changed(self._context.outbox, self._scope, job, tags)

    def finish(self, status: str, secondary: str, reason: str = "") -> None:
        """End the job as Completed, Stopped or Failed (then with a reason)."""
        now = time.time()
        job = self.read()
        changes: dict[str, Any] = {"TrainingJobStatus": status, "TrainingEndTime": now}
        if "TrainingStartTime" in job:
            seconds = max(1, round(now - job["TrainingStartTime"]))
            changes |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        if reason:
            changes["FailureReason"] = shortened(reason, _REASON_LENGTH)
        self.enter(secondary, **changes)


def shortened(text: str, length: int) -> str:
    """`text`, its middle cut out if it is longer than `length`."""
    if len(text) <= length:
        return text
    head = length // 3
    return f"{text[:head]} … {text[-(length - head - 3) :]}"
