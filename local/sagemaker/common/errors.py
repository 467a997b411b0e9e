"""The errors that a client of the AWS API sees: error answers, and failures of jobs and endpoints."""

from collections.abc import Mapping
from typing import Any


class FailedError(Exception):
    """A job or an endpoint has failed. The message becomes its FailureReason."""


def shortened(text: str, length: int = 1024) -> str:
    """Return `text` with its middle cut out if it is longer than `length` (by default that of a FailureReason)."""
    if len(text) <= length:
        return text
    head = length // 3
    return f"{text[:head]} … {text[-(length - head - 3) :]}"


class ServiceError(Exception):
    """An error answer of the API.

    `code` is AWS's error code (`__type` of the JSON answer), `message` the text for the client. `details` are further
    members of the JSON answer, e.g. `OriginalStatusCode` of a ModelError.
    """

    def __init__(
        self, code: str, message: str, http_status: int = 400, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status
        self.details = dict(details or {})


class InvalidRequestError(ServiceError):
    """A request that breaks a constraint or does not fit the state of the resource: AWS's ValidationException."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class UnsupportedError(InvalidRequestError):
    """A request for something that AWS has and the local cloud does not."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The local cloud does not support {what}.")
