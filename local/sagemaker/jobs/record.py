"""The record of a job: its statuses and the events they cause."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from local.sagemaker.common.errors import shortened
from local.sagemaker.common.names import Key
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record


class JobRecord(ABC):
    """Reads and changes the stored record of one job. Every change of status is announced by an event."""

    activity: ClassVar[str]
    """`Training` or `Transform`, as in the members `<activity>JobName` and `<activity>EndTime`."""

    def __init__(self, context: Context, key: Key) -> None:
        self._context = context
        self.key = key

    def read(self) -> Record:
        """Return the record, or an empty one if there is no job."""
        return self._context.store.get(self.key) or {}

    def change(self, **changes: Any) -> None:
        """Change members, but not the status."""
        self._context.store.update(self.key, LastModifiedTime=time.time(), **changes)

    def enter(self, phase: str, **changes: Any) -> None:
        """Begin a phase of the job, change further members with it, and announce it."""
        with self._context.store.lock:
            self.change(**self._phase_members(phase), **changes)
            self._announce(self.read())

    def finish(self, phase: str, reason: str = "", **changes: Any) -> None:
        """End the job with its last phase; `reason` explains a failure."""
        if reason:
            changes["FailureReason"] = shortened(reason)
        self.enter(phase, **{f"{self.activity}EndTime": time.time()}, **changes)

    @abstractmethod
    def _phase_members(self, phase: str) -> dict[str, Any]:
        """Return the members that tell the phase."""

    @abstractmethod
    def _announce(self, job: Record) -> None:
        """Queue the event."""
