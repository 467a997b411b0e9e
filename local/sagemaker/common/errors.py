"""The one error tree of the local SageMaker: what a client of the AWS API sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An error answer of the API.

    Attributes:
        code: AWS error code (``__type`` of the JSON answer).
        message: the sentence the client sees.
        http_status: status of the HTTP answer.
        details: further members of the JSON answer (e.g. ``OriginalStatusCode`` of a ModelError).
    """

    def __init__(
        self, code: str, message: str, http_status: int = 400, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.http_status = http_status
        self.details = dict(details or {})


class ValidationException(ServiceError):
    """A request that breaks a constraint, or that does not fit the state of the resource."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ResourceInUse(ServiceError):
    """The name is taken."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class ResourceLimitExceeded(ServiceError):
    """One more would exceed a limit of the account."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceLimitExceeded", message)


class ConflictException(ServiceError):
    """The resource is still used by another one."""

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class UnknownOperation(ServiceError):
    """An action that AWS or the local cloud does not have."""

    def __init__(self, message: str) -> None:
        super().__init__("UnknownOperationException", message)


class SerializationException(ServiceError):
    """A member of the request has the wrong JSON type."""

    def __init__(self, message: str) -> None:
        super().__init__("SerializationException", message)


class EndpointMissing(ServiceError):
    """InvokeEndpoint on an endpoint that does not exist or never came up (runtime plane)."""

    def __init__(self, name: str, account: str) -> None:
        super().__init__("ValidationError", f"Endpoint {name} of account {account} not found.")


class ThrottlingException(ServiceError):
    """More requests at a time than the endpoint's MaxConcurrency (runtime plane)."""

    def __init__(self, message: str = "Rate exceeded") -> None:
        super().__init__("ThrottlingException", message, 429)


class ModelNotReady(ServiceError):
    """The endpoint exists but its model is still being started (runtime plane)."""

    def __init__(self, message: str) -> None:
        super().__init__("ModelNotReadyException", message, 429)


class ModelError(ServiceError):
    """The model answered with an error, or not at all (runtime plane).

    Attributes in `details`: ``OriginalStatusCode`` (int, 0 for a time-out), ``OriginalMessage``, ``LogStreamArn``.
    """

    def __init__(self, message: str, *, original_status: int, original_message: str, log_stream_arn: str) -> None:
        details = {
            "OriginalStatusCode": original_status,
            "OriginalMessage": original_message,
            "LogStreamArn": log_stream_arn,
        }
        super().__init__("ModelError", message, 424, details)
