"""InvokeEndpoint: the runtime plane."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from local.sagemaker.common.errors import ServiceError
from local.sagemaker.common.names import Key, Scope
from local.sagemaker.endpoints.runtime import KIND, EndpointRuntime
from local.sagemaker.endpoints.variant import Variant
from local.sagemaker.processes.model_server import ServerDownError, ServerTimeoutError
from local.sagemaker.state.context import Context

_SERVERLESS_BYTES = 4 * 1024 * 1024
_INSTANCE_BYTES = 6 * 1024 * 1024
_TIMEOUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)


class InvokeResult(NamedTuple):
    """A model's answer to InvokeEndpoint. Its status is 2xx; any other becomes a ModelError."""

    status: int
    headers: dict[str, str]
    body: bytes


class Invocations:
    """Sends requests to the servers of an endpoint and turns failures into the API's errors."""

    def __init__(self, context: Context, runtime: EndpointRuntime) -> None:
        self._context = context
        self._runtime = runtime

    def invoke(self, scope: Scope, name: str, body: bytes, headers: Mapping[str, str]) -> InvokeResult:
        """Answer one request; wait for the model at most `invocation_seconds`. Raises ServiceError.

        Of the request's `headers`, Content-Type and Accept are used.
        """
        key = Key(KIND, scope, name)
        lowered = {header.lower(): value for header, value in headers.items()}
        accept = lowered.get("accept") or "*/*"
        sent = {"Content-Type": lowered.get("content-type") or "application/json", "Accept": accept}
        with self._runtime.slot(key) as variant:
            return self._ask(key, variant, body, sent)

    def _ask(self, key: Key, variant: Variant, body: bytes, headers: Mapping[str, str]) -> InvokeResult:
        """Ask the variant and publish the metrics of its answer. A body that is too large is not counted."""
        limit = _SERVERLESS_BYTES if variant.spec.serverless else _INSTANCE_BYTES
        if len(body) > limit:
            raise ServiceError("413", f"HTTP content length exceeded {limit} bytes.", 413)
        in_flight, began, model_seconds, status = variant.in_flight, time.perf_counter(), 0.0, 500
        try:
            try:
                answer = variant.server.invoke(body, headers, self._context.settings.invocation_seconds)
            finally:
                model_seconds = time.perf_counter() - began
            status = answer.status
            if not 200 <= status < 300:
                raise _model_error(key, variant, status, answer.data.decode("utf-8", errors="replace"))
            if len(answer.data) > limit:
                status = 500
                raise _model_error(key, variant, status, f"The answer is longer than {limit} bytes.")
        except ServerTimeoutError as error:
            status = 504
            raise _model_error(key, variant, 0, _TIMEOUT) from error
        except ServerDownError as error:
            status = 503
            raise _model_error(key, variant, status, f"Service Unavailable: {error}") from error
        finally:
            total = time.perf_counter() - began
            variant.publish_invocation(status, model_seconds, total, in_flight)
        given = {
            "Content-Type": answer.headers.get("Content-Type", "application/octet-stream"),
            "x-Amzn-Invoked-Production-Variant": variant.spec.name,
        }
        return InvokeResult(status, given, answer.data)


def _model_error(key: Key, variant: Variant, status: int, text: str) -> ServiceError:
    """Return AWS's error for an answer of the model with this status, or 0 for a timeout."""
    (account, region), group = key.scope, variant.log_group
    kind = "client" if 400 <= status < 500 else "server"
    message = (
        f'Received {kind} error ({status}) from primary with message "{text}". See https://{region}.console.aws.amazon.'
        f"com/cloudwatch/home?region={region}#logEventViewer:group={group} in account {account} for more information."
    )
    log_stream_arn = f"arn:aws:logs:{region}:{account}:log-group:{group}"
    details = {"OriginalStatusCode": status, "OriginalMessage": text, "LogStreamArn": log_stream_arn}
    return ServiceError("ModelError", message, 424, details)
