"""What SageMaker publishes to CloudWatch about an endpoint, measured on the local processes.

Names, units and dimensions: docs.aws.amazon.com/sagemaker/latest/dg, "monitoring-cloudwatch" and
"serverless-endpoints-monitoring".
"""

from local.sagemaker.common.names import Key
from local.sagemaker.endpoints.variant import Variant
from local.sagemaker.state.outbox import Outbox

_INVOCATIONS = "AWS/SageMaker"
_RESOURCES = "/aws/sagemaker/Endpoints"  # what the container uses of its instance
_MICROSECONDS = 1_000_000


def publish_start(outbox: Outbox, key: Key, variant: Variant) -> None:
    """Publish the start time of a serverless variant: on AWS its first request starts it, here the deployment."""
    if variant.spec.serverless:
        _put(outbox, key, variant, "Microseconds", {"ModelSetupTime": variant.server.start_took * _MICROSECONDS})


def publish_invocation(
    outbox: Outbox, key: Key, variant: Variant, status: int, model: float, total: float, in_flight: int
) -> None:
    """Publish the metrics of one request.

    `status` is the model's HTTP status (5xx if it did not answer), `model` the seconds that it took, and `total` the
    seconds that the service took, including the model. `in_flight` counts this request, too.
    """
    counts = {
        "Invocations": 1.0,
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500),
    }
    _put(outbox, key, variant, "Count", counts)
    times = {"ModelLatency": model * _MICROSECONDS, "OverheadLatency": (total - model) * _MICROSECONDS}
    _put(outbox, key, variant, "Microseconds", times)
    if limit := variant.spec.max_concurrency:
        _put(outbox, key, variant, "None", {"ServerlessConcurrentExecutionsUtilization": in_flight / limit})
    used, size = variant.server.memory_mb(), variant.spec.serverless.get("MemorySizeInMB")
    if used is not None and size:
        _put(outbox, key, variant, "Percent", {"MemoryUtilization": 100 * used / size}, _RESOURCES)


def _put(
    outbox: Outbox, key: Key, variant: Variant, unit: str, values: dict[str, float], namespace: str = _INVOCATIONS
) -> None:
    dimensions = {"EndpointName": key.name, "VariantName": variant.spec.name}
    outbox.metrics(key.scope, namespace, values, unit, dimensions)
