"""The errors of a request. Each has the stable code that callers see; `problems` knows the status of each code."""

import math


class PredictError(Exception):
    """Base of everything this package raises on purpose."""

    code: str
    """The kind of problem, a key of `problems.PROBLEM_TYPES`."""
    retryable = False
    """Whether asking again in a moment may succeed."""
    patience = math.inf
    """For how many seconds after the first attempt it is worth asking again within one request."""
    detail = "The request could not be answered."
    """What a caller reads: what was wrong, what is allowed, what to do next."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail


class InvalidRequestError(PredictError):
    """The body or a parameter does not have the documented form."""

    code = "bad_request"


class TextTooLongError(PredictError):
    """A text is too long for the model, and the caller wants none truncated."""

    code = "text_too_long"

    def __init__(self, position: int | None = None) -> None:
        """`position` is that of the text among those that were asked, if it is known."""
        which = "A text" if position is None else f"inputs[{position}]"
        super().__init__(
            f"{which} is longer than the model can read, and parameters.truncation is false. Send it in parts, or "
            "leave truncation out: the rest of the text is then ignored, and the answer says so."
        )
        self.position = position


class UnsupportedMediaTypeError(PredictError):
    """The body is not declared as JSON."""

    code = "unsupported_media_type"
    detail = (
        'The body has to be JSON such as {"inputs": "a text"}: send it with the header Content-Type: application/json.'
    )


class PayloadTooLargeError(PredictError):
    """The texts together are larger than the endpoint accepts in one request."""

    code = "payload_too_large"


class RouteNotFoundError(PredictError):
    """The API has no such path."""

    code = "not_found"


class MethodNotAllowedError(PredictError):
    """The path exists and takes the methods `allowed` only."""

    code = "method_not_allowed"

    def __init__(self, detail: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class ModelNotReleasedError(PredictError):
    """There is no endpoint, or it is still being created."""

    code = "model_not_released"
    detail = "No model has been released yet. Train and release one, then try again."


class ModelWarmingUpError(PredictError):
    """The endpoint exists and is starting an instance for this request."""

    code = "model_warming_up"
    retryable = True
    detail = "The model is starting. Try again in a few seconds."


class ThrottledError(PredictError):
    """The endpoint is at its concurrency limit."""

    code = "throttled"
    retryable = True
    patience = 8.0  # requests that wait hold a Lambda each, and there may be few
    detail = "The model is answering as many requests as it can at once. Try again in a moment."


class ModelTimeoutError(PredictError):
    """The model did not answer within the time available."""

    code = "model_timeout"
    retryable = True
    detail = "The model did not answer in time. Try again, or send fewer or shorter texts."


class EndpointUnavailableError(PredictError):
    """The endpoint or the connection to it failed, and may work again soon."""

    code = "model_error"
    retryable = True
    detail = "The model is temporarily unavailable. Try again shortly."


class ModelFailedError(PredictError):
    """The model answered with an error, or with something that is no prediction."""

    code = "model_error"
    detail = "The model failed on this request. The operator finds the reason in the model's log."


class RegistryUnavailableError(PredictError):
    """The model registry did not answer, and may answer soon."""

    code = "registry_unavailable"
    detail = "Model details are temporarily unavailable. Try again shortly."


class DeploymentError(PredictError):
    """This function may not, or cannot, call the endpoint or the registry: `reason` is for the operator alone."""

    code = "internal"
    detail = "The service is not set up correctly. The operator finds the reason in the log."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.args = (reason,)  # what a traceback shows; the caller gets only `detail`
        self.reason = reason
