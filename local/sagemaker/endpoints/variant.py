"""The server behind an endpoint: started, shared by the requests, measured, drained before it stops."""

import threading
from functools import partial
from pathlib import Path

from local.sagemaker.common.errors import FailedError, ServiceError
from local.sagemaker.common.names import Key
from local.sagemaker.endpoints.serving import VariantSpec, last_lines, serving_command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.processes.model_server import ModelServer, StartError
from local.sagemaker.state.context import Context

_INVOCATIONS = "AWS/SageMaker"
_RESOURCES = "/aws/sagemaker/Endpoints"  # what the container uses of its instance
_MICROSECONDS = 1_000_000


class Variant:
    """A running server and the number of requests that it is answering.

    It publishes what SageMaker publishes to CloudWatch, measured on the local process. Names, units and dimensions:
    docs.aws.amazon.com/sagemaker/latest/dg, "monitoring-cloudwatch" and "serverless-endpoints-monitoring".
    """

    def __init__(self, context: Context, key: Key, spec: VariantSpec, server: ModelServer, log: LogStream) -> None:
        self._context = context
        self._key = key
        self.spec = spec
        self.server = server
        self.log_group = log.group
        self.in_flight = 0
        self._idle = threading.Condition()

    def acquire(self) -> None:
        """Take a place for one request; `release` it afterwards. Raises ServiceError at MaxConcurrency requests."""
        with self._idle:
            limit = self.spec.max_concurrency
            if limit is not None and self.in_flight >= limit:
                raise ServiceError("ThrottlingException", "Rate exceeded", 429)
            self.in_flight += 1

    def release(self) -> None:
        """Note that the request has been answered."""
        with self._idle:
            self.in_flight -= 1
            self._idle.notify_all()

    def drain(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for the requests that are being answered."""
        with self._idle:
            self._idle.wait_for(lambda: self.in_flight == 0, timeout)

    def publish_start(self) -> None:
        """Publish the start time of a serverless variant: on AWS its first request starts it, here the deployment."""
        if self.spec.serverless:
            self._publish("Microseconds", {"ModelSetupTime": self.server.start_took * _MICROSECONDS})

    def publish_invocation(self, status: int, model: float, total: float, in_flight: int) -> None:
        """Publish the metrics of one request.

        `status` is the model's HTTP status (5xx if it did not answer), `model` the seconds that it took, and `total`
        the seconds that the service took, including the model. `in_flight` counts this request, too.
        """
        counts = {
            "Invocations": 1.0,
            "Invocation4XXErrors": float(400 <= status < 500),
            "Invocation5XXErrors": float(status >= 500),
        }
        self._publish("Count", counts)
        times = {"ModelLatency": model * _MICROSECONDS, "OverheadLatency": (total - model) * _MICROSECONDS}
        self._publish("Microseconds", times)
        if limit := self.spec.max_concurrency:
            self._publish("None", {"ServerlessConcurrentExecutionsUtilization": in_flight / limit})
        used, size = self.server.memory_mb(), self.spec.serverless.get("MemorySizeInMB")
        if used is not None and size:
            self._publish("Percent", {"MemoryUtilization": 100 * used / size}, _RESOURCES)

    def _publish(self, unit: str, values: dict[str, float], namespace: str = _INVOCATIONS) -> None:
        dimensions = {"EndpointName": self._key.name, "VariantName": self.spec.name}
        put = partial(self._context.surroundings.put_metrics, self._key.scope, namespace, values, unit, dimensions)
        self._context.outbox.put(f"metrics {', '.join(values)}", put)


def endpoint_home(context: Context, key: Key) -> Path:
    """Return the HOME of the servers of an endpoint."""
    return key.below(context.settings.state_dir / "homes")


def start_variant(context: Context, key: Key, spec: VariantSpec, instance: str) -> Variant:
    """Start the server and wait until it answers /ping; `instance` names its log stream. Raises FailedError."""
    command = serving_command(context, key.scope, spec, home=endpoint_home(context, key))
    group, stream = f"/aws/sagemaker/Endpoints/{key.name}", f"{spec.name}/{instance}"
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
    return Variant(context, key, spec, server, log)
