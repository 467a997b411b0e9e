"""Lambda functions of the local cloud under load: environments, concurrency, and what a kill leaves."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from running_server import RunningServer
from waiting import until

pytestmark = pytest.mark.integration

_CODE = """
import urllib.request, shared_by_a_layer

def handler(event, context):
    answer = urllib.request.urlopen("{url}", timeout={patience}).read().decode()
    return {{"statusCode": 200, "body": answer, "file": shared_by_a_layer.__file__}}
"""
_PATIENCE = 180
"""Seconds that everybody has who waits for the model: a busy machine takes its time to start ten environments."""
_LAYER = {f"python/{name}.py": "x = 1\n" for name in ("shared_by_a_layer", *(f"more_{n}" for n in range(200)))}


class Model(RunningServer):
    """Answers nobody until `resume` is called; `waiting` counts those who ask."""

    def __init__(self) -> None:
        model, self._resumed, self.waiting = self, threading.Event(), 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                model.waiting += 1
                model._resumed.wait(_PATIENCE)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"helpful")

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(ThreadingHTTPServer(("127.0.0.1", 0), Handler))

    def resume(self) -> None:
        self._resumed.set()

    def has(self, waiting: int) -> bool:
        return self.waiting == waiting


@pytest.fixture
def model() -> Iterator[Model]:
    """A model that is stalled."""
    with Model() as stalled:
        yield stalled
        stalled.resume()


def archive(files: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return written.getvalue()


def make_function(server: Any, name: str, url: str) -> str:
    """A function with a layer that asks the model; its ARN."""
    functions = server.client("lambda")
    role = server.role(f"{name}-role", "lambda.amazonaws.com")
    layer = functions.publish_layer_version(LayerName=name, Content={"ZipFile": archive(_LAYER)})
    arn: str = functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="index.handler",
        Timeout=_PATIENCE,
        Layers=[layer["LayerVersionArn"]],
        Code={"ZipFile": archive({"index.py": _CODE.format(url=url, patience=_PATIENCE)})},
    )["FunctionArn"]
    return arn


def make_api(server: Any, arn: str) -> str:
    """A REST API in front of a function; its URL."""
    gateway = server.client("apigateway")
    function = {"FunctionName": arn, "StatementId": "api", "Principal": "apigateway.amazonaws.com"}
    server.client("lambda").add_permission(Action="lambda:InvokeFunction", **function)
    api = gateway.create_rest_api(name="api")["id"]
    method = {
        "restApiId": api,
        "resourceId": gateway.get_resources(restApiId=api)["items"][0]["id"],
        "httpMethod": "GET",
    }
    gateway.put_method(**method, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="s")
    return f"{server.url}/restapis/{api}/s/_user_request_/"


def ask(url: str) -> tuple[int, str, str]:
    """Status, error type and body of an answer."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            return answer.status, "", answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["x-amzn-ErrorType"], error.read().decode()


@contextmanager
def asking(ask: Callable[[], Any], times: int) -> Iterator[list[Any]]:
    """Ask in so many threads; the answers are complete after the block."""
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(ask())) for _ in range(times)]
    for thread in threads:
        thread.start()
    yield answers
    for thread in threads:
        thread.join()


def test_requests_to_a_stalled_model_share_a_bounded_number_of_environments(
    new_server: Callable[..., Any], model: Model, record_property: Callable[..., None]
) -> None:
    """Of 60 some wait in an environment, the others get AWS's 500; one copy of the layer; all are well afterwards."""
    server = new_server()
    server.start()
    url = make_api(server, make_function(server, "predict", model.url))
    with asking(lambda: ask(url), 60) as answers:
        most = 0
        while len(answers) + model.waiting < 60:
            most = max(most, len(psutil.Process(server.pid).children()))
            time.sleep(0.2)
        copies = list((server.state_dir / "tmp").glob("functions/*/python/shared_by_a_layer.py"))
        model.resume()
    statuses = Counter(status for status, *_ in answers)
    record_property("figure", f"{most} processes, {len(copies)} copies of the layer, answers {dict(statuses)}")
    assert most <= 16 * (os.cpu_count() or 1)
    assert len(copies) == 1
    assert statuses.keys() <= {200, 500} and statuses[200] == model.waiting
    refused = {answer for answer in answers if answer[0] == 500}
    assert refused <= {(500, "InternalServerErrorException", '{"message": "Internal server error"}')}
    assert ask(url) == (200, "", "helpful")


def test_a_new_account_throttles_at_ten_and_lets_nobody_reserve(new_server: Callable[..., Any], model: Model) -> None:
    """The eleventh execution gets 429, 500 through the API, and the error's name in a state machine."""
    server = new_server({**os.environ, "LOCAL_LAMBDA_CONCURRENCY": "10"})
    server.start()
    arn = make_function(server, "predict", model.url)
    url = make_api(server, arn)
    functions = server.client("lambda")
    assert functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 10
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match=r"below its minimum value of \[10\]"):
        functions.put_function_concurrency(FunctionName="predict", ReservedConcurrentExecutions=1)
    states = server.client("stepfunctions")
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": arn}}
    definition = {"StartAt": "Ask", "States": {"Ask": {**task, "End": True}}}
    role = server.role("machine", "states.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": "*"})
    machine = states.create_state_machine(name="asking", definition=json.dumps(definition), roleArn=role)
    with contextlib.ExitStack() as askers:
        answers = [askers.enter_context(asking(lambda: ask(url), 1)) for _ in _one_by_one(model, 10)]
        assert len(psutil.Process(server.pid).children()) == 10
        with pytest.raises(functions.exceptions.TooManyRequestsException) as throttled:
            functions.invoke(FunctionName="predict")
        assert throttled.value.response["Reason"] == "ConcurrentInvocationLimitExceeded"
        assert ask(url)[0] == 500
        execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
        ended = states.describe_execution(executionArn=execution)
        assert ended["error"] == "Lambda.TooManyRequestsException", ended["cause"]
        model.resume()
    assert [status for each in answers for status, *_ in each] == [200] * 10


