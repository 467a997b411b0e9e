"""The checks after a deployment: a small API over HTTP, and AWS's answers in the shapes of its own service models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations import checks, paths
from operations.checks import FAILED, NOTE, OK, UNKNOWN, Check
from operations.verbs.deployment import status, verify
from running_server import RunningServer
from stubbed_deployment import StubbedDeployment
from text_classifier import RetryPolicy

HEADERS = {"Content-Type": "application/problem+json", "Access-Control-Allow-Origin": "*"}
REFUSED = (400, HEADERS, {"code": "bad_request", "detail": "no"})
ASLEEP = (503, HEADERS, {"code": "model_warming_up", "detail": "The model is starting."})
PACKAGE = "arn:aws:sagemaker:us-east-1:000000000000:model-package/text-classifier-dev"
Answer = tuple[int, dict[str, str], Any]


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not answer is asked again at once."""
    monkeypatch.setattr(verify.BUSY, "sleep", lambda seconds: None)


class Api(RunningServer):
    """Answers each path and method as `answers` says."""

    def __init__(self) -> None:
        prediction = {"label": "helpful", "confidence": 0.9, "score": 1.5, "truncated": False}
        self.answers: dict[str, Answer] = {
            "GET /v1/health": (200, {}, {"status": "ok"}),
            "GET /v1/health?deep=true": (200, {}, {"status": "ok", "model": {"version": "7"}, "milliseconds": 9.0}),
            "GET /v1/health?deep=perhaps": REFUSED,
            "POST /v1/predictions": (200, {}, {"predictions": [prediction], "model": {"version": "7"}}),
            "POST /v1/predictions {}": REFUSED,
            "POST /v1/predictions keyless": (403, HEADERS, {"code": "forbidden", "detail": "no"}),
        }
        self.api_key: str | None = None
        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self})))

    def answer(self, asked: str, key: str | None) -> Answer:
        """What is answered to a method, a path and a body without texts."""
        if asked.startswith("POST") and key != self.api_key:
            return self.answers["POST /v1/predictions keyless"]
        return self.answers[asked]


class _Handler(BaseHTTPRequestHandler):
    api: Api

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = f"{self.command} {self.path}" + (" {}" if body == b"{}" else "")
        code, headers, document = self.api.answer(asked, self.headers.get("x-api-key"))
        content = json.dumps(document).encode()
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as running:
        yield running


class Deployed(StubbedDeployment):
    """A deployment whose stacks are these outputs, and a serving stack with this version."""

    released = "7"

    def stack(self, part: str) -> dict[str, Any] | None:
        parameter = {"ParameterKey": "ModelPackageArn", "ParameterValue": f"{PACKAGE}/{self.released}"}
        return {"Parameters": [parameter if self.released else {**parameter, "ParameterValue": ""}]}


@pytest.fixture
def aws(api: Api) -> Deployed:
    made = Deployed("dev", boto3.Session(region_name="us-east-1"), None)
    made.__dict__["outputs"] = {
        "ApiUrl": api.url,
        "ApiId": "abc",
        "ApiStage": "live",
        "DashboardName": "text-classifier-dev",
        "StateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:text-classifier-dev-training",
    }
    return made


def found_by(check: Any, deployment: Deployed) -> list[Check]:
    return list(checks.guarded([check], deployment))


def test_a_good_api_is_all_ok(aws: Deployed) -> None:
    """Health, a prediction, the model, errors with CORS; that no key is asked for is a note."""
    asked = (verify._health, verify._prediction, verify._model, verify._errors)
    found = [one for check in asked for one in found_by(check, aws)]
    assert {one.check: one.status for one in found} == {
        "health": OK,
        "prediction": OK,
        "deep health": OK,
        "key": NOTE,
        "error of gateway": OK,
        "error of function": OK,
    }
    assert checks.table(found).exit_code == 0


