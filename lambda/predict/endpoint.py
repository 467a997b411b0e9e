"""The adapter to SageMaker: the only module that knows botocore, and where its errors become this package's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

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
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from predict.answers import EndpointAnswer, parse_answer
from predict.errors import (
    EndpointUnavailableError,
    InvalidRequestError,
    MisconfiguredError,
    ModelFailedError,
    ModelNotReleasedError,
    ModelTimeoutError,
    ModelWarmingUpError,
    PayloadTooLargeError,
    PredictError,
    ThrottledError,
)
from predict.request import MAX_BODY_BYTES

TIMEOUT_STEPS = (22, 12, 6, 3)
"""Seconds that one call may take: a client's read timeout is fixed, so there is one client a step, made when needed."""

CONNECT_SECONDS = 2

# Cutting long texts is the model's own business in our container, which ignores this; the stock one fails without it.
PARAMETERS = {"truncation": True}


class RuntimeClient(Protocol):
    """The part of boto3's `sagemaker-runtime` client used here."""

    def invoke_endpoint(self, **parameters: Any) -> dict[str, Any]:
        """As in boto3."""
        ...


class SageMakerEndpoint:
    """Asks one endpoint. Connections are kept between calls and between invocations of the Lambda."""

    def __init__(self, name: str, client_factory: Callable[[int], RuntimeClient]) -> None:
        """`client_factory` makes a client with the given read timeout in seconds."""
        self._name = name
        self._client_factory = client_factory
        self._clients: dict[int, RuntimeClient] = {}
        self._client(TIMEOUT_STEPS[0])  # while the Lambda starts, when it has the whole of a core

    def ask(self, texts: Sequence[str], *, seconds: float) -> EndpointAnswer:
        """One attempt that takes at most about `seconds`; raises one of PredictError's kinds."""
        body = json.dumps({"inputs": list(texts), "parameters": PARAMETERS}, ensure_ascii=False).encode()
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
            raise ModelTimeoutError() from error
        except (BotoConnectionError, HTTPClientError, IncompleteReadError) as error:
            raise EndpointUnavailableError() from error
        except BotoCoreError as error:
            raise MisconfiguredError(f"{type(error).__name__}: {error}") from error
        return parse_answer(answer, texts=len(texts))

    def _client(self, seconds: int) -> RuntimeClient:
        if seconds not in self._clients:
            self._clients[seconds] = self._client_factory(seconds)
        return self._clients[seconds]


def make_client(seconds: int) -> RuntimeClient:
    """A boto3 client that gives up after `seconds` and leaves retrying to this package, which knows the budget."""
    config = Config(
        connect_timeout=CONNECT_SECONDS, read_timeout=seconds, retries={"total_max_attempts": 1}, tcp_keepalive=True
    )
    return boto3.client("sagemaker-runtime", config=config)


def translate(error: ClientError) -> PredictError:
    """What an error answer of SageMaker means here."""
    code = error.response["Error"]["Code"]
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ModelError":
        return _model_error(error.response)
    if code == "ValidationError" and "not found" in error.response["Error"]["Message"].lower():
        # SageMaker has no code of its own for a missing endpoint; this text is all there is to tell it by.
        return ModelNotReleasedError()
    if code == "ModelNotReadyException" or status == 503:
        return ModelWarmingUpError()
    if code in ("ThrottlingException", "Throttling", "TooManyRequestsException") or status == 429:
        return ThrottledError()
    if status == 413:
        return PayloadTooLargeError("The texts together are too large. Send them in several requests.")
    if status >= 500:
        return EndpointUnavailableError()
    return MisconfiguredError(str(error))


def _model_error(response: Any) -> PredictError:
    """A `ModelError`: the container answered with an error, or not at all (status 0)."""
    status = response.get("OriginalStatusCode", 0)
    kind, message = _own_error(response.get("OriginalMessage", ""))
    if kind == "bad_request":
        return InvalidRequestError(message)
    if kind == "payload_too_large":
        return PayloadTooLargeError(message)
    if status in (0, 504):
        return ModelTimeoutError()
    if status in (429, 503):
        return ModelWarmingUpError()
    if status in (500, 502) and kind is None:
        # Not our container's own word that the model failed, so it may be the server around it: worth another try.
        return EndpointUnavailableError()
    # That includes a 400 of the stock container, which gives this status to every failure.
    return ModelFailedError()


def _own_error(message: str) -> tuple[str | None, str]:
    """Type and text of an error in our container's form; (None, "") if it is in another."""
    try:
        error = json.loads(message)["error"]
        return str(error["type"]), str(error["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None, ""
