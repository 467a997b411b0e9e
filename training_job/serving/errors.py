"""The errors of the serving code. Callers read the attributes, never the message."""

from pathlib import Path


class ServingError(Exception):
    """Base of the errors of this package; by itself: a setting, a missing library or the model's output is wrong."""


class ArtifactError(ServingError):
    """A file of the model artifact is missing, truncated or does not match the others."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class RequestError(ServingError):
    """The caller has to change the request. `status` and `kind` go into the answer."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "bad_request") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
