"""Errors as `application/problem+json` (RFC 9457): the one place that knows which error is which status."""

from __future__ import annotations

from dataclasses import dataclass

from predict import errors
from predict.models import ProblemDocument

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:text-classifier:"
"""First part of every `type`: a URN, because a deployment's own address is nothing stable."""


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
    """Seconds, sent as `Retry-After`; None where coming back does not help."""

    @property
    def type(self) -> str:
        """Its stable URI."""
        return TYPE_PREFIX + self.code


BAD_REQUEST = ProblemType(
    code="bad_request",
    status=400,
    title="The request is not of the documented form",
    meaning="Body or parameters break the contract; `detail` says where.",
)
FORBIDDEN = ProblemType(
    code="forbidden",
    status=403,
    title="Access denied",
    meaning="The API key is missing or wrong, or the address the request came from is not allowed.",
)
BLOCKED = ProblemType(
    code="blocked",
    status=403,
    title="Blocked by the firewall",
    meaning="The web application firewall refused the request: too many, too large, or of a known bad form.",
)
NOT_FOUND = ProblemType(
    code="not_found",
    status=404,
    title="No such path",
    meaning="The API has no such path.",
)
METHOD_NOT_ALLOWED = ProblemType(
    code="method_not_allowed",
    status=405,
    title="The path does not take this method",
    meaning="The header `Allow` names the methods that it takes.",
)
PAYLOAD_TOO_LARGE = ProblemType(
    code="payload_too_large",
    status=413,
    title="The body is too large",
    meaning="Send the texts in several requests.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    code="unsupported_media_type",
    status=415,
    title="The body has to be JSON",
    meaning="Send the header `Content-Type: application/json`.",
)
THROTTLED = ProblemType(
    code="throttled",
    status=429,
    title="Too many requests at once",
    retry_after=2,
    meaning="The API or the model has as many requests as it may have. Slow down; come back after `Retry-After`.",
)
QUOTA_EXCEEDED = ProblemType(
    code="quota_exceeded",
    status=429,
    title="The API key's quota is used up",
    retry_after=3600,
    meaning="The key has made as many requests as it may in this period.",
)
INTERNAL = ProblemType(
    code="internal",
    status=500,
    title="The service failed",
    meaning="Not the caller's fault; the operator finds the reason in the log under `request_id`.",
)
MODEL_ERROR = ProblemType(
    code="model_error",
    status=502,
    title="The model failed",
    retry_after=5,
    meaning="The model crashed or gave no usable answer; where it may pass, `Retry-After` says when to come back.",
)
MODEL_NOT_RELEASED = ProblemType(
    code="model_not_released",
    status=503,
    title="There is no model yet",
    retry_after=30,
    meaning="No model has been released, or its endpoint is still being made.",
)
MODEL_WARMING_UP = ProblemType(
    code="model_warming_up",
    status=503,
    title="The model is starting",
    retry_after=10,
    meaning="A serverless endpoint starts when it is asked after a pause. Come back after `Retry-After`.",
)
REGISTRY_UNAVAILABLE = ProblemType(
    code="registry_unavailable",
    status=503,
    title="The model registry does not answer",
    retry_after=5,
    meaning="The model serves; only what is known of it cannot be had at the moment.",
)
MODEL_TIMEOUT = ProblemType(
    code="model_timeout",
    status=504,
    title="The model did not answer in time",
    retry_after=5,
    meaning="Try again, or with fewer or shorter texts.",
)

PROBLEM_TYPES: dict[str, ProblemType] = {
    kind.code: kind
    for kind in (
        BAD_REQUEST,
        FORBIDDEN,
        BLOCKED,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        PAYLOAD_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        THROTTLED,
        QUOTA_EXCEEDED,
        INTERNAL,
        MODEL_ERROR,
        MODEL_NOT_RELEASED,
        MODEL_WARMING_UP,
        REGISTRY_UNAVAILABLE,
        MODEL_TIMEOUT,
    )
}
"""All of them by their code; the contract repeats this table, and API Gateway's own answers are made from it."""

_KINDS: dict[type[errors.PredictError], ProblemType] = {
    errors.InvalidRequestError: BAD_REQUEST,
    errors.RouteNotFoundError: NOT_FOUND,
    errors.MethodNotAllowedError: METHOD_NOT_ALLOWED,
    errors.PayloadTooLargeError: PAYLOAD_TOO_LARGE,
    errors.UnsupportedMediaTypeError: UNSUPPORTED_MEDIA_TYPE,
    errors.ThrottledError: THROTTLED,
    errors.ModelFailedError: MODEL_ERROR,
    errors.EndpointUnavailableError: MODEL_ERROR,
    errors.ModelNotReleasedError: MODEL_NOT_RELEASED,
    errors.ModelWarmingUpError: MODEL_WARMING_UP,
    errors.RegistryUnavailableError: REGISTRY_UNAVAILABLE,
    errors.ModelTimeoutError: MODEL_TIMEOUT,
    errors.MisconfiguredError: INTERNAL,
}


@dataclass(frozen=True)
class Problem:
    """An error as it is sent."""

    kind: ProblemType
    detail: str
    headers: dict[str, str]
    """To be sent besides the content type."""

    def document(self, request_id: str) -> ProblemDocument:
        """The body."""
        kind = self.kind
        return ProblemDocument(kind.type, kind.title, self.detail, kind.code, request_id, kind.status)


def to_problem(error: Exception) -> Problem:
    """The problem for any exception; one that is not of this package says nothing about itself."""
    if not isinstance(error, errors.PredictError):
        return Problem(INTERNAL, "Something went wrong on our side. Its log says what.", {})
    kind = _KINDS[type(error)]
    headers = {}
    if kind.retry_after is not None and not isinstance(error, errors.ModelFailedError):
        headers["Retry-After"] = str(kind.retry_after)
    if isinstance(error, errors.MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    return Problem(kind, error.detail, headers)