def test_a_model_that_does_not_answer_fails_with_the_reason_and_the_next_step(
    aws: Deployed, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stack names version 7, and nobody claims that it serves; the prediction fails too, and ends nothing."""
    monkeypatch.setattr(verify, "PATIENCE", RetryPolicy(attempts=1))
    api.answers["GET /v1/health?deep=true"] = api.answers["POST /v1/predictions"] = ASLEEP
    (model,), (prediction,) = found_by(verify._model, aws), found_by(verify._prediction, aws)
    assert model.status == prediction.status == FAILED
    assert "model_warming_up" in model.found and "released is version 7" in model.found
    assert "make rollback ENV=dev PACKAGE=7" in model.next_step
    assert checks.table([model]).exit_code == 1
    assert "Next step for deep health: make logs" in str(checks.table([model]).text)


def test_without_a_release_the_next_step_is_training(aws: Deployed, api: Api) -> None:
    """A stack without a package of its own and a model that does not answer."""
    api.answers["GET /v1/health?deep=true"] = ASLEEP
    object.__setattr__(aws, "released", "")
    (model,) = found_by(verify._model, aws)
    assert (model.status, model.next_step) == (FAILED, "make train ENV=dev")
    assert "released" not in model.found


def test_another_model_than_the_released_one_is_found_out(aws: Deployed, api: Api) -> None:
    """It answers, and that is not enough."""
    api.answers["GET /v1/health?deep=true"] = (200, {}, {"model": {"version": "6"}})
    (model,) = found_by(verify._model, aws)
    assert (model.status, model.found) == (FAILED, "version 6 answers; released is version 7")


def test_status_names_the_model_that_answers_and_never_one_that_does_not(aws: Deployed, api: Api) -> None:
    """`model_version` comes from the model itself; without an answer it is empty, with the reason."""
    aws.__dict__["api_key"] = None
    assert status.write(aws)["model_version"] == "7"
    api.answers["GET /v1/health?deep=true"] = ASLEEP
    facts = status.write(aws)
    assert (facts["model_version"], facts["released_version"]) == (None, "7")
    assert facts["model"].startswith("does not answer: The API answered 503 model_warming_up")


@pytest.mark.parametrize(
    ("asked", "check"),
    [("POST /v1/predictions {}", "error of gateway"), ("GET /v1/health?deep=perhaps", "error of function")],
)
@pytest.mark.parametrize(
    "wrong",
    [
        (200, HEADERS, {}),
        (400, {"Content-Type": HEADERS["Content-Type"]}, {}),
        (400, {"Access-Control-Allow-Origin": "*"}, {"message": "Invalid request body"}),
    ],
    ids=["accepted", "without CORS", "no problem document"],
)
def test_an_error_of_another_form_is_found_out(aws: Deployed, api: Api, asked: str, check: str, wrong: Answer) -> None:
    """Accepted, without CORS, or in API Gateway's own form: what came, what was expected, and what to deploy."""
    api.answers[asked] = wrong
    (failed,) = (one for one in found_by(verify._errors, aws) if one.status not in (OK, NOTE))
    assert (failed.check, failed.status) == (check, FAILED)
    assert failed.found.startswith(f"{wrong[0]}, ")
    assert failed.next_step.startswith("expected are 400, application/problem+json")
    assert failed.next_step.endswith("cdk deploy text-classifier-dev-api")


@pytest.mark.parametrize(("needed", "status"), [("secret", OK), (None, FAILED)])
def test_where_a_key_is_needed_it_is_asked_for(aws: Deployed, api: Api, needed: str | None, status: str) -> None:
    """With the key every request is answered; without one it is refused, or that is the finding."""
    aws.__dict__["outputs"]["ApiKeyId"] = "k1"
    aws.answer("apigateway", "get_api_key", {"value": "secret"})
    api.api_key = "secret"
    if needed is None:
        api.answers["POST /v1/predictions keyless"] = (200, HEADERS, {})
    assert [one.status for one in found_by(verify._prediction, aws)] == [OK]
    found = {one.check: one for one in found_by(verify._errors, aws)}
    assert (found["without a key"].status, found["error of gateway"].status) == (status, OK)


GOOD_LIMIT = {"throttlingRateLimit": 40.0, "throttlingBurstLimit": 80}
GOOD_REFUSAL = {
    "statusCode": "429",
    "responseParameters": {
        "gatewayresponse.header.Retry-After": "'2'",
        "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
    },
}


def limits(
    aws: Deployed, settings: dict[str, Any], refusal: dict[str, Any], plans: list[Any] | None = None
) -> list[Check]:
    """What the check of the limits finds where API Gateway has these."""
    aws.answer("apigateway", "get_stage", {"methodSettings": settings})
    aws.answer("apigateway", "get_gateway_response", refusal)
    if plans is not None:
        aws.__dict__["outputs"]["ApiKeyId"] = "k1"
        aws.answer("apigateway", "get_usage_plans", {"items": plans})
    return found_by(verify._limits, aws)


@pytest.mark.parametrize("path", ["~1v1~1predictions/POST", "/~1v1~1predictions/POST", "v1/predictions/POST", "*/*"])
def test_the_limit_of_predictions_is_read_however_its_path_is_written(aws: Deployed, path: str) -> None:
    """With a slash as `~1` or as it is; without a limit of its own the stage's counts."""
    (found,) = limits(aws, {path: GOOD_LIMIT}, GOOD_REFUSAL)
    assert (found.status, found.next_step) == (OK, "")
    assert found.found.startswith("40 predictions/s, 80 at once; more: 429, Retry-After: 2")


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        ({}, GOOD_REFUSAL),
        ({"*/*": GOOD_LIMIT}, {"statusCode": "429", "responseParameters": {}}),
        ({"*/*": GOOD_LIMIT}, {**GOOD_REFUSAL, "statusCode": "500"}),
    ],
    ids=["no limit", "no headers", "another status"],
)
def test_a_missing_limit_or_a_bare_refusal_is_found_out(
    aws: Deployed, settings: dict[str, Any], refusal: dict[str, Any]
) -> None:
    """An API without a limit, or one whose throttled callers do not learn when to return, or in a browser anything."""
    (found,) = limits(aws, settings, refusal)
    assert (found.status, "api.predictions_rate_limit" in found.next_step) == (FAILED, True)


