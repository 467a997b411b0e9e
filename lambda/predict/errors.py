"""The one error tree of the predict Lambda.

Every error carries what a caller needs as attributes; `problems` alone knows what they become in HTTP.
"""

from __future__ import annotations


class PredictError(Exception):
    """Base of everything this package raises on purpose."""

    retryable = False
    """Whether asking again in a moment may succeed."""
    detail = "The request could not be answered."
    """What a caller is told: what was wrong, what is allowed, what to do next."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail


class InvalidRequestError(PredictError):
    """The body is not of the documented form."""


class UnsupportedMediaTypeError(PredictError):
    """The body is not declared as JSON."""

    detail = "The body has to be JSON: send it with the header Content-Type: application/json."


class PayloadTooLargeError(PredictError):
    """The texts together are more than the endpoint takes in one request."""


class RouteNotFoundError(PredictError):
    """No such path."""


class MethodNotAllowedError(PredictError):
    """The path exists, with other methods."""

    def __init__(self, detail: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class ModelNotReleasedError(PredictError):
    """There is no endpoint, or it is still being created."""

    detail = "No model has been released yet. Train and release one, then try again."


class ModelWarmingUpError(PredictError):
    """The endpoint exists and is starting an instance for this request."""

    retryable = True
    detail = "The model is starting. Try again in a few seconds."


class ThrottledError(PredictError):
    """The endpoint answers as many requests as it may at once."""

    retryable = True
    detail = "The model is answering as many requests as it may at once. Try again in a moment."


class ModelTimeoutError(PredictError):
    """No answer within the time there was."""

    retryable = True
    detail = "The model did not answer in time. Try again, or with fewer or shorter texts."


class EndpointUnavailableError(PredictError):
    """The endpoint or the way to it failed in a manner that may pass."""

    retryable = True
    detail = "The model cannot be reached at the moment. Try again in a moment."


class ModelFailedError(PredictError):
    """The model was asked and did not give a usable answer."""

    detail = "The model failed on this request. Its log says why."


class MisconfiguredError(PredictError):
    """This deployment may not, or cannot, call its endpoint: for the operator, not for the caller."""

    detail = "The service is not set up correctly. Its operator finds the reason in the log."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.args = (reason,)  # what a traceback shows; the caller still gets only `detail`
        self.reason = reason


class RegistryUnavailableError(PredictError):
    """The model registry did not answer, in a manner that may pass."""

    detail = "What the registry knows of the model cannot be had at the moment. Try again in a moment."
