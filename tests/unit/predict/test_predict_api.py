"""predict.api and predict.handler: from an API Gateway event to its answer."""

from __future__ import annotations

import base64
import importlib
import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from botocore.exceptions import ReadTimeoutError

import predict
from predict.api import Api
from predict.endpoint import SageMakerEndpoint
from predict.observability import Observability, Telemetry
from predict.registry import ModelRegistry
from predict.service import Breaker, PredictionService
from shared.retry import Retry


class Context:
    """The part of Lambda's context that is used."""

    function_name = "predict"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:predict"
    aws_request_id = "lambda-id"

    def __init__(self, seconds: float = 29) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def event(method: str, path: str, body: str | None = None, **changes: Any) -> dict[str, Any]:
    """What API Gateway sends for a request."""
    context = {"requestId": "gateway-id", "stage": "prod", "path": f"/prod{path}", "httpMethod": method}
    headers = {"Content-Type": "application/json"} if body is not None else None
    return {
        "httpMethod": method,
        "path": path,
        "resource": path,
        "headers": headers,
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "requestContext": context,
        "body": body,
        "isBase64Encoded": False,
        **changes,
    }


class FakeRegistry:
    """Plays the `sagemaker` client: one description for every package, and what was asked."""

    def __init__(self, description: dict[str, Any] | Exception | None = None) -> None:
        self.description = description or {}
        self.asked: list[str] = []

    def describe_model_package(self, **parameters: Any) -> dict[str, Any]:
        self.asked.append(parameters["ModelPackageName"])
        if isinstance(self.description, Exception):
            raise self.description
        return self.description


class Front:
    """The whole Lambda except Lambda and SageMaker."""

    def __init__(self, runtime: Any, fake_time: Any, **settings: Any) -> None:
        self.runtime = runtime
        self.registry = FakeRegistry(settings.pop("package", None))
        self.log = io.StringIO()
        self.metrics = EphemeralMetrics(namespace="test", service="predict")
        self.telemetry = Telemetry(namespace="test", service="predict")
        retry = Retry(clock=fake_time.clock, sleep=fake_time.sleep)
        self.timeouts: list[int] = []
        logger = Logger(service=f"test-{uuid.uuid4()}", stream=self.log)
        self._api = Api(
            service=PredictionService(
                endpoint=SageMakerEndpoint("e", self._client),
                version_fallback="hub",
                retry=retry,
                breaker=Breaker(clock=fake_time.clock),
            ),
            registry=ModelRegistry("arn:group", lambda _: self.registry),
            observability=Observability(logger=logger, metrics=self.metrics, telemetry=self.telemetry),
            clock=fake_time.clock,
            **settings,
        )

    def _client(self, seconds: int) -> Any:
        self.timeouts.append(seconds)
        return self.runtime

    def raw(self, event: dict[str, Any], *, seconds: float = 29) -> dict[str, Any]:
        """What API Gateway gets."""
        return self._api.answer(event, seconds=seconds)

    def call(self, event: dict[str, Any], *, seconds: float = 29) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, parsed body, headers."""
        answer = self.raw(event, seconds=seconds)
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


@pytest.fixture
def api(fake_runtime: Any, fake_time: Any) -> Callable[..., Front]:
    """An API in front of a SageMaker that gives the prepared answers."""
    return lambda *answers, **settings: Front(fake_runtime(*answers), fake_time, **settings)


def test_the_articles_body_is_answered(api: Callable[..., Front], own: Any) -> None:
    """POST /v1/predictions with one text gives one prediction and the version."""
    body = json.dumps({"inputs": "This was a Christmas gift for my grandson."})
    status, answer, _ = api(own(1.62)).call(event("POST", "/v1/predictions", body))
    expected = {"label": "helpful", "confidence": 0.9, "score": 1.62, "truncated": False}
    assert (status, answer) == (200, {"predictions": [expected], "model": {"version": "3"}})


def test_several_labels_and_scores_are_answered(api: Callable[..., Front]) -> None:
    """What the model's server says of its classes reaches the caller, and only where it says it."""
    scores = [{"label": "joy", "confidence": 0.9}, {"label": "love", "confidence": 0.6}]
    prediction = {"label": "joy", "confidence": 0.9, "score": None, "truncated": False, "labels": ["joy"]}
    served = {"predictions": [{**prediction, "scores": scores}], "model": {"version": "3", "labels": 28}}
    front = api(served)
    body = json.dumps({"inputs": "x", "parameters": {"top_k": 2}})
    status, answer, _ = front.call(event("POST", "/v1/predictions", body))
    assert (status, answer["predictions"]) == (200, served["predictions"])
    assert json.loads(front.runtime.calls[0]["Body"])["parameters"] == {"truncation": True, "top_k": 2}


