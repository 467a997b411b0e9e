"""Stopping on request: SIGTERM arrives two minutes before a spot instance ends, and when somebody stops the job."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

STOPPED = 128 + signal.SIGTERM
"""Exit status of a process that SIGTERM ended, by the shell's convention."""

_log = logging.getLogger(__name__)


class StopRequest:
    """Whether the job was asked to stop. Outside of `deferred()` it ends at once; inside, the caller checks."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False

    @contextmanager
    def watched(self) -> Iterator[Self]:
        """Handle SIGTERM until the block ends."""
        previous = signal.signal(signal.SIGTERM, self._on_signal)
        try:
            yield self
        finally:
            signal.signal(signal.SIGTERM, previous)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only set `requested` inside the block, so that a checkpoint can be written; end the job after it."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        if self.requested:
            raise SystemExit(STOPPED)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        _log.info("Told to stop (signal %d).", number)
        if not self._deferred:
            raise SystemExit(STOPPED)
