"""Log lines, events and metrics on their way out, in order, by one thread: nobody waits for the cloud around."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.sagemaker.common.hooks import Hooks
from local.sagemaker.common.scope import Scope

logger = logging.getLogger(__name__)

_GATHER_SECONDS = 0.05
_MAX_BATCH = 1000


@dataclass(frozen=True)
class _Line:
    scope: Scope
    group: str
    stream: str
    milliseconds: int
    message: str


@dataclass(frozen=True)
class _Event:
    scope: Scope
    detail_type: str
    detail: Mapping[str, Any]
    resources: tuple[str, ...]


@dataclass(frozen=True)
class _Metrics:
    scope: Scope
    namespace: str
    values: Mapping[str, float]
    unit: str
    dimensions: Mapping[str, str]


_Item = _Line | _Event | _Metrics | threading.Event | None


class Outbox:
    """Delivers log lines (in batches), events and metrics. A hook that fails costs a warning, never a job."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._queue: queue.Queue[_Item] = queue.Queue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start delivering."""
        self._thread = threading.Thread(target=self._run, name="sagemaker-outbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Deliver what is left, then end."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=5)
            self._thread = None

    def line(self, scope: Scope, group: str, stream: str, milliseconds: int, message: str) -> None:
        """Queue one line of a log stream."""
        self._queue.put(_Line(scope, group, stream, milliseconds, message))

    def event(self, scope: Scope, detail_type: str, detail: Mapping[str, Any], resource: str) -> None:
        """Queue an event of source ``aws.sagemaker``."""
        self._queue.put(_Event(scope, detail_type, detail, (resource,)))

    def metrics(
        self, scope: Scope, namespace: str, values: Mapping[str, float], unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Queue one value for each of some metrics."""
        self._queue.put(_Metrics(scope, namespace, values, unit, dimensions))

    def flush(self, timeout: float = 5.0) -> None:
        """Wait until everything queued so far has been delivered."""
        if self._thread is not None:
            done = threading.Event()
            self._queue.put(done)
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
                self._deliver(item)
            self._deliver_lines(lines)

    def _gather(self) -> list[_Item]:
        """What is queued now; after a line, also what follows within a moment."""
        batch = [self._queue.get()]
        if isinstance(batch[0], _Line):
            time.sleep(_GATHER_SECONDS)
        while len(batch) < _MAX_BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _deliver(self, item: _Event | _Metrics | threading.Event) -> None:
        if isinstance(item, threading.Event):
            item.set()
        elif isinstance(item, _Metrics):
            self._deliver_metrics(item)
        else:
            self._deliver_event(item)

    def _deliver_event(self, item: _Event) -> None:
        try:
            self._hooks.put_event(
                "aws.sagemaker",
                item.detail_type,
                item.detail,
                resources=item.resources,
                account=item.scope.account,
                region=item.scope.region,
            )
        except Exception:
            logger.exception("event %s was not delivered", item.detail_type)

    def _deliver_metrics(self, item: _Metrics) -> None:
        try:
            self._hooks.put_metrics(
                item.namespace,
                item.values,
                item.unit,
                item.dimensions,
                account=item.scope.account,
                region=item.scope.region,
            )
        except Exception:
            logger.exception("metrics %s were not delivered", ", ".join(item.values))

    def _deliver_lines(self, lines: list[_Line]) -> None:
        batches: dict[tuple[Scope, str, str], list[tuple[int, str]]] = {}
        for line in lines:
            batches.setdefault((line.scope, line.group, line.stream), []).append((line.milliseconds, line.message))
        for (scope, group, stream), batch in batches.items():
            try:
                self._hooks.put_log(group, stream, batch, account=scope.account, region=scope.region)
            except Exception:
                logger.exception("%d lines of %s %s were not delivered", len(batch), group, stream)
