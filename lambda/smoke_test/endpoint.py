"""The adapter to the endpoint: one question, one answer, patience with a cold or busy one. Errors of boto3 end here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError

from smoke_test.answers import Answer, NotAnAnswer, parse_answer
from smoke_test.errors import EndpointUnusable

PATIENCE_SECONDS = 120.0
"""All waiting for a cold or busy endpoint ends after this, over all questions together."""

_READ_SECONDS = 65  # a serverless endpoint itself gives up after 60
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 8.0

_PASSING_CODES = (
    "ModelNotReadyException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalDependencyException",
)
_PASSING_STATUSES = (429, 503, 504)


def make_runtime() -> Any:
    """A boto3 client that leaves repeating to this module."""
    config = Config(connect_timeout=5, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 1})
    return boto3.client("sagemaker-runtime", config=config)


class Endpoint:
    """Asks one endpoint."""

    def __init__(
        self,
        name: str,
        runtime: Any,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`runtime`: a boto3 `sagemaker-runtime` client. The time for patience begins now."""
        self._name = name
        self._runtime = runtime
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + PATIENCE_SECONDS

    def ask(self, body: bytes) -> Answer:
        """The answer to one request.

        Raises:
            EndpointUnusable: it fails, stays cold or busy, or answers something else than a prediction.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._ask_once(body)
            except EndpointUnusable as error:
                if not error.passing:
                    raise
                if self._clock() + pause >= self._deadline:
                    raise EndpointUnusable(
                        self._name, f"{error.problem} It stayed so for {PATIENCE_SECONDS:.0f} seconds."
                    ) from error
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _ask_once(self, body: bytes) -> Answer:
        try:
            response = self._runtime.invoke_endpoint(
                EndpointName=self._name, ContentType="application/json", Accept="application/json", Body=body
            )
            content = response["Body"].read()
        except ClientError as error:
            raise self._translate(error) from error
        except (BotoConnectionError, HTTPClientError, IncompleteReadError) as error:
            raise EndpointUnusable(self._name, f"cannot be reached: {error}.", passing=True) from error
        except BotoCoreError as error:
            raise EndpointUnusable(self._name, f"cannot be asked: {error}.") from error
        try:
            return parse_answer(content)
        except NotAnAnswer as error:
            raise EndpointUnusable(self._name, f"gave an answer that {error}.") from error

    def _translate(self, error: ClientError) -> EndpointUnusable:
        response: dict[str, Any] = dict(error.response)
        code, message = response["Error"]["Code"], response["Error"].get("Message", "")
        if code == "ModelError":
            status, told = response.get("OriginalStatusCode", 0), response.get("OriginalMessage") or message
            passing = status in (0, *_PASSING_STATUSES)
            problem = f"failed on a sentence: the model answered {status}: {told}"
            return EndpointUnusable(self._name, problem, passing=passing)
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        passing = code in _PASSING_CODES or status == 429 or status >= 500
        return EndpointUnusable(self._name, f"does not answer: {code}: {message}", passing=passing)