def test_an_answer_that_lambda_cannot_return_is_refused(api: Callable[..., Front]) -> None:
    """A hundred texts with all of a thousand long names are told to be fewer, not answered 502 by the gateway."""
    scores = [{"label": f"{'x' * 100}{number}", "confidence": 0.001} for number in range(1000)]
    prediction = {"label": "x", "confidence": 0.1, "score": None, "truncated": False, "scores": scores}
    front = api({"predictions": [prediction] * 50, "model": {"version": "3"}})
    body = json.dumps({"inputs": [str(number) for number in range(50)], "parameters": {"top_k": None}})
    status, problem, _ = front.call(event("POST", "/v1/predictions", body))
    assert (status, problem["code"]) == (413, "payload_too_large")
    assert "fewer texts" in problem["detail"] and "top_k" in problem["detail"]


def test_a_list_of_twenty_is_answered_in_order(api: Callable[..., Front], own: Any) -> None:
    """As many predictions as texts, in their order."""
    scores = [index / 10 for index in range(20)]
    body = json.dumps({"inputs": [f"text {index}" for index in range(20)]})
    answer = api(own(*scores)).call(event("POST", "/v1/predictions", body))[1]
    assert [prediction["score"] for prediction in answer["predictions"]] == scores


def test_a_stock_container_is_answered_in_the_same_form(api: Callable[..., Front]) -> None:
    """A hub model's probability becomes the confidence, and the configured version is reported."""
    front = api([{"label": "LABEL_1", "score": 0.98}])
    assert front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))[1] == {
        "predictions": [{"label": "LABEL_1", "confidence": 0.98, "score": None, "truncated": None}],
        "model": {"version": "hub"},
    }


def test_a_base64_body_is_read(api: Callable[..., Front], own: Any) -> None:
    """API Gateway encodes bodies when a binary media type is configured."""
    encoded = base64.b64encode(b'{"inputs": "x"}').decode()
    assert api(own(1.5)).call(event("POST", "/v1/predictions", encoded, isBase64Encoded=True))[0] == 200


def test_health_does_not_ask_the_model(api: Callable[..., Front]) -> None:
    """GET /v1/health says only that the API is there."""
    front = api(AssertionError("not to be called"))
    assert front.call(event("GET", "/v1/health"))[:2] == (200, {"status": "ok"})
    assert front.runtime.calls == []


@pytest.mark.parametrize(
    ("request_event", "status", "code"),
    [
        (event("POST", "/v1/predictions", '{"inputs": ""}'), 400, "bad_request"),
        (event("POST", "/v1/predictions", "{"), 400, "bad_request"),
        (event("POST", "/v1/predictions"), 400, "bad_request"),
        (event("POST", "/v1/predictions", "/w==", isBase64Encoded=True), 400, "bad_request"),
        (event("POST", "/v1/predictions", "a", isBase64Encoded=True), 400, "bad_request"),
        (
            event("POST", "/v1/predictions", "x", headers={"content-type": "text/csv"}),
            415,
            "unsupported_media_type",
        ),
        (event("GET", "/v1/predictions"), 405, "method_not_allowed"),
        (event("DELETE", "/v1/health"), 405, "method_not_allowed"),
        (event("POST", "/docs", "x"), 405, "method_not_allowed"),
        (event("GET", "/v1"), 404, "not_found"),
        (event("GET", "/v1/health", queryStringParameters={"deep": "yes"}), 400, "bad_request"),
        (event("POST", "/v1/predictions/1", "{}"), 404, "not_found"),
    ],
)
def test_a_bad_request_is_a_problem(
    api: Callable[..., Front], request_event: dict[str, Any], status: int, code: str
) -> None:
    """What is not served is refused as problem+json with the gateway's request id, and never asked of the model."""
    front = api(AssertionError("not to be called"))
    answered, problem, headers = front.call(request_event)
    assert (answered, problem["code"], problem["request_id"]) == (status, code, "gateway-id")
    assert problem["type"] == f"urn:problem-type:text-classifier:{code}"
    assert headers["Content-Type"] == "application/problem+json"
    assert front.runtime.calls == []


def test_without_a_model_it_says_when_to_come_back(api: Callable[..., Front], client_error: Any) -> None:
    """A missing endpoint is 503 model_not_released with Retry-After, after a single attempt."""
    front = api(client_error("ValidationError", "Endpoint e of account 000000000000 not found."))
    status, problem, headers = front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))
    assert (status, problem["code"], headers["Retry-After"]) == (503, "model_not_released", "30")
    assert len(front.runtime.calls) == 1


def test_a_cold_start_is_bridged(api: Callable[..., Front], client_error: Any, own: Any) -> None:
    """An endpoint that is not ready twice is asked a third time, and the caller sees only the answer."""
    cold = client_error("ModelNotReadyException", status=429)
    front = api(cold, cold, own(1.5))
    assert front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))[0] == 200
    assert len(front.runtime.calls) == 3


