"""Errors as `application/problem+json` (RFC 9457): the one place that knows the status of each error."""

import json
from dataclasses import dataclass
from pathlib import Path

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


_TABLE = json.loads(Path(__file__).with_name("problems.json").read_text(encoding="utf-8"))
PROBLEM_TYPES: dict[str, ProblemType] = {kind["code"]: ProblemType(**kind) for kind in _TABLE}
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
