"""Asks the endpoint, and waits for a cold or busy one. Errors of boto3 end here."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as BotoConnectionError

from shared.answers import Answer, InvalidAnswerError, parse_answer
from shared.errors import FunctionError
from shared.retry import Retry

PATIENCE_SECONDS = 120.0
"""Longest wait for a cold or busy endpoint, over all questions together."""

_READ_SECONDS = 65  # a serverless endpoint itself gives up after 60
RETRY = Retry(first_wait=1, longest_wait=8, shortest_attempt=1, max_attempts=1000, jitter=lambda low, high: high)

_PASSING_CODES = (
    "ModelNotReadyException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalDependencyException",
)
_PASSING_STATUSES = (0, 429, 503, 504)  # of the container; 0: it did not answer


class EndpointUnusableError(FunctionError):
    """The endpoint gave no usable answer; `retryable` says whether it may give one soon."""

    def __init__(self, endpoint: str, problem: str, *, retryable: bool = False) -> None:
        super().__init__(f"endpoint {endpoint} {problem}")
        self.problem = problem
        self.retryable = retryable


def make_runtime() -> Any:
    """Return a boto3 client that leaves retries to this module."""
    config = Config(connect_timeout=5, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 1})
    return boto3.client("sagemaker-runtime", config=config)


class Endpoint:
    """Asks one endpoint."""

    def __init__(self, name: str, runtime: Any, retry: Retry = RETRY) -> None:
        """Start the clock for `PATIENCE_SECONDS`. `runtime` is a boto3 `sagemaker-runtime` client."""
        self._name = name
        self._runtime = runtime
        self._retry = retry
        self._deadline = retry.clock() + PATIENCE_SECONDS

    def ask(self, body: bytes) -> Answer:
        """Return the answer to one request; raise EndpointUnusableError."""
        try:
            answer, _ = self._retry.call(lambda _: self._ask_once(body), budget=self._deadline - self._retry.clock())
        except EndpointUnusableError as error:
            if not error.retryable:
                raise
            problem = f"{error.problem} It stayed so for {PATIENCE_SECONDS:.0f} seconds."
            raise EndpointUnusableError(self._name, problem) from error
        return answer

    def _ask_once(self, body: bytes) -> Answer:
        try:
            response = self._runtime.invoke_endpoint(
                EndpointName=self._name, ContentType="application/json", Accept="application/json", Body=body
            )
            content = response["Body"].read()
        except ClientError as error:
            raise self._translate(error) from error
        except (BotoConnectionError, HTTPClientError, IncompleteReadError) as error:
            raise EndpointUnusableError(self._name, f"cannot be reached: {error}.", retryable=True) from error
        except BotoCoreError as error:
            raise EndpointUnusableError(self._name, f"cannot be asked: {error}.") from error
        try:
            return parse_answer(content, texts=1)
        except InvalidAnswerError as error:
            raise EndpointUnusableError(self._name, f"gave an answer that {error}.") from error

    def _translate(self, error: ClientError) -> EndpointUnusableError:
        response: dict[str, Any] = dict(error.response)
        code, message = response["Error"]["Code"], response["Error"].get("Message", "")
        if code == "ModelError":
            status, told = response.get("OriginalStatusCode", 0), response.get("OriginalMessage") or message
            problem = f"failed on a sentence: the model answered {status}: {told}"
            return EndpointUnusableError(self._name, problem, retryable=status in _PASSING_STATUSES)
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        retryable = code in _PASSING_CODES or status == 429 or status >= 500
        return EndpointUnusableError(self._name, f"does not answer: {code}: {message}", retryable=retryable)