def test_a_cold_start_that_takes_too_long_is_reported(
    api: Callable[..., Front], client_error: Any, fake_time: Any
) -> None:
    """After the budget, 503 model_warming_up; and no more than 25 seconds were spent."""
    front = api(client_error("ModelNotReadyException", status=429))
    before = fake_time.now
    status, problem, _ = front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))
    assert (status, problem["code"]) == (503, "model_warming_up")
    assert fake_time.now - before <= 25


def test_the_lambdas_own_limit_shortens_the_budget(api: Callable[..., Front], own: Any) -> None:
    """With 24.5 seconds left, one of them kept to answer, a call that could take 22 is not begun."""
    front = api(own(1.5))
    front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'), seconds=24.5)
    assert front.timeouts[-1] == 12


def test_every_answer_allows_any_origin(api: Callable[..., Front], own: Any) -> None:
    """Success, health, refusal and unknown path carry the CORS header, without an Origin in the request too."""
    front = api(own(1.5))
    events = [
        event("POST", "/v1/predictions", '{"inputs": "x"}'),
        event("GET", "/v1/health"),
        event("POST", "/v1/predictions", "{"),
        event("GET", "/nowhere"),
    ]
    assert [front.call(one)[2]["Access-Control-Allow-Origin"] for one in events] == ["*"] * 4


def test_an_unexpected_failure_says_nothing_about_itself(api: Callable[..., Front]) -> None:
    """A bug is 500 internal to the caller and an exception in the log."""
    front = api(RuntimeError("the database password is 1234"))
    status, problem, _ = front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))
    assert (status, problem["code"]) == (500, "internal")
    assert "1234" not in json.dumps(problem)
    assert "RuntimeError" in front.log.getvalue()


def test_a_missing_permission_is_logged_and_not_told(api: Callable[..., Front], client_error: Any) -> None:
    """The caller gets 500 internal; the operator finds SageMaker's reason in the log."""
    front = api(client_error("AccessDeniedException", "role r may not InvokeEndpoint", status=403))
    status, problem, _ = front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))
    assert (status, "role r" in problem["detail"]) == (500, False)
    assert "role r may not InvokeEndpoint" in front.log.getvalue()


def test_texts_are_not_logged(api: Callable[..., Front], own: Any, client_error: Any) -> None:
    """Neither an answered nor a refused nor a failed request leaves a word of its text in the log."""
    front = api(own(1.5), client_error("InternalFailure", status=500))
    for body in ('{"inputs": "my secret"}', '{"inputs": ["my secret", 1]}', "my secret", '{"inputs": "my secret!"}'):
        front.call(event("POST", "/v1/predictions", body))
    assert front.log.getvalue().count("\n") == 4
    assert "secret" not in front.log.getvalue()


def test_texts_are_logged_where_asked_for(api: Callable[..., Front], own: Any) -> None:
    """With LOG_TEXTS on, the line of an answered request holds its texts."""
    front = api(own(1.5), log_texts=True)
    front.call(event("POST", "/v1/predictions", '{"inputs": "my words"}'))
    assert json.loads(front.log.getvalue())["inputs"] == ["my words"]


def test_the_log_counts(api: Callable[..., Front], own: Any) -> None:
    """One line for an answered request, with how much was asked and how often the endpoint was."""
    front = api(own(1.5, 0.5))
    front.call(event("POST", "/v1/predictions", '{"inputs": ["ab", "c", "ab"]}'))
    line = json.loads(front.log.getvalue())
    counts = {"texts": 3, "unique_texts": 2, "characters": 5, "attempts": 1, "model_version": "3"}
    assert counts.items() <= line.items()
    assert line["own_milliseconds"] >= 0 and line["endpoint_milliseconds"] == 0


def test_a_failing_models_line_says_what_sagemaker_said(api: Callable[..., Front], client_error: Any) -> None:
    """The operator finds SageMaker's code and the container's status; never its message, which may quote a text."""
    front = api(client_error("ModelError", "quoting my secret", status=424, OriginalStatusCode=400))
    front.call(event("POST", "/v1/predictions", '{"inputs": "my secret"}'))
    line = json.loads(front.log.getvalue())
    assert (line["level"], line["code"], line["reason"], line["container_status"]) == (
        "WARNING",
        "model_error",
        "ModelError",
        400,
    )
    assert "secret" not in front.log.getvalue()


def test_a_lost_connection_is_told_and_logged(api: Callable[..., Front]) -> None:
    """A read timeout, whose exception has no answer of SageMaker's, is 504 with its name in the log."""
    front = api(ReadTimeoutError(endpoint_url="u", error=None))
    status, problem, _ = front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))
    assert (status, problem["code"]) == (504, "model_timeout")
    assert json.loads(front.log.getvalue())["reason"] == "ReadTimeoutError"