def _one_by_one(model: Model, times: int) -> Iterator[int]:
    """Count up whenever one more waits: of a crowd, some would be refused before the busy machine has started ten."""
    for number in range(times):
        yield number
        until(partial(model.has, number + 1))


def test_a_stop_under_steady_requests_ends_in_time(new_server: Callable[..., Any], model: Model) -> None:
    """The server stops in time while requests keep coming and wait for a stalled model."""
    server = new_server()
    server.start()
    url, stopped = make_api(server, make_function(server, "predict", model.url)), threading.Event()

    def steadily() -> None:
        while not stopped.is_set():
            with contextlib.suppress(OSError):
                ask(url)

    with asking(steadily, 40):
        until(lambda: model.waiting >= 16, 60)
        try:
            code = server.stop()
        finally:
            stopped.set()
            model.resume()
    assert code == 0, server.log.read_text()


@pytest.fixture(scope="module")
def reserving(server: Any) -> Any:
    """A server with the role of the template's function."""
    server.role("reserving", "lambda.amazonaws.com")
    return server


def _template(reserved: Any) -> str:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "reserving",
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/reserving",
            "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
            **({} if reserved is None else {"ReservedConcurrentExecutions": reserved}),
        },
    }
    return json.dumps({"Resources": {"Function": function}})


def test_a_template_reserves_concurrency_as_on_aws(reserving: Any) -> None:
    """Set, enforced, changed and taken back with the stack; too much fails the stack with AWS's reason."""
    cloudformation, functions = reserving.client("cloudformation"), reserving.client("lambda")

    def reserved() -> Any:
        return functions.get_function_concurrency(FunctionName="reserving").get("ReservedConcurrentExecutions")

    cloudformation.create_stack(StackName="reserving", TemplateBody=_template("0"))
    assert (reserving.settled("reserving"), reserved()) == ("CREATE_COMPLETE", 0)
    with pytest.raises(functions.exceptions.TooManyRequestsException) as throttled:
        functions.invoke(FunctionName="reserving")
    assert throttled.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    cloudformation.update_stack(StackName="reserving", TemplateBody=_template(901))
    assert (reserving.settled("reserving"), reserved()) == ("UPDATE_ROLLBACK_COMPLETE", 0)
    events = cloudformation.describe_stack_events(StackName="reserving")["StackEvents"]
    (reason,) = {text for event in events if "Lambda" in (text := event.get("ResourceStatusReason", ""))}
    assert (
        "UnreservedConcurrentExecution below its minimum value of [100]. (Service: Lambda, Status Code: 400" in reason
    )
    cloudformation.update_stack(StackName="reserving", TemplateBody=_template(900))
    assert (reserving.settled("reserving"), reserved()) == ("UPDATE_COMPLETE", 900)
    assert functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    cloudformation.update_stack(StackName="reserving", TemplateBody=_template(None))
    assert (reserving.settled("reserving"), reserved()) == ("UPDATE_COMPLETE", None)
    cloudformation.delete_stack(StackName="reserving")
    with pytest.raises(ClientError):
        until(lambda: functions.get_function(FunctionName="reserving") and None)


def test_a_creation_that_reserves_too_much_leaves_no_function(reserving: Any) -> None:
    """The stack is rolled back, and the function's name is free."""
    reserving.client("cloudformation").create_stack(StackName="too-much", TemplateBody=_template(1000))
    assert reserving.settled("too-much") == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError):
        reserving.client("lambda").get_function(FunctionName="reserving")


def test_a_start_after_a_kill_does_not_wait_for_the_deletion(
    new_server: Callable[..., Any], record_property: Callable[..., None]
) -> None:
    """With 20,000 files left in TMPDIR the server answers while they are being deleted; a second kill is no harm."""
    server = new_server()
    server.start()
    left = server.state_dir / "tmp"
    for folder in range(100):
        (left / f"worker-{folder}").mkdir()
        for file in range(200):
            (left / f"worker-{folder}" / str(file)).touch()

    def files() -> int:
        return sum(len(names) for _, _, names in os.walk(server.state_dir) if names)

    before = files()
    server.stop(signal.SIGKILL)
    began = time.monotonic()
    server.start()
    seconds, still = time.monotonic() - began, files()
    record_property("figure", f"ready after {seconds:.1f} s, {still} of {before} files still there")
    assert not list(Path(left).iterdir())
    server.stop(signal.SIGKILL)
    server.start()
    until(lambda: not list(server.state_dir.glob("tmp.discarded-*")), 60)
