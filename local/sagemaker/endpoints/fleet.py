"""The servers behind one endpoint: started together, shared by the requests, drained before they stop."""

import random
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from local.sagemaker.common.errors import FailedError, ServiceError
from local.sagemaker.common.names import Key
from local.sagemaker.endpoints.serving import VariantSpec, last_lines, serving_command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.processes.model_server import ModelServer, StartError
from local.sagemaker.state.context import Context


class Variant:
    """A running server and the number of requests that it is answering."""

    def __init__(self, spec: VariantSpec, server: ModelServer, log: LogStream) -> None:
        self.spec = spec
        self.server = server
        self.log_group = log.group
        self.in_flight = 0


class Fleet:
    """The variants of one deployment of an endpoint."""

    def __init__(self, key: Key, variants: Sequence[Variant]) -> None:
        self.variants = tuple(variants)
        self._key = key
        self._idle = threading.Condition()

    def acquire(self, variant_name: str = "") -> Variant:
        """Return a variant for one request, chosen by name or by weight; `release` it afterwards.

        Raises ServiceError if there is no such variant, or if it is answering MaxConcurrency requests already.
        """
        with self._idle:
            variant = self._choose(variant_name)
            limit = variant.spec.max_concurrency
            if limit is not None and variant.in_flight >= limit:
                raise ServiceError("ThrottlingException", "Rate exceeded", 429)
            variant.in_flight += 1
            return variant

    def release(self, variant: Variant) -> None:
        """Note that the request has been answered."""
        with self._idle:
            variant.in_flight -= 1
            self._idle.notify_all()

    def drain(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for the requests that are being answered."""
        with self._idle:
            self._idle.wait_for(lambda: all(variant.in_flight == 0 for variant in self.variants), timeout)

    def stop(self, grace: float) -> None:
        """End the servers, each within `grace` seconds."""
        for variant in self.variants:
            variant.server.stop(grace)

    def _choose(self, name: str) -> Variant:
        if not name:
            weights = [variant.spec.weight for variant in self.variants]
            return random.choices(self.variants, weights)[0] if any(weights) else self.variants[0]
        for variant in self.variants:
            if variant.spec.name == name:
                return variant
        raise ServiceError("ValidationError", f"Variant {name} not found for endpoint {self._key.name}.")


def start_fleet(context: Context, key: Key, specs: Sequence[VariantSpec]) -> Fleet:
    """Start every variant and wait until each answers /ping. If one fails, stop the others and raise FailedError."""
    variants: list[Variant] = []
    try:
        for spec in specs:
            variants.append(_start_variant(context, key, spec))  # noqa: PERF401 - the started ones are stopped below
    except BaseException:
        Fleet(key, variants).stop(0)
        raise
    return Fleet(key, variants)


def endpoint_home(context: Context, key: Key) -> Path:
    """Return the HOME of the servers of an endpoint."""
    return key.below(context.settings.state_dir / "homes")


def _start_variant(context: Context, key: Key, spec: VariantSpec) -> Variant:
    command = serving_command(context, key.scope, spec, home=endpoint_home(context, key))
    group, stream = f"/aws/sagemaker/Endpoints/{key.name}", f"{spec.name}/{uuid.uuid4().hex}"
    path = context.settings.log_dir / "endpoints" / f"{key.name}-{spec.name}.log"
    log = LogStream(context.outbox, key.scope, group, stream, path)
    seconds = context.settings.endpoint_start_seconds
    server = ModelServer(command, log, start_seconds=seconds, abandon=context.stopping)
    try:
        server.start()
    except (StartError, OSError) as error:
        server.stop(0)
        raise FailedError(
            f"The primary container for production variant {spec.name} did not pass the ping health check. Please "
            f"check CloudWatch logs for this endpoint. ({error}; {last_lines(log)})"
        ) from error
    return Variant(spec, server, log)