@pytest.mark.parametrize(
    ("plans", "status"),
    [
        ([{"apiStages": [{"apiId": "abc", "stage": "live"}], "throttle": {"rateLimit": 5.0, "burstLimit": 9}}], OK),
        ([{"apiStages": [{"apiId": "abc", "stage": "live"}]}], OK),
        ([{"apiStages": [{"apiId": "another", "stage": "live"}]}], FAILED),
        ([], FAILED),
    ],
)
def test_a_key_has_a_plan_of_this_api(aws: Deployed, plans: list[Any], status: str) -> None:
    """A key in no plan of the API opens nothing; limits of its own a key may have or not."""
    _, plan = limits(aws, {"*/*": GOOD_LIMIT}, GOOD_REFUSAL, plans)
    assert plan.status == status


SEARCH = (
    """SEARCH('{"text-classifier-dev","service","model_version"} service="predict" MetricName="Predictions"', 'Sum')"""
)
PROBLEMS = """SEARCH('{"text-classifier-dev","service"} service="predict" Problem', 'Sum')"""
BOARD = [
    ["AWS/ApiGateway", "Count", "ApiName", "a", "Stage", "live", {"stat": "Sum"}],
    ["AWS/States", "ExecutionsTimedOut", "StateMachineArn", "m"],
    [{"expression": SEARCH}],
    [{"expression": PROBLEMS}],
]
ALARM = {"Namespace": "AWS/ApiGateway", "MetricName": "5XXError", "Dimensions": [{"Name": "ApiName", "Value": "a"}]}


def metric(namespace: str, name: str, **dimensions: str) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}


THERE = [
    metric("AWS/ApiGateway", "Count", ApiName="a", Stage="live"),
    metric("AWS/ApiGateway", "5XXError", ApiName="a"),
    metric("text-classifier-dev", "Predictions", service="predict", model_version="7"),
    metric("text-classifier-dev", "Problem.bad_request", service="predict"),
]


def metrics(aws: Deployed, there: list[dict[str, Any]], *others: dict[str, Any]) -> dict[str, Check]:
    """What the check of the metrics finds where CloudWatch lists these, and these alarms beside the environment's."""
    queries = [{"Id": "errors", "MetricStat": {"Metric": ALARM, "Period": 60, "Stat": "Sum"}}]
    widgets = [{"properties": {"alarms": []}}, {"properties": {"metrics": BOARD}}]
    aws.answer("cloudwatch", "get_dashboard", {"DashboardBody": json.dumps({"widgets": widgets})})
    mine = {"AlarmName": "text-classifier-dev-errors", "Metrics": queries}
    aws.answer("cloudwatch", "describe_alarms", {"MetricAlarms": [mine, *others]})
    for _ in range(3):  # namespaces, in whatever order
        aws.answer("cloudwatch", "list_metrics", {"Metrics": there})
    return {one.check: one for one in found_by(verify._metrics, aws)}


