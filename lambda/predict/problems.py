"""Errors as `application/problem+json` (RFC 9457): the one place that knows which error is which status."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from predict import errors

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """An error as it is sent."""

    status: int
    code: str
    """A stable name that programs can act on."""
    detail: str
    headers: dict[str, str]
    """To be sent besides the content type."""

    def as_dict(self, request_id: str) -> dict[str, Any]:
        """The body."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }


@dataclass(frozen=True)
class _Kind:
    status: int
    code: str
    retry_after: int | None = None
    """Seconds."""


INTERNAL = _Kind(500, "internal")

_KINDS: dict[type[errors.PredictError], _Kind] = {
    errors.InvalidRequestError: _Kind(400, "bad_request"),
    errors.RouteNotFoundError: _Kind(404, "not_found"),
    errors.MethodNotAllowedError: _Kind(405, "method_not_allowed"),
    errors.PayloadTooLargeError: _Kind(413, "payload_too_large"),
    errors.UnsupportedMediaTypeError: _Kind(415, "unsupported_media_type"),
    errors.ThrottledError: _Kind(429, "throttled", retry_after=2),
    errors.ModelFailedError: _Kind(502, "model_error"),
    errors.EndpointUnavailableError: _Kind(502, "model_error", retry_after=5),
    errors.ModelNotReleasedError: _Kind(503, "model_not_released", retry_after=30),
    errors.ModelWarmingUpError: _Kind(503, "model_warming_up", retry_after=10),
    errors.ModelTimeoutError: _Kind(504, "model_timeout", retry_after=5),
    errors.MisconfiguredError: INTERNAL,
}


def to_problem(error: Exception) -> Problem:
    """The problem for any exception; one that is not of this package says nothing about itself."""
    if not isinstance(error, errors.PredictError):
        return Problem(INTERNAL.status, INTERNAL.code, "Something went wrong on our side. Its log says what.", {})
    kind = _KINDS[type(error)]
    headers = {} if kind.retry_after is None else {"Retry-After": str(kind.retry_after)}
    if isinstance(error, errors.MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    return Problem(kind.status, kind.code, error.detail, headers)
