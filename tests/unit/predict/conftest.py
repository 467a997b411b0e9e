"""Hand-written stand-ins for what the predict Lambda talks to."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fake_time import FakeTime
from predict.api import Api
from predict.endpoint import SageMakerEndpoint
from predict.observability import create_observability
from predict.registry import ModelRegistry
from predict.service import PredictionService
from predict.settings import Settings


class FakeRuntime:
    """Plays `sagemaker-runtime`: gives the prepared answers in turn (the last one for ever), keeps what was asked.

    An answer is a parsed JSON document, bytes, or an exception.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    def invoke_endpoint(self, **parameters: Any) -> dict[str, Any]:
        self.calls.append(parameters)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"Body": io.BytesIO(answer if isinstance(answer, bytes) else json.dumps(answer).encode())}

    @property
    def asked(self) -> list[list[str]]:
        """The texts of each call."""
        return [json.loads(call["Body"])["inputs"] for call in self.calls]


@pytest.fixture
def fake_time() -> FakeTime:
    """A clock and a sleep that take no time."""
    return FakeTime(1000.0)


@pytest.fixture
def fake_runtime() -> type[FakeRuntime]:
    """The class, for tests to prepare answers."""
    return FakeRuntime


@pytest.fixture
def client_error() -> Callable[..., ClientError]:
    """Builds the exception that botocore raises for an error answer."""

    def build(code: str, message: str = "", *, status: int = 400, **members: Any) -> ClientError:
        response: Any = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
            **members,
        }
        return ClientError(response, "InvokeEndpoint")

    return build


def own_answer(*scores: float, version: str | None = "3") -> dict[str, Any]:
    """What the product's own container answers for texts with these scores."""
    predictions = [
        {"label": "helpful" if score > 1 else "not_helpful", "confidence": 0.9, "score": score, "truncated": False}
        for score in scores
    ]
    return {"predictions": predictions, "model": {"version": version}}


@pytest.fixture
def own() -> Callable[..., dict[str, Any]]:
    """`own_answer`, as a fixture because test modules cannot import this file."""
    return own_answer


@pytest.fixture
def make_api() -> Callable[[], Api]:
    """Builds an API that is not going to ask anybody."""

    def build() -> Api:
        return Api(
            service=PredictionService(endpoint=SageMakerEndpoint("e", lambda _: FakeRuntime({}))),
            registry=ModelRegistry(None, lambda _: pytest.fail("not to be called")),
            observability=create_observability(Settings(endpoint_name="e")),
        )

    return build
