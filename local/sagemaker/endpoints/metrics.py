"""What SageMaker publishes to CloudWatch about an endpoint, measured on the processes that stand for it here.

Names, units and dimensions: docs.aws.amazon.com/sagemaker/latest/dg, "monitoring-cloudwatch" and
"serverless-endpoints-monitoring".
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.fleet import Variant
from local.sagemaker.state.outbox import Outbox

INVOCATIONS = "AWS/SageMaker"
RESOURCES = "/aws/sagemaker/Endpoints"
"""Namespace of what the container uses of its instance."""

_MICROSECONDS = 1_000_000


class EndpointMetrics:
    """Queues the metrics of invocations and of starts."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def started(self, scope: Scope, endpoint: str, variant: Variant) -> None:
        """A variant's server has come up: what a serverless endpoint does on its first request, it does here once."""
        if variant.spec.serverless:
            micro = variant.server.start_took * _MICROSECONDS
            self._put(scope, endpoint, variant, {"ModelSetupTime": micro}, "Microseconds")

    def invoked(
        self, scope: Scope, endpoint: str, variant: Variant, *, status: int, model: float, total: float, in_flight: int
    ) -> None:
        """One request has been answered.

        Args:
            scope: account and region.
            endpoint: its name.
            variant: what answered.
            status: the model's HTTP status; 500 where it gave none.
            model: seconds that the model took.
            total: seconds that the service took, the model included.
            in_flight: requests that the variant was answering, this one included.
        """
        counts = {
            "Invocations": 1.0,
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(status >= 500),
        }
        self._put(scope, endpoint, variant, counts, "Count")
        times = {"ModelLatency": model * _MICROSECONDS, "OverheadLatency": (total - model) * _MICROSECONDS}
        self._put(scope, endpoint, variant, times, "Microseconds")
        if variant.spec.max_concurrency:
            used = {"ServerlessConcurrentExecutionsUtilization": in_flight / variant.spec.max_concurrency}
            self._put(scope, endpoint, variant, used, "None")
        megabytes, size = variant.server.memory_mb(), variant.spec.serverless.get("MemorySizeInMB")
        if megabytes is not None and size:
            used = {"MemoryUtilization": 100 * megabytes / size}
            self._put(scope, endpoint, variant, used, "Percent", namespace=RESOURCES)

    def _put(
        self,
        scope: Scope,
        endpoint: str,
        variant: Variant,
        values: dict[str, float],
        unit: str,
        namespace: str = INVOCATIONS,
    ) -> None:
        dimensions = {"EndpointName": endpoint, "VariantName": variant.spec.name}
        self._outbox.metrics(scope, namespace, values, unit, dimensions)


class Stopwatch:
    """Adds up what is done within `running`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of the block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - started