def test_requests_and_problems_are_counted(
    api: Callable[..., Front], own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each request is a metric, each problem one by its code, and an answer has its texts and its latencies."""
    front = api(own(1.5))
    front.call(event("POST", "/v1/predictions", '{"inputs": "x"}'))
    front.call(event("POST", "/v1/predictions", "{"))
    capsys.readouterr()  # the counts of the prediction, which have dimensions of their own
    front.metrics.flush_metrics()
    line = json.loads(capsys.readouterr().out)
    assert (line["Requests"], line["Texts"], line["Problem.bad_request"]) == ([1.0, 1.0], [1.0], [1.0])
    assert {"OwnLatency", "EndpointLatency", "Attempts"} <= line.keys()


def test_predictions_are_counted_and_probes_are_not(
    api: Callable[..., Front], own: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a caller asked is counted for the drift check; what a health check asked is nobody's text."""
    front = api(own(1.5))
    front.call(event("GET", "/v1/health", queryStringParameters={"deep": "true"}))
    assert "Predictions" not in capsys.readouterr().out
    front.call(event("POST", "/v1/predictions", '{"inputs": ["x", "x"]}'))
    labels = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "Predictions" in line]
    assert [(line["label"], line["model_version"], line["Predictions"]) for line in labels] == [("helpful", "3", [2.0])]


def test_deep_health_asks_the_model(api: Callable[..., Front], own: Any) -> None:
    """With deep=true the model is asked once, and its version and time are told."""
    front = api(own(1.5))
    status, answer, _ = front.call(event("GET", "/v1/health", queryStringParameters={"deep": "true"}))
    assert (status, answer) == (200, {"status": "ok", "model": {"version": "3"}, "milliseconds": 0.0})
    assert len(front.runtime.calls) == 1


def test_deep_health_reports_the_models_state(api: Callable[..., Front], client_error: Any, fake_time: Any) -> None:
    """A model that is starting makes it unhealthy as it fails predictions, after 10 seconds at the most."""
    front = api(client_error("ModelNotReadyException", status=429))
    before = fake_time.now
    status, problem, headers = front.call(event("GET", "/v1/health", queryStringParameters={"deep": "true"}))
    assert (status, problem["code"], headers["Retry-After"]) == (503, "model_warming_up", "10")
    assert fake_time.now - before <= 10


@pytest.mark.parametrize("answer", ["fine", "failed"])
def test_paths_without_a_key_ask_the_model_once_in_five_seconds(
    api: Callable[..., Front], own: Any, client_error: Any, fake_time: Any, answer: str
) -> None:
    """A thousand health checks and cards are one question to the model, whether it answers or fails."""
    front = api(own(1.5) if answer == "fine" else client_error("InternalFailure", status=400))
    calls = [event("GET", "/v1/health", queryStringParameters={"deep": "true"}), event("GET", "/v1/model")] * 500
    assert len({front.call(call)[0] for call in calls}) == 1
    assert len(front.runtime.calls) == 1
    fake_time.now += 5.1
    front.call(calls[0])
    assert len(front.runtime.calls) == 2


def test_the_model_is_described_by_the_version_that_answers(api: Callable[..., Front], own: Any) -> None:
    """GET /v1/model asks the model who it is and the registry what that version is."""
    front = api(own(1.5, version="7"), package={"CustomerMetadataProperties": {"training_job": "j"}})
    status, answer, _ = front.call(event("GET", "/v1/model"))
    assert (status, answer["version"], answer["source"], answer["training_job"]) == (200, "7", "registry", "j")
    assert front.registry.asked == ["arn:group/7"]


def test_without_a_model_there_is_none_to_describe(api: Callable[..., Front], client_error: Any) -> None:
    """GET /v1/model says model_not_released where predictions do."""
    front = api(client_error("ValidationError", "Endpoint e of account 000000000000 not found."))
    assert front.call(event("GET", "/v1/model"))[1]["code"] == "model_not_released"


def test_the_handler_is_put_together_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the stack's variables set, `predict.handler.handler` answers an event and prints its metrics."""
    monkeypatch.setenv("ENDPOINT_NAME", "text-classifier-local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    module = importlib.import_module("predict.handler")
    assert module.handler(event("GET", "/v1/health"), Context())["statusCode"] == 200
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any("Requests" in line for line in lines)


def test_without_its_endpoints_name_the_lambda_does_not_start() -> None:
    """A forgotten variable is named when the function is loaded, not at the first request."""
    environ = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    environ["PYTHONPATH"] = str(Path(predict.__file__).parent.parent)
    run = subprocess.run(
        [sys.executable, "-c", "import predict.handler"], env=environ, capture_output=True, text=True, check=False
    )
    assert "ENDPOINT_NAME is missing" in run.stderr
