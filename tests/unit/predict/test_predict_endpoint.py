"""predict.endpoint: SageMaker's answers and errors become this package's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.stub import Stubber

from predict import errors
from predict.endpoint import MAX_BODY_BYTES, TIMEOUT_STEPS, SageMakerEndpoint, make_client
from predict.service import BUDGET_SECONDS


def own_error(kind: str) -> str:
    return json.dumps({"error": {"type": kind, "message": "inputs is null: expected a text"}})


def model_error(status: int, message: str = "") -> dict[str, Any]:
    return {"status": 424, "OriginalStatusCode": status, "OriginalMessage": message}


def test_asks_the_named_endpoint_in_json(fake_runtime: Any, own: Any) -> None:
    """Name, content type and texts reach SageMaker, characters beyond ASCII included."""
    runtime = fake_runtime(own(1.5))
    SageMakerEndpoint("the-endpoint", lambda _: runtime).ask(["sch\u00f6n"], {}, seconds=25)
    call = runtime.calls[0]
    assert (call["EndpointName"], call["ContentType"], call["Accept"]) == ("the-endpoint", *["application/json"] * 2)
    assert json.loads(call["Body"]) == {"inputs": ["sch\u00f6n"], "parameters": {"truncation": True}}


def test_parameters_travel_to_the_endpoint(fake_runtime: Any, own: Any) -> None:
    """What the caller asks for replaces the defaults, and null stays null."""
    runtime = fake_runtime(own(1.5))
    SageMakerEndpoint("e", lambda _: runtime).ask(["x"], {"top_k": None, "truncation": False}, seconds=25)
    assert json.loads(runtime.calls[0]["Body"])["parameters"] == {"top_k": None, "truncation": False}


@pytest.mark.parametrize(("told", "position"), [("inputs[4] has 600 tokens: allowed are 512", 4), ("too long", None)])
def test_a_text_too_long_keeps_its_place(fake_runtime: Any, client_error: Any, told: str, position: int | None) -> None:
    """The model's server says which text it is."""
    message = json.dumps({"error": {"type": "text_too_long", "message": told}})
    cause = client_error("ModelError", "", **model_error(400, message))
    with pytest.raises(errors.TextTooLongError) as caught:
        SageMakerEndpoint("e", lambda _: fake_runtime(cause)).ask(["x"] * 5, {"truncation": False}, seconds=25)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("code", "message", "details", "expected"),
    [
        ("ValidationError", "Endpoint x of account 1 not found.", {}, errors.ModelNotReleasedError),
        ("ValidationError", "1 validation error detected", {}, errors.DeploymentError),
        ("ModelNotReadyException", "", {"status": 429}, errors.ModelWarmingUpError),
        ("ServiceUnavailable", "", {"status": 503}, errors.ModelWarmingUpError),
        ("ThrottlingException", "", {"status": 400}, errors.ThrottledError),
        ("SomethingNew", "", {"status": 429}, errors.ThrottledError),
        ("413", "Request Entity Too Large", {"status": 413}, errors.PayloadTooLargeError),
        ("InternalFailure", "", {"status": 500}, errors.EndpointUnavailableError),
        ("InternalDependencyException", "", {"status": 530}, errors.EndpointUnavailableError),
        ("AccessDeniedException", "not authorized", {"status": 403}, errors.DeploymentError),
        ("ModelError", "", model_error(400, own_error("bad_request")), errors.InvalidRequestError),
        ("ModelError", "", model_error(413, own_error("payload_too_large")), errors.PayloadTooLargeError),
        ("ModelError", "", model_error(500, own_error("model_error")), errors.ModelFailedError),
        ("ModelError", "", model_error(503, own_error("not_ready")), errors.ModelWarmingUpError),
        (
            "ModelError",
            "",
            model_error(400, '{"code": 400, "type": "InternalServerException"}'),
            errors.ModelFailedError,
        ),
        ("ModelError", "", model_error(500, "worker died"), errors.EndpointUnavailableError),
        ("ModelError", "", model_error(0), errors.ModelTimeoutError),
        ("ModelError", "", model_error(504), errors.ModelTimeoutError),
    ],
)
def test_an_error_answer_is_translated(
    fake_runtime: Any,
    client_error: Callable[..., Exception],
    code: str,
    message: str,
    details: dict[str, Any],
    expected: type[errors.PredictError],
) -> None:
    """Each of SageMaker's errors has one meaning here, and stays attached as the cause."""
    cause = client_error(code, message, **details)
    with pytest.raises(errors.PredictError) as caught:
        SageMakerEndpoint("e", lambda _: fake_runtime(cause)).ask(["x"], {}, seconds=25)
    assert (type(caught.value), caught.value.__cause__) == (expected, cause)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (exceptions.ReadTimeoutError(endpoint_url="u"), errors.ModelTimeoutError),
        (exceptions.ConnectTimeoutError(endpoint_url="u"), errors.ModelTimeoutError),
        (exceptions.EndpointConnectionError(endpoint_url="u"), errors.EndpointUnavailableError),
        (exceptions.ConnectionClosedError(endpoint_url="u"), errors.EndpointUnavailableError),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), errors.EndpointUnavailableError),
        (exceptions.NoCredentialsError(), errors.DeploymentError),
    ],
)
def test_a_failed_connection_is_translated(
    fake_runtime: Any, cause: Exception, expected: type[errors.PredictError]
) -> None:
    """Timeouts, lost connections and missing credentials are told apart."""
    with pytest.raises(expected):
        SageMakerEndpoint("e", lambda _: fake_runtime(cause)).ask(["x"], {}, seconds=25)


