"""Outgoing log lines, events and metrics. One thread delivers them in order, so that no caller waits."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from local.sagemaker.common.names import Scope
from local.sagemaker.common.surroundings import Surroundings

logger = logging.getLogger(__name__)

_GATHER_SECONDS = 0.05
_MAX_BATCH = 1000


class _Line(NamedTuple):
    scope: Scope
    group: str
    stream: str
    milliseconds: int
    message: str


class _Delivery(NamedTuple):
    what: str
    deliver: Callable[[], object]


class Outbox:
    """Delivers log lines (in batches), events and metrics. A failed delivery is logged and does not stop a job."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._queue: queue.Queue[_Line | _Delivery | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start delivering."""
        self._thread = threading.Thread(target=self._run, name="sagemaker-outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver what is queued, then end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=5)
            self._thread = None

    def line(self, scope: Scope, group: str, stream: str, message: str) -> None:
        """Queue one line of a log stream, with the current time."""
        self._queue.put(_Line(scope, group, stream, int(time.time() * 1000), message))

    def event(self, scope: Scope, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        """Queue an event of the source `aws.sagemaker`."""

        def deliver() -> None:
            self._surroundings.put_event(
                "aws.sagemaker", detail_type, detail, resources=(resource,), account=scope.account, region=scope.region
            )

        self._queue.put(_Delivery(f"event {detail_type}", deliver))

    def metrics(
        self, scope: Scope, namespace: str, values: Mapping[str, float], unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Queue one value for each of some metrics."""

        def deliver() -> None:
            self._surroundings.put_metrics(
                namespace, values, unit, dimensions, account=scope.account, region=scope.region
            )

        self._queue.put(_Delivery(f"metrics {', '.join(values)}", deliver))

    def flush(self, timeout: float = 5.0) -> None:
        """Wait until everything queued so far has been delivered."""
        if self._thread is not None:
            done = threading.Event()
            self._queue.put(_Delivery("flush", done.set))
            done.wait(timeout)

    def _run(self) -> None:
        while True:
            lines: list[_Line] = []
            for item in self._gather():
                if isinstance(item, _Line):
                    lines.append(item)
                    continue
                self._deliver_lines(lines)
                lines = []
                if item is None:
                    return
                with _logged(item.what):
                    item.deliver()
            self._deliver_lines(lines)

    def _gather(self) -> list[_Line | _Delivery | None]:
        """Return what is queued now and, after a line, what follows within a moment."""
        batch = [self._queue.get()]
        if isinstance(batch[0], _Line):
            time.sleep(_GATHER_SECONDS)
        while len(batch) < _MAX_BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _deliver_lines(self, lines: list[_Line]) -> None:
        streams: dict[tuple[Scope, str, str], list[tuple[int, str]]] = {}
        for line in lines:
            streams.setdefault(line[:3], []).append((line.milliseconds, line.message))
        for (scope, group, stream), batch in streams.items():
            with _logged(f"{len(batch)} lines of {group} {stream}"):
                self._surroundings.put_log(group, stream, batch, account=scope.account, region=scope.region)


@contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except Exception:
        logger.exception("%s could not be delivered", what)
