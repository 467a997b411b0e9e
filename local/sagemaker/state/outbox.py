"""Outgoing log lines, events and metrics. One thread delivers them in order, so that no caller waits."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from local.sagemaker.common.names import Scope
from local.sagemaker.common.surroundings import Surroundings

logger = logging.getLogger(__name__)

_GATHER_SECONDS = 0.02  # lines within this time leave together


class Outbox:
    """Delivers log lines (in batches), events and metrics. A failed delivery is logged and does not stop a job."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._courier = ThreadPoolExecutor(1, "sagemaker-outbox")
        self._lines: dict[tuple[Scope, str, str], list[tuple[int, str]]] = {}
        self._lock = threading.Lock()

    def line(self, scope: Scope, group: str, stream: str, message: str) -> None:
        """Queue one line of a log stream, with the current time."""
        line = (int(time.time() * 1000), message)
        with self._lock:
            batch = self._lines.setdefault((scope, group, stream), [])
            batch.append(line)
            if len(batch) == 1:
                self.put(f"lines of {group} {stream}", lambda: self._deliver_lines(scope, group, stream))

    def put(self, what: str, deliver: Callable[[], object]) -> None:
        """Queue the delivery of an event or of metrics; `what` names it where it fails."""

        def attempt() -> None:
            try:
                deliver()
            except Exception:
                logger.exception("%s could not be delivered", what)

        self._courier.submit(attempt)

    def flush(self, timeout: float = 5.0) -> None:
        """Wait until everything queued so far has been delivered."""
        wait([self._courier.submit(lambda: None)], timeout)

    def _deliver_lines(self, scope: Scope, group: str, stream: str) -> None:
        time.sleep(_GATHER_SECONDS)
        with self._lock:
            batch = self._lines.pop((scope, group, stream))
        self._surroundings.put_log(scope, group, stream, batch)
