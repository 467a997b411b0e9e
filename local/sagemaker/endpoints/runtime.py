"""The running side of endpoints: starts, switches and stops fleets in the background, and knows which one answers."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from local.sagemaker.api import events
from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.deployment import VariantSpec
from local.sagemaker.endpoints.fleet import Fleet, FleetError, FleetStarter, Variant, endpoint_home
from local.sagemaker.endpoints.metrics import EndpointMetrics
from local.sagemaker.state.context import Context
from local.sagemaker.training.record import shortened

logger = logging.getLogger(__name__)

KIND = "endpoint"
_REASON_LENGTH = 1024
_STOP_GRACE_SECONDS = 5.0
_INTERRUPTED_UPDATE = "The local cloud was stopped while the endpoint was being updated"


class EndpointRuntime:
    """Owns the fleets. Its methods return at once; what they cause shows in the endpoint's record."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._starter = FleetStarter(context)
        self._metrics = EndpointMetrics(context.outbox)
        self._fleets: dict[tuple[Scope, str], Fleet] = {}
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self) -> None:
        """Bring back the endpoints of an earlier process; until they answer again they are SystemUpdating."""
        self._context.artifacts.clear()
        for key, record in self._context.store.all(KIND):
            status = record["EndpointStatus"]
            if status == "Deleting":
                self._forget(key.scope, key.name)
            elif status == "Creating":
                self.create(key.scope, key.name)
            elif status in ("InService", "Updating", "SystemUpdating"):
                reason = _INTERRUPTED_UPDATE if status == "Updating" else record.get("FailureReason")
                self._change(
                    key.scope,
                    key.name,
                    EndpointStatus="SystemUpdating",
                    PendingDeploymentSummary=None,
                    FailureReason=reason,
                )
                self._spawn(self._bring_up, key.scope, key.name)

    def stop(self) -> None:
        """End every server; `context.stopping` is set already."""
        deadline = time.monotonic() + 10
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            fleets = list(self._fleets.values())
            self._fleets.clear()
        stoppers = [
            threading.Thread(target=fleet.stop, args=(self._context.settings.shutdown_grace_seconds,), daemon=True)
            for fleet in fleets
        ]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()

    def create(self, scope: Scope, name: str) -> None:
        """Start the fleet of a new endpoint."""
        self._announce(scope, name)
        self._spawn(self._bring_up, scope, name)

    def update(self, scope: Scope, name: str, config_name: str, specs: Sequence[VariantSpec]) -> None:
        """Start another fleet and switch to it."""
        self._announce(scope, name)
        self._spawn(self._switch, scope, name, config_name, specs)

    def delete(self, scope: Scope, name: str) -> None:
        """Stop the fleet and forget the endpoint."""
        self._announce(scope, name)
        self._spawn(self._take_down, scope, name)

    @contextmanager
    def slot(self, scope: Scope, name: str, variant_name: str) -> Iterator[Variant | None]:
        """A variant for one request; None while the endpoint has no fleet. Raises UnknownVariant, TooManyRequests."""
        # Chosen and counted in one step, so that a fleet being replaced is stopped after its last request only.
        with self._lock:
            fleet = self._fleets.get((scope, name))
            variant = fleet.acquire(variant_name) if fleet is not None else None
        try:
            yield variant
        finally:
            if fleet is not None and variant is not None:
                fleet.release(variant)

    def _bring_up(self, scope: Scope, name: str) -> None:
        record = self._context.store.get(KIND, scope, name) or {}
        try:
            specs = [VariantSpec(**entry) for entry in record["_Deployment"]]
            fleet = self._starter.start(scope, name, specs)
        except Exception as error:
            self._change(scope, name, EndpointStatus="Failed", FailureReason=_reason(error))
        else:
            self._install(scope, name, fleet)
            now = time.time()
            self._change(
                scope, name, EndpointStatus="InService", ProductionVariants=[spec.summary(now) for spec in specs]
            )
        self._announce(scope, name)

    def _switch(self, scope: Scope, name: str, config_name: str, specs: Sequence[VariantSpec]) -> None:
        try:
            fleet = self._starter.start(scope, name, specs)
        except Exception as error:
            # As on AWS: still in service, with the old configuration, and the reason to be read in it.
            self._change(
                scope, name, EndpointStatus="InService", FailureReason=_reason(error), PendingDeploymentSummary=None
            )
            self._announce(scope, name)
            return
        old = self._install(scope, name, fleet)
        now = time.time()
        self._change(
            scope,
            name,
            EndpointStatus="InService",
            EndpointConfigName=config_name,
            ProductionVariants=[spec.summary(now) for spec in specs],
            PendingDeploymentSummary=None,
            _Deployment=[spec.as_record() for spec in specs],
        )
        self._announce(scope, name)
        self._retire(old)

    def _take_down(self, scope: Scope, name: str) -> None:
        with self._lock:
            fleet = self._fleets.pop((scope, name), None)
        self._retire(fleet)
        record = self._forget(scope, name)
        if record is not None:
            events.endpoint_changed(self._context.outbox, scope, record, {}, status="Deleted")

    def _retire(self, fleet: Fleet | None) -> None:
        """Stop a fleet that no new request can reach, after its last answer."""
        if fleet is not None:
            fleet.drain(self._context.settings.invocation_seconds)
            fleet.stop(_STOP_GRACE_SECONDS)

    def _install(self, scope: Scope, name: str, fleet: Fleet) -> Fleet | None:
        with self._lock:
            old = self._fleets.get((scope, name))
            self._fleets[(scope, name)] = fleet
        for variant in fleet.variants:
            self._metrics.started(scope, name, variant)
        return old

    def _forget(self, scope: Scope, name: str) -> dict[str, Any] | None:
        record = self._context.store.delete(KIND, scope, name)
        if record is not None:
            self._context.tags.forget(scope, record["EndpointArn"])
        shutil.rmtree(endpoint_home(self._context, scope, name), ignore_errors=True)
        return record

    def _change(self, scope: Scope, name: str, **changes: Any) -> None:
        # While the service goes down, servers end for that reason alone: the record keeps what start() builds on.
        if not self._context.stopping.is_set():
            self._context.store.update(KIND, scope, name, LastModifiedTime=time.time(), **changes)

    def _announce(self, scope: Scope, name: str) -> None:
        record = self._context.store.get(KIND, scope, name)
        if record is not None and not self._context.stopping.is_set():
            tags = self._context.tags.of(scope, record["EndpointArn"])
            events.endpoint_changed(self._context.outbox, scope, record, tags)

    def _spawn(self, work: Callable[..., None], scope: Scope, name: str, *args: Any) -> None:
        def run() -> None:
            try:
                work(scope, name, *args)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"endpoint-{name}", daemon=True)
        self._threads.add(thread)
        thread.start()


def _reason(error: Exception) -> str:
    if not isinstance(error, FleetError):
        logger.error("endpoint start failed", exc_info=error)
        return f"InternalServerError: {type(error).__name__}: {error}"
    return shortened(str(error), _REASON_LENGTH)
