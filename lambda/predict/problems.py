"""Errors as `application/problem+json` (RFC 9457): the one place that knows the status of each error."""

from __future__ import annotations

from dataclasses import dataclass

from predict.errors import MethodNotAllowedError, ModelFailedError, PredictError
from predict.models import ProblemDocument

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:text-classifier:"
"""First part of every `type`: a URN, because the address of a deployment is not stable."""


@dataclass(frozen=True, kw_only=True)
class ProblemType:
    """A kind of error that callers can tell apart."""

    code: str
    """A stable name that programs can act on."""
    status: int
    title: str
    meaning: str
    """What it tells a caller, for the documentation."""
    retry_after: int | None = None
    """Seconds, sent as `Retry-After`; None where repeating the request does not help."""

    @property
    def type(self) -> str:
        """Its stable URI."""
        return TYPE_PREFIX + self.code


PROBLEM_TYPES: dict[str, ProblemType] = {
    kind.code: kind
    for kind in (
        ProblemType(
            code="bad_request",
            status=400,
            title="The request does not have the documented form",
            meaning="The body or a parameter breaks the contract; `detail` says where.",
        ),
        ProblemType(
            code="forbidden",
            status=403,
            title="Access denied",
            meaning="The API key is missing or wrong, or requests from this address are not allowed.",
        ),
        ProblemType(
            code="blocked",
            status=403,
            title="Blocked by the firewall",
            meaning="The web application firewall refused the request: too many, too large, or of a known bad form.",
        ),
        ProblemType(
            code="not_found",
            status=404,
            title="No such path",
            meaning="The API has no such path.",
        ),
        ProblemType(
            code="method_not_allowed",
            status=405,
            title="The path does not take this method",
            meaning="The header `Allow` lists the methods that it takes.",
        ),
        ProblemType(
            code="payload_too_large",
            status=413,
            title="The body is too large",
            meaning="Send the texts in several requests.",
        ),
        ProblemType(
            code="unsupported_media_type",
            status=415,
            title="The body has to be JSON",
            meaning="Send the header `Content-Type: application/json`.",
        ),
        ProblemType(
            code="throttled",
            status=429,
            title="Too many requests at once",
            retry_after=2,
            meaning="The API or the model is at its request limit. Slow down, and try again after `Retry-After`.",
        ),
        ProblemType(
            code="quota_exceeded",
            status=429,
            title="The API key's quota is used up",
            retry_after=3600,
            meaning="The key has made all requests that its quota allows in this period.",
        ),
        ProblemType(
            code="internal",
            status=500,
            title="The service failed",
            meaning="The request is not at fault. The operator finds the reason in the log under `request_id`.",
        ),
        ProblemType(
            code="model_error",
            status=502,
            title="The model failed",
            retry_after=5,
            meaning="The model crashed or gave no usable answer. `Retry-After` is sent where another try may succeed.",
        ),
        ProblemType(
            code="model_not_released",
            status=503,
            title="There is no model yet",
            retry_after=30,
            meaning="No model has been released, or its endpoint is still being created.",
        ),
        ProblemType(
            code="model_warming_up",
            status=503,
            title="The model is starting",
            retry_after=10,
            meaning="A serverless endpoint has to start after a pause. Try again after `Retry-After`.",
        ),
        ProblemType(
            code="registry_unavailable",
            status=503,
            title="The model registry does not answer",
            retry_after=5,
            meaning="Model details are temporarily unavailable. Predictions are not affected.",
        ),
        ProblemType(
            code="model_timeout",
            status=504,
            title="The model did not answer in time",
            retry_after=5,
            meaning="Try again, or send fewer or shorter texts.",
        ),
    )
}
"""All kinds by their code. The contract repeats this table, and API Gateway's own error answers are made from it."""


@dataclass(frozen=True)
class Problem:
    """An error as it is sent."""

    kind: ProblemType
    detail: str
    headers: dict[str, str]
    """Headers besides the content type."""

    def document(self, request_id: str) -> ProblemDocument:
        """Return the body."""
        kind = self.kind
        return ProblemDocument(kind.type, kind.title, self.detail, kind.code, request_id, kind.status)


def to_problem(error: Exception) -> Problem:
    """Return the problem for any exception. One that is not of this package reveals nothing about itself."""
    if not isinstance(error, PredictError):
        detail = "Something went wrong on our side. The operator finds the reason in the log."
        return Problem(PROBLEM_TYPES["internal"], detail, {})
    kind = PROBLEM_TYPES[error.code]
    headers = {}
    if kind.retry_after is not None and not isinstance(error, ModelFailedError):
        headers["Retry-After"] = str(kind.retry_after)
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    return Problem(kind, error.detail, headers)
