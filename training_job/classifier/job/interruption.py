"""Being told to stop: SIGTERM comes two minutes before a spot instance goes, and when somebody stops the job."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOPPED = 128 + signal.SIGTERM
"""Exit status of a process that ended because of SIGTERM, by the shell's convention."""

_log = logging.getLogger(__name__)


class StopRequest:
    """Whether the job was told to stop. Outside of ``deferred()`` it ends at once, inside it the caller looks."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False

    def request(self) -> None:
        """Requests the stop on behalf of another process of the training that was told."""
        self.requested = True

    @contextmanager
    def watched(self) -> Iterator[StopRequest]:
        """Listens to SIGTERM until the block ends."""
        previous = signal.signal(signal.SIGTERM, self._on_signal)
        try:
            yield self
        finally:
            signal.signal(signal.SIGTERM, previous)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Inside the block only ``requested`` is set, so that a checkpoint can be written; then the job ends."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self.requested:
            raise SystemExit(STOPPED)

    def _on_signal(self, number: int, frame: FrameType | None) -> Any:
        self.requested = True
        _log.info("Told to stop (signal %d).", number)
        if not self._deferred:
            raise SystemExit(STOPPED)
