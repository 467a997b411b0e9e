"""One log line a request, written a little later: many lines at a time cost a fifth of what each costs by itself.

Right after an answer the processor's caches hold the network and nothing of the log, so that a line takes 60 µs, which
the next request would wait for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

logger = logging.getLogger("serving")

DELAY_SECONDS = 0.1
"""How long a line may wait; as much of the log is lost with a process that is killed."""


class RequestLog:
    """The lines that wait. Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, dict[str, Any]]] = []

    def add(self, facts: dict[str, Any]) -> None:
        """A request was answered."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(DELAY_SECONDS, self.write)
        self._waiting.append((time.time(), facts))

    def write(self) -> None:
        """Write what waits, with the times at which it happened."""
        lines, self._waiting = self._waiting, []
        if not logger.isEnabledFor(logging.INFO):
            return
        for created, facts in lines:
            values = {"name": logger.name, "levelno": logging.INFO, "levelname": "INFO", "msg": "request"}
            logger.handle(logging.makeLogRecord({**values, "created": created, "facts": facts}))