def test_the_containers_own_reason_reaches_the_caller(
    fake_runtime: Any, client_error: Callable[..., Exception]
) -> None:
    """A bad request found by the model's server says what is allowed, in that server's words."""
    runtime = fake_runtime(client_error("ModelError", **model_error(400, own_error("bad_request"))))
    with pytest.raises(errors.InvalidRequestError) as caught:
        SageMakerEndpoint("e", lambda _: runtime).ask(["x"], {}, seconds=25)
    assert caught.value.detail == "inputs is null: expected a text"


def test_more_than_the_endpoint_takes_is_not_sent(fake_runtime: Any, own: Any) -> None:
    """A body above 4 MB is refused here, with the limit."""
    runtime = fake_runtime(own(1.5))
    with pytest.raises(errors.PayloadTooLargeError, match=str(MAX_BODY_BYTES)):
        SageMakerEndpoint("e", lambda _: runtime).ask(["\u20ac" * 20_000] * 70, {}, seconds=25)
    assert runtime.calls == []


@pytest.mark.parametrize(("seconds", "timeout"), [(25, 22), (23.9, 12), (14, 12), (8.5, 6), (5, 3), (1, 3)])
def test_a_call_takes_no_longer_than_there_is(fake_runtime: Any, own: Any, seconds: float, timeout: int) -> None:
    """The read timeout is the largest step that leaves room for connecting."""
    made: dict[int, Any] = {}

    def factory(step: int) -> Any:
        made[step] = fake_runtime(own(1.5))
        return made[step]

    SageMakerEndpoint("e", factory).ask(["x"], {}, seconds=seconds)
    assert [step for step, runtime in made.items() if runtime.calls] == [timeout]


def test_the_first_attempt_gets_the_largest_step() -> None:
    """A cold start that answers late is waited for: the whole budget fits the longest timeout and a connection."""
    assert max(TIMEOUT_STEPS) + 2 < BUDGET_SECONDS < max(TIMEOUT_STEPS) + 4


def test_clients_are_kept(fake_runtime: Any, own: Any) -> None:
    """Connections are reused: one client a step, however often it is asked."""
    made: list[int] = []

    def factory(step: int) -> Any:
        made.append(step)
        return fake_runtime(own(1.5))

    endpoint = SageMakerEndpoint("e", factory)
    for _ in range(3):
        endpoint.ask(["x"], {}, seconds=25)
    assert made == [22]


def test_the_real_client_does_not_retry_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Botocore makes one attempt with the given timeout, so that the budget is this package's alone."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config: Any = make_client(12).meta.config  # type: ignore[attr-defined]
    assert (config.retries["total_max_attempts"], config.read_timeout) == (1, 12)


def test_botocores_own_error_shape_is_understood() -> None:
    """A ModelError as botocore builds it from its service model carries the members that are read here."""
    client = boto3.client(
        "sagemaker-runtime", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stub = Stubber(client)
    stub.add_client_error(
        "invoke_endpoint",
        service_error_code="ModelError",
        http_status_code=424,
        modeled_fields={"OriginalStatusCode": 400, "OriginalMessage": own_error("bad_request")},
    )
    with stub, pytest.raises(errors.InvalidRequestError):
        SageMakerEndpoint("e", lambda _: client).ask(["x"], {}, seconds=25)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'[{"label": "x"}]', b'[{"label": "x", "score": 0.5}]'])
def test_an_answer_without_a_prediction_for_each_text_is_the_models_failure(fake_runtime: Any, body: bytes) -> None:
    """What is in no known form, or answers another number of texts, never becomes an answer."""
    with pytest.raises(errors.ModelFailedError, match="does not have the expected form"):
        SageMakerEndpoint("e", lambda _: fake_runtime(body)).ask(["a", "b"], {}, seconds=25)


def test_the_stock_containers_answer_is_understood(fake_runtime: Any) -> None:
    """A hub model's stock container answers in its own form."""
    runtime = fake_runtime([{"label": "LABEL_1", "score": 0.98}])
    assert SageMakerEndpoint("e", lambda _: runtime).ask(["a"], {}, seconds=25).predictions[0].confidence == 0.98
