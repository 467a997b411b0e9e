"""The running side of endpoints: starts, switches and stops their servers in the background."""

import logging
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from local.sagemaker.common.errors import FailedError, ServiceError, shortened
from local.sagemaker.common.names import Key
from local.sagemaker.endpoints.serving import VariantSpec
from local.sagemaker.endpoints.variant import Variant, endpoint_home, start_variant
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

logger = logging.getLogger(__name__)

KIND = "endpoint"
_ANSWERING = ("InService", "Updating", "RollingBack")
_SERVED = "ProductionVariants"
"""Member of the record of an endpoint that has been in service."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0
"""Between the attempts to bring back an endpoint; each pause is twice as long as the one before."""
_STOP_GRACE_SECONDS = 5.0
_INTERRUPTED_UPDATE = "The local cloud was stopped while the endpoint was being updated"


class EndpointRuntime:
    """Owns the running variants. Its methods return at once; the endpoint's record shows the result."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._variants: dict[Key, Variant] = {}
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def start(self) -> None:
        """Restart the endpoints of an earlier process. They are SystemUpdating until they answer again."""
        self._context.artifacts.clear()
        for key, record in self._context.store.all(KIND):
            status = record["EndpointStatus"]
            if status == "Deleting":
                self._forget(key)
            elif status == "Creating":
                self.create(key)
            elif _SERVED in record:
                reason = {"Updating": _INTERRUPTED_UPDATE, "Failed": None}.get(status, record.get("FailureReason"))
                self._change(key, EndpointStatus="SystemUpdating", FailureReason=reason)
                self._spawn(self._bring_up, key)

    def stop(self) -> None:
        """End every server. The caller has set `context.stopping`."""
        deadline = time.monotonic() + 10
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            servers = [variant.server for variant in self._variants.values()]
            self._variants.clear()
        grace = self._context.settings.shutdown_grace_seconds
        stoppers = [threading.Thread(target=server.stop, args=(grace,), daemon=True) for server in servers]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()

    def create(self, key: Key) -> None:
        """Start the server of a new endpoint."""
        self._spawn(self._bring_up, key)

    def update(self, key: Key, config_name: str, spec: VariantSpec) -> None:
        """Start another server and switch to it."""
        self._spawn(self._switch, key, config_name, spec)

    def delete(self, key: Key) -> None:
        """Stop the server and delete the endpoint."""
        self._spawn(self._take_down, key)

    @contextmanager
    def slot(self, key: Key) -> Iterator[Variant]:
        """Reserve a place for one request. Raises ServiceError."""
        status = (self._context.store.get(key) or {}).get("EndpointStatus")
        # Found and counted in one step, so that a replaced server is stopped only after its last request.
        with self._lock:
            variant = self._variants.get(key)
            starting = variant is None and status in _ANSWERING and not self._context.stopping.is_set()
            if starting or status == "SystemUpdating":
                message = f"The model of endpoint {key.name} is starting. Try again shortly."
                raise ServiceError("ModelNotReadyException", message, 429)
            if variant is None or status not in _ANSWERING:
                message = f"Endpoint {key.name} of account {key.scope.account} not found."
                raise ServiceError("ValidationError", message)
            variant.acquire()
        try:
            yield variant
        finally:
            variant.release()

    def _bring_up(self, key: Key) -> None:
        """Start the server; one that served before again and again: a full disk passes. Failed, it can be deleted."""
        record, pause = self._context.store.get(key) or {}, FIRST_PAUSE_SECONDS
        instance = uuid.uuid4().hex  # one log stream, however many attempts
        while not self._started(key, record, instance) and _SERVED in record and not self._context.stopping.wait(pause):
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _started(self, key: Key, record: Record, instance: str) -> bool:
        """Try it once; True also where the endpoint was deleted or made anew meanwhile, and there is nothing to do."""
        variant, failure = None, {}
        try:
            variant = start_variant(self._context, key, VariantSpec(**record["_Deployment"][0]), instance)
        except Exception as error:
            failure = {"EndpointStatus": "Failed", "FailureReason": _reason(error)}
        with self._context.store.lock:
            now = self._context.store.get(key) or {}
            if now.get("EndpointStatus") != "Deleting" and now.get("CreationTime") == record.get("CreationTime", ""):
                if variant:
                    self._install(key, variant, FailureReason=record.get("FailureReason"))
                else:
                    self._change(key, **failure)
                return variant is not None
        if variant:
            variant.server.stop(_STOP_GRACE_SECONDS)
        return True

    def _switch(self, key: Key, config_name: str, spec: VariantSpec) -> None:
        try:
            variant = start_variant(self._context, key, spec, uuid.uuid4().hex)
        except Exception as error:
            # As on AWS: in service with the old configuration, and with a reason.
            reason = _reason(error)
            self._change(key, EndpointStatus="InService", FailureReason=reason)
        else:
            self._retire(self._install(key, variant, EndpointConfigName=config_name, _Deployment=[asdict(spec)]))

    def _take_down(self, key: Key) -> None:
        with self._lock:
            variant = self._variants.pop(key, None)
        self._retire(variant)
        self._forget(key)

    def _retire(self, variant: Variant | None) -> None:
        """Stop a server that no new request can reach, after its last answer."""
        if variant is not None:
            variant.drain(self._context.settings.invocation_seconds)
            variant.server.stop(_STOP_GRACE_SECONDS)

    def _install(self, key: Key, variant: Variant, **changes: Any) -> Variant | None:
        """Send new requests to this server, note that in the record, and return what it replaces."""
        with self._lock:
            old = self._variants.get(key)
            self._variants[key] = variant
        variant.publish_start()
        variants = [variant.spec.summary(time.time())]
        self._change(key, EndpointStatus="InService", ProductionVariants=variants, **changes)
        return old

    def _forget(self, key: Key) -> None:
        self._context.tags.forget(key)
        shutil.rmtree(endpoint_home(self._context, key), ignore_errors=True)
        self._context.store.delete(key)

    def _change(self, key: Key, **changes: Any) -> None:
        # When the service stops, servers end for that reason alone: start() needs the record as it is.
        if not self._context.stopping.is_set():
            try:
                self._context.store.update(key, LastModifiedTime=time.time(), **changes)
            except OSError as error:  # in memory it is right, and start() makes do with what was saved before
                logger.warning("the state of endpoint %s could not be saved: %s", key.name, error)

    def _spawn(self, work: Callable[..., None], key: Key, *args: Any) -> None:
        def run() -> None:
            try:
                work(key, *args)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name=f"endpoint-{key.name}", daemon=True)
        self._threads.add(thread)
        thread.start()


def _reason(error: Exception) -> str:
    if not isinstance(error, FailedError):
        logger.error("endpoint start failed", exc_info=error)
        return f"InternalServerError: {type(error).__name__}: {error}"
    return shortened(str(error))
