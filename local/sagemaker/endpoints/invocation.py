"""InvokeEndpoint: the runtime plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.sagemaker.common.errors import EndpointMissing, ModelError, ModelNotReady, ServiceError, ThrottlingException
from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.fleet import TooManyRequests, UnknownVariant, Variant
from local.sagemaker.endpoints.metrics import EndpointMetrics, Stopwatch
from local.sagemaker.endpoints.runtime import KIND, EndpointRuntime
from local.sagemaker.processes.model_server import ServerDown, ServerTimeout
from local.sagemaker.state.context import Context

_SERVERLESS_BYTES = 4 * 1024 * 1024
_INSTANCE_BYTES = 6 * 1024 * 1024
_PREFIX = "x-amzn-sagemaker-"
_CUSTOM_ATTRIBUTES = f"{_PREFIX}custom-attributes"
_TARGET_VARIANT = f"{_PREFIX}target-variant"
_FORWARDED = (_CUSTOM_ATTRIBUTES, f"{_PREFIX}inference-id", f"{_PREFIX}session-id")
_ANSWERING = ("InService", "Updating", "RollingBack")


@dataclass(frozen=True)
class InvokeResult:
    """A model's answer to InvokeEndpoint."""

    status: int
    """Always 2xx: anything else becomes a ModelError."""
    body: bytes
    content_type: str
    variant: str
    """Name of the production variant that answered (x-Amzn-Invoked-Production-Variant)."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers for the client (custom attributes)."""


class Invocations:
    """Sends requests to the servers of an endpoint and turns what goes wrong into the API's errors."""

    def __init__(self, context: Context, runtime: EndpointRuntime) -> None:
        self._context = context
        self._runtime = runtime
        self._metrics = EndpointMetrics(context.outbox)

    def invoke(
        self, scope: Scope, name: str, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]
    ) -> InvokeResult:
        """Answer one request. Raises ServiceError."""
        endpoint = self._context.store.get(KIND, scope, name)
        status = endpoint["EndpointStatus"] if endpoint else ""
        if status == "SystemUpdating":
            raise ModelNotReady(f"The model of endpoint {name} is being started. Wait and try again.")
        if status not in _ANSWERING:
            raise EndpointMissing(name, scope.account)
        lowered = {key.lower(): value for key, value in headers.items()}
        wanted = lowered.get(_TARGET_VARIANT, "")
        try:
            with self._runtime.slot(scope, name, wanted) as variant:
                if variant is None:
                    raise EndpointMissing(name, scope.account)
                sent = {key: lowered[key] for key in _FORWARDED if key in lowered}
                sent |= {"Content-Type": content_type or "application/json", "Accept": accept or "*/*"}
                return self._measured(scope, name, variant, body, sent)
        except TooManyRequests as error:
            raise ThrottlingException() from error
        except UnknownVariant as error:
            raise ServiceError("ValidationError", f"Variant {wanted} not found for endpoint {name}.") from error

    def _measured(
        self, scope: Scope, name: str, variant: Variant, body: bytes, headers: Mapping[str, str]
    ) -> InvokeResult:
        """Ask the variant, and publish how that went."""
        in_flight, model, total = variant.in_flight, Stopwatch(), Stopwatch()

        def publish(status: int) -> None:
            self._metrics.invoked(
                scope, name, variant, status=status, model=model.seconds, total=total.seconds, in_flight=in_flight
            )

        try:
            with total.running():
                result = self._ask(scope, variant, body, headers, model)
        except ModelError as error:
            publish(error.details["OriginalStatusCode"] or 504)
            raise
        publish(result.status)
        return result

    def _ask(
        self, scope: Scope, variant: Variant, body: bytes, headers: Mapping[str, str], model: Stopwatch
    ) -> InvokeResult:
        limit = _SERVERLESS_BYTES if variant.spec.serverless else _INSTANCE_BYTES
        if len(body) > limit:
            raise ServiceError("413", f"HTTP content length exceeded {limit} bytes.", 413)
        try:
            with model.running():
                answer = variant.server.invoke(body, headers, self._context.settings.invocation_seconds)
        except ServerTimeout as error:
            text = (
                "Your invocation timed out while waiting for a response from container primary. Review the latency "
                "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
            )
            raise self._model_error(scope, variant, 0, text) from error
        except ServerDown as error:
            raise self._model_error(scope, variant, 503, f"Service Unavailable: {error}") from error
        if not 200 <= answer.status < 300:
            raise self._model_error(scope, variant, answer.status, answer.data.decode("utf-8", errors="replace"))
        if len(answer.data) > limit:
            raise self._model_error(scope, variant, 500, f"The answer is longer than {limit} bytes.")
        custom = answer.headers.get(_CUSTOM_ATTRIBUTES)
        return InvokeResult(
            status=answer.status,
            body=answer.data,
            content_type=answer.headers.get("Content-Type", "application/octet-stream"),
            variant=variant.spec.name,
            headers={"X-Amzn-SageMaker-Custom-Attributes": custom} if custom else {},
        )

    @staticmethod
    def _model_error(scope: Scope, variant: Variant, status: int, text: str) -> ModelError:
        group = variant.log_group
        kind = "client" if 400 <= status < 500 else "server"
        return ModelError(
            f'Received {kind} error ({status}) from primary with message "{text}". See https://{scope.region}.console.'
            f"aws.amazon.com/cloudwatch/home?region={scope.region}#logEventViewer:group={group} in account "
            f"{scope.account} for more information.",
            original_status=status,
            original_message=text,
            log_stream_arn=scope.log_stream_arn(group),
        )
