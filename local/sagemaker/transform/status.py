"""The record of one transform job: its statuses and the events they cause."""

from __future__ import annotations

import time
from typing import Any

from local.sagemaker.api import events
from local.sagemaker.common.scope import Scope
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record
from local.sagemaker.training.record import shortened

KIND = "transform-job"
RUNNING = ("InProgress", "Stopping")
_REASON_LENGTH = 1024


class TransformStatus:
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

    def enter(self, status: str, **changes: Any) -> None:
        """Change the status."""
        self.change(TransformJobStatus=status, **changes)
        job = self.read()
        tags = self._context.tags.of(self._scope, job["TransformJobArn"])
        events.transform_job_changed(self._context.outbox, self._scope, job, tags)

    def finish(self, status: str, reason: str = "") -> None:
        """End the job as Completed, Stopped or Failed (then with a reason)."""
        changes: dict[str, Any] = {"TransformEndTime": time.time()}
        if reason:
            changes["FailureReason"] = shortened(reason, _REASON_LENGTH)
        self.enter(status, **changes)
