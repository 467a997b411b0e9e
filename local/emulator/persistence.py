"""Saving ministack's state while it runs; by itself it saves on a clean shutdown only."""

from __future__ import annotations

import asyncio
import logging
import time

from ministack import app
from ministack.core import persistence

logger = logging.getLogger("local.persistence")

_EVERY_SECONDS = 20.0
_PREDICTIONS = ("/restapis/", "/_aws/execute-api/", "/endpoints/")


class Autosave:
    """Saves some seconds after the last change, so that a killed process loses little."""

    def __init__(self) -> None:
        self._dirty = False

    def note_request(self, method: str, path: str) -> None:
        """Take notice of a request that may have changed something. Predictions, the many, change nothing."""
        self._dirty = self._dirty or (method != "GET" and not path.startswith(_PREDICTIONS))

    async def run(self) -> None:
        """Save again and again until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            if self._dirty:
                self._dirty = False
                self.save()

    def save(self) -> None:
        """Write everything. On the event loop on purpose: no request changes the state meanwhile."""
        started = time.monotonic()
        # Not ministack's save_all: it logs a line for each of its hundred services.
        for name, get_state in app._build_persistence_save_dict().items():
            try:
                state = get_state()
            except Exception:  # one broken service must not cost the others their state
                logger.exception("The state of %s could not be collected.", name)
                continue
            if state is not None:
                persistence.save_state(name, state)
        logger.debug("State saved in %.0f ms.", 1000 * (time.monotonic() - started))