def test_metrics_that_exist_are_found_and_those_of_an_event_are_a_note(aws: Deployed) -> None:
    """By name and every dimension, searches by the dimensions' names; what comes with an event is said so."""
    found = metrics(aws, THERE)
    assert set(found) == {"metrics", "come later"}
    assert found["metrics"].found.startswith("4 of 5 ")
    assert found["come later"].found == "with an execution that ends so: ExecutionsTimedOut"


@pytest.mark.parametrize(
    ("lost", "name"),
    [(0, "Count"), (1, "5XXError"), (2, "Predictions")],
)
def test_a_metric_under_another_name_or_dimension_is_missing(aws: Deployed, lost: int, name: str) -> None:
    """In the dashboard, in an alarm, in a search: one that differs in a dimension alone does not count."""
    changed = {**THERE[lost], "Dimensions": [*THERE[lost]["Dimensions"], {"Name": "Method", "Value": "GET"}]}
    found = metrics(aws, [*THERE[:lost], changed, *THERE[lost + 1 :]])
    assert (found["missing metrics"].status, found["missing metrics"].found) == (FAILED, name)
    assert "15 minutes" in found["missing metrics"].next_step


def test_alarms_of_another_environment_are_not_asked_about(
    aws: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of dev-2 begin as dev's do, and a metric that dev-2 lacks is no finding about dev."""
    (tmp_path / "cdk.json").write_text('{"context": {"environments": {"dev": {}, "dev-2": {}}}}')
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    other = {"AlarmName": "text-classifier-dev-2-errors", **ALARM, "MetricName": "Latency"}
    found = metrics(aws, THERE, other)
    assert set(found) == {"metrics", "come later"}
    assert "of 1 alarms" in found["metrics"].found


def test_monitoring_without_alarms_is_found_out(aws: Deployed) -> None:
    """Nobody would be called."""
    aws.answer("cloudwatch", "get_dashboard", {"DashboardBody": '{"widgets": []}'})
    aws.answer("cloudwatch", "describe_alarms", {"MetricAlarms": []})
    (found,) = found_by(verify._metrics, aws)
    assert (found.status, "text-classifier-dev-monitoring" in found.next_step) == (FAILED, True)


@pytest.mark.parametrize(("ended", "status"), [("SUCCEEDED", OK), ("FAILED", FAILED)])
def test_the_workflow_checks_an_input_and_stops(aws: Deployed, ended: str, status: str) -> None:
    """A dry run that fails is told with its cause."""
    arn = "arn:aws:states:us-east-1:000000000000:execution:text-classifier-dev-training:1"
    now, machine = datetime.now(tz=UTC), aws.output("StateMachineArn")
    aws.answer("stepfunctions", "start_execution", {"executionArn": arn, "startDate": now})
    described = {"executionArn": arn, "stateMachineArn": machine, "status": ended, "startDate": now}
    aws.answer("stepfunctions", "describe_execution", {**described, "output": "{}", "cause": "no right to do that"})
    aws.answer("stepfunctions", "get_execution_history", {"events": []})
    (found,) = found_by(verify._workflow, aws)
    assert found.status == status
    assert ("no right to do that" in found.found) == (status == FAILED)


def test_a_call_that_is_refused_is_unknown_and_ends_no_other_check(aws: Deployed) -> None:
    """Missing rights are neither a success nor a failure of the deployment, and fail the command."""
    aws.fail("apigateway", "get_stage", "AccessDeniedException")
    (found,) = found_by(verify._limits, aws)
    assert (found.check, found.status) == ("limits", UNKNOWN)
    assert checks.table([found]).exit_code == 1


def test_a_stack_that_is_missing_is_one_line(aws: Deployed) -> None:
    """Monitoring was not deployed: the metrics fail with the command that deploys them, and nothing else does."""
    del aws.__dict__["outputs"]["DashboardName"]
    (found,) = found_by(verify._metrics, aws)
    assert (found.status, found.next_step) == (FAILED, "cdk deploy --all -c env=dev")
