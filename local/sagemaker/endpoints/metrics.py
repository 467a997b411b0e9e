"""What SageMaker publishes to CloudWatch about an endpoint, measured on the local processes.

Names, units and dimensions: docs.aws.amazon.com/sagemaker/latest/dg, "monitoring-cloudwatch" and
"serverless-endpoints-monitoring".
"""

from __future__ import annotations

from local.sagemaker.common.names import Key
from local.sagemaker.endpoints.fleet import Variant
from local.sagemaker.state.outbox import Outbox

_INVOCATIONS = "AWS/SageMaker"
_RESOURCES = "/aws/sagemaker/Endpoints"  # what the container uses of its instance
_MICROSECONDS = 1_000_000


class EndpointMetrics:
    """Queues the metrics of starts and invocations."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def started(self, key: Key, variant: Variant) -> None:
        """Publish the start time of a serverless variant: on AWS its first request starts it, here the deployment."""
        if variant.spec.serverless:
            self._put(key, variant, "Microseconds", ModelSetupTime=variant.server.start_took * _MICROSECONDS)

    def invoked(self, key: Key, variant: Variant, *, status: int, model: float, total: float, in_flight: int) -> None:
        """Publish the metrics of one request.

        Args:
            key: of the endpoint.
            variant: what answered.
            status: the model's HTTP status; a 5xx if it did not answer.
            model: seconds that the model took.
            total: seconds that the service took, including the model.
            in_flight: requests that the variant was answering, including this one.
        """
        self._put(
            key,
            variant,
            "Count",
            Invocations=1.0,
            Invocation4XXErrors=float(400 <= status < 500),
            Invocation5XXErrors=float(status >= 500),
        )
        overhead = (total - model) * _MICROSECONDS
        self._put(key, variant, "Microseconds", ModelLatency=model * _MICROSECONDS, OverheadLatency=overhead)
        if limit := variant.spec.max_concurrency:
            self._put(key, variant, "None", ServerlessConcurrentExecutionsUtilization=in_flight / limit)
        used, size = variant.server.memory_mb(), variant.spec.serverless.get("MemorySizeInMB")
        if used is not None and size:
            self._put(key, variant, "Percent", _RESOURCES, MemoryUtilization=100 * used / size)

    def _put(self, key: Key, variant: Variant, unit: str, namespace: str = _INVOCATIONS, **values: float) -> None:
        dimensions = {"EndpointName": key.name, "VariantName": variant.spec.name}
        self._outbox.metrics(key.scope, namespace, values, unit, dimensions)
