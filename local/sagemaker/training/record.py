"""The record of one training job: its phases and the transitions between them."""

from __future__ import annotations

import time
from typing import Any

from local.sagemaker.api import events
from local.sagemaker.jobs.record import JobRecord
from local.sagemaker.state.store import Record

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
_STATUSES = {name: name for name in ("Completed", "Stopping", "Stopped", "Failed")} | {"MaxRuntimeExceeded": "Stopped"}
"""TrainingJobStatus of a phase; the other phases do not change it."""


class TrainingRecord(JobRecord):
    """The phases of a training job are its SecondaryStatus."""

    activity = "Training"

    def finish(self, phase: str, reason: str = "", **changes: Any) -> None:
        """End the job with its last phase; `reason` explains a failure."""
        if started := self.read().get("TrainingStartTime"):
            seconds = max(1, round(time.time() - started))
            changes |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        super().finish(phase, reason, **changes)

    def _phase_members(self, phase: str) -> dict[str, Any]:
        now = time.time()
        transitions = self.read().get("SecondaryStatusTransitions", [])
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        transitions.append({"Status": phase, "StartTime": now, "StatusMessage": _MESSAGES[phase]})
        status = {"TrainingJobStatus": _STATUSES[phase]} if phase in _STATUSES else {}
        return {"SecondaryStatus": phase, "SecondaryStatusTransitions": transitions, **status}

    def _announce(self, job: Record) -> None:
        events.training_job_changed(self._context, self.key, job)
