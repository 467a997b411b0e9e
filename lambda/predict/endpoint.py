"""Asks the SageMaker endpoint, and turns botocore's errors into those of this package."""

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from predict.errors import (
    DeploymentError,
    EndpointUnavailableError,
    InvalidRequestError,
    ModelFailedError,
    ModelNotReleasedError,
    ModelTimeoutError,
    ModelWarmingUpError,
    PayloadTooLargeError,
    PredictError,
    TextTooLongError,
    ThrottledError,
)
from predict.request import MAX_BODY_BYTES
from shared.answers import Answer, InvalidAnswerError, parse_answer

TIMEOUT_STEPS = (22, 12, 6, 3)
"""Read timeouts in seconds. A client has a fixed one, so there is one client for each, created when needed."""

CONNECT_SECONDS = 2

# For the stock container, which fails on long texts without it; the default of our own.
DEFAULTS: Mapping[str, Any] = {"truncation": True}


class SageMakerEndpoint:
    """One endpoint. Connections are reused between calls and between invocations of the Lambda."""

    def __init__(self, name: str, client_factory: Callable[[int], Any]) -> None:
        """`client_factory` creates a client with the given read timeout in seconds."""
        self._name = name
        self._client = functools.cache(client_factory)
        self._client(TIMEOUT_STEPS[0])  # created while the Lambda starts, when it has a full core

    def ask(self, texts: Sequence[str], parameters: Mapping[str, Any], *, seconds: float) -> Answer:
        """Make one attempt that takes at most about `seconds`; `parameters` are the caller's. Raise PredictError."""
        document = {"inputs": list(texts), "parameters": {**DEFAULTS, **parameters}}
        body = json.dumps(document, ensure_ascii=False).encode()
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLargeError(
                f"The texts have {len(body)} bytes together. Allowed are {MAX_BODY_BYTES}: send several requests."
            )
        step = next((step for step in TIMEOUT_STEPS if step + CONNECT_SECONDS <= seconds), TIMEOUT_STEPS[-1])
        try:
            response = self._client(step).invoke_endpoint(
                EndpointName=self._name, ContentType="application/json", Accept="application/json", Body=body
            )
            answer = response["Body"].read()
        except ClientError as error:
            raise translate(error) from error
        except (ReadTimeoutError, ConnectTimeoutError) as error:
            raise ModelTimeoutError from error
        except (BotoConnectionError, HTTPClientError, IncompleteReadError) as error:
            raise EndpointUnavailableError from error
        except BotoCoreError as error:
            raise DeploymentError(f"{type(error).__name__}: {error}") from error
        try:
            return parse_answer(answer, texts=len(texts), stock=True)
        except InvalidAnswerError as error:
            raise ModelFailedError("The model's answer does not have the expected form.") from error


def make_client(seconds: int) -> Any:
    """Return a boto3 client with this read timeout, which leaves retries to this package."""
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=seconds, retries={"total_max_attempts": 1}, tcp_keepalive=True
    )
    return boto3.client("sagemaker-runtime", config=config)


def translate(error: ClientError) -> PredictError:
    """Return this package's error for an error answer of SageMaker."""
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ModelError":
        return _model_error(error.response)
    if code == "ValidationError" and "not found" in error.response["Error"]["Message"].lower():
        # SageMaker has no code of its own for a missing endpoint, only this text.
        return ModelNotReleasedError()
    if code == "ModelNotReadyException" or status == 503:
        return ModelWarmingUpError()
    if code in ("ThrottlingException", "Throttling", "TooManyRequestsException") or status == 429:
        return ThrottledError()
    if status == 413:
        return PayloadTooLargeError("The texts together are too large. Send them in several requests.")
    if status >= 500:
        return EndpointUnavailableError()
    return DeploymentError(str(error))


def _model_error(response: Any) -> PredictError:
    """Return the error for a `ModelError`: the container answered with an error, or not at all (status 0)."""
    status = response.get("OriginalStatusCode", 0)
    kind, message = _own_error(response.get("OriginalMessage", ""))
    if kind == "bad_request":
        return InvalidRequestError(message)
    if kind == "text_too_long":
        found = re.search(r"inputs\[(\d+)\]", message)
        return TextTooLongError(int(found[1]) if found else None)
    if kind == "payload_too_large":
        return PayloadTooLargeError(message)
    if status in (0, 504):
        return ModelTimeoutError()
    if status in (429, 503):
        return ModelWarmingUpError()
    if status in (500, 502) and kind is None:
        # Our container did not say that the model failed. The server around it may have failed: worth another try.
        return EndpointUnavailableError()
    # Includes status 400 of the stock container, which uses it for every failure.
    return ModelFailedError()


def _own_error(message: str) -> tuple[str | None, str]:
    """Return the type and text of an error in our container's form, or (None, "") for another form."""
    try:
        error = json.loads(message)["error"]
        return str(error["type"]), str(error["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None, ""
