"""The one error tree of the serving code. Callers read the attributes, never the message text."""

from __future__ import annotations

from pathlib import Path


class ServingError(Exception):
    """Base of everything this package raises on purpose."""


class ArtifactError(ServingError):
    """A file of the model artifact is missing, truncated or does not fit the others."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class BackendMissingError(ServingError):
    """No library that could run the model is installed for this interpreter."""


class SettingsError(ServingError):
    """An environment variable of the server has a value that is not allowed."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{name}={value!r} is not allowed: expected {allowed}")
        self.name = name
        self.value = value
        self.allowed = allowed


class ModelError(ServingError):
    """The model itself failed on an acceptable request."""


class RequestError(ServingError):
    """The caller has to change the request. `status` and `kind` are what the answer carries."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "bad_request") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
