"""The servers behind one endpoint: started together, shared by the requests, drained before they stop."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.deployment import VariantSpec
from local.sagemaker.endpoints.serving_container import ContainerError, last_words, serving_command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.processes.model_server import ModelServer, StartError
from local.sagemaker.state.context import Context


class FleetError(Exception):
    """A variant did not come up; the message becomes the FailureReason."""


class TooManyRequests(Exception):
    """MaxConcurrency requests are being answered already."""


class UnknownVariant(Exception):
    """The request names a variant that the endpoint does not have."""


class Variant:
    """A running server and the number of requests it is answering."""

    def __init__(self, spec: VariantSpec, server: ModelServer, log: LogStream) -> None:
        self.spec = spec
        self.server = server
        self.log_group = log.group
        self.in_flight = 0


class Fleet:
    """The variants of one deployment of an endpoint."""

    def __init__(self, variants: Sequence[Variant]) -> None:
        self.variants = tuple(variants)
        self._idle = threading.Condition()

    def acquire(self, variant_name: str = "") -> Variant:
        """A variant to send one request to, chosen by weight or by name; to be given back with `release`.

        Raises UnknownVariant, TooManyRequests.
        """
        with self._idle:
            variant = self._choose(variant_name)
            limit = variant.spec.max_concurrency
            if limit is not None and variant.in_flight >= limit:
                raise TooManyRequests(variant.spec.name)
            variant.in_flight += 1
            return variant

    def release(self, variant: Variant) -> None:
        """The request has been answered."""
        with self._idle:
            variant.in_flight -= 1
            self._idle.notify_all()

    def drain(self, timeout: float) -> None:
        """Wait until the requests under way are answered, at most `timeout` seconds."""
        with self._idle:
            self._idle.wait_for(lambda: all(variant.in_flight == 0 for variant in self.variants), timeout)

    def stop(self, grace: float) -> None:
        """End the servers."""
        for variant in self.variants:
            variant.server.stop(grace)

    def _choose(self, name: str) -> Variant:
        if name:
            for variant in self.variants:
                if variant.spec.name == name:
                    return variant
            raise UnknownVariant(name)
        weights = [variant.spec.weight for variant in self.variants]
        if len(weights) == 1 or not any(weights):
            return self.variants[0]
        return random.choices(self.variants, weights)[0]


class FleetStarter:
    """Starts the variants of an endpoint."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def start(self, scope: Scope, endpoint: str, specs: Sequence[VariantSpec]) -> Fleet:
        """Start every variant and wait until each answers /ping. Raises FleetError; then nothing is left running."""
        variants: list[Variant] = []
        try:
            for spec in specs:
                variants.append(self._start_variant(scope, endpoint, spec))
        except BaseException:
            Fleet(variants).stop(0)
            raise
        return Fleet(variants)

    def _start_variant(self, scope: Scope, endpoint: str, spec: VariantSpec) -> Variant:
        try:
            command = serving_command(self._context, scope, spec, home=endpoint_home(self._context, scope, endpoint))
        except ContainerError as error:
            raise FleetError(str(error)) from error
        log = LogStream(
            self._context.outbox,
            scope,
            f"/aws/sagemaker/Endpoints/{endpoint}",
            f"{spec.name}/{uuid.uuid4().hex}",
            self._context.settings.log_dir / "endpoints" / f"{endpoint}-{spec.name}.log",
        )
        server = ModelServer(
            command,
            log,
            start_seconds=self._context.settings.endpoint_start_seconds,
            abandon=self._context.stopping,
        )
        try:
            server.start()
        except (StartError, OSError) as error:
            server.stop(0)
            raise FleetError(
                f"The primary container for production variant {spec.name} did not pass the ping health check. Please "
                f"check CloudWatch logs for this endpoint. ({error}; {last_words(log)})"
            ) from error
        return Variant(spec, server, log)


def endpoint_home(context: Context, scope: Scope, endpoint: str) -> Path:
    """HOME of the servers of an endpoint."""
    return context.settings.state_dir / "homes" / scope.account / scope.region / endpoint
