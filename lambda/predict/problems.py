"""Errors as `application/problem+json` (RFC 9457): the one place that knows the status of each error."""

from dataclasses import dataclass

from predict.errors import MethodNotAllowedError, ModelFailedError, PredictError
from predict.models import ProblemDocument

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:text-classifier:"
"""First part of every `type`: a URN, because the address of a deployment is not stable."""


@dataclass(frozen=True)
class ProblemType:
    """A kind of error that callers can tell apart."""

    code: str
    """A stable name that programs can act on."""
    status: int
    retry_after: int | None
    """Seconds, sent as `Retry-After`; None where repeating the request does not help."""
    title: str
    meaning: str
    """What it tells a caller, for the documentation."""

    @property
    def type(self) -> str:
        """Its stable URI."""
        return TYPE_PREFIX + self.code


# Code, status, Retry-After, title, meaning.
# fmt: off
_TYPES = (
    ProblemType("bad_request", 400, None, "The request is not of the documented form",
                "The body or a parameter breaks the contract; `detail` says where."),
    ProblemType("text_too_long", 400, None, "A text is too long for the model",
                "Only with `truncation: false`; otherwise the end of such a text is ignored."),
    ProblemType("forbidden", 403, None, "Access denied",
                "The API key is missing or wrong, or requests from this address are not allowed."),
    ProblemType("blocked", 403, None, "Blocked by the firewall",
                "The web application firewall refused the request: too many, too large, or of a known bad form."),
    ProblemType("not_found", 404, None, "No such path",
                "The API has no such path."),
    ProblemType("method_not_allowed", 405, None, "The path does not take this method",
                "The header `Allow` lists the methods that it takes."),
    ProblemType("payload_too_large", 413, None, "The body is too large",
                "Send the texts in several requests."),
    ProblemType("unsupported_media_type", 415, None, "The body has to be JSON",
                "Send the header `Content-Type: application/json`."),
    ProblemType("throttled", 429, 2, "Too many requests at once",
                "The API or the model is at its request limit. Slow down, and try again after `Retry-After`."),
    ProblemType("quota_exceeded", 429, 3600, "The API key's quota is used up",
                "The key has made all requests that its quota allows in this period."),
    ProblemType("internal", 500, None, "The service failed",
                "The request is not at fault. The operator finds the reason in the log under `request_id`."),
    ProblemType("model_error", 502, 5, "The model failed",
                "The model crashed or gave no usable answer. `Retry-After` is sent where another try may succeed."),
    ProblemType("model_not_released", 503, 30, "There is no model yet",
                "No model has been released, or its endpoint is still being created."),
    ProblemType("model_warming_up", 503, 10, "The model is starting",
                "A serverless endpoint has to start after a pause. Try again after `Retry-After`."),
    ProblemType("registry_unavailable", 503, 5, "The model registry does not answer",
                "Model details are temporarily unavailable. Predictions are not affected."),
    ProblemType("model_timeout", 504, 5, "The model did not answer in time",
                "Try again, or send fewer or shorter texts."),
)
# fmt: on

PROBLEM_TYPES: dict[str, ProblemType] = {kind.code: kind for kind in _TYPES}
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
