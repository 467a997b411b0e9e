"""The server behind an endpoint: started, shared by the requests, drained before it stops."""

import threading
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
    return Variant(spec, server, log)
