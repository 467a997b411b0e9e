"""What operators see: drift that calls and unchanged traffic that does not, and metrics that really are there."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.config import Config

from distribution.features import CONFIDENCE, LENGTH
from drift.check import shifts
from drift.counts import Counts, parse_baseline
from local_project import BUNDLED_DATA, LocalProject
from metric_references import Metric, Search, of_alarm, of_dashboard
from run_groups import group_of
from shifted_texts import GERMAN, shortened
from stalled_model import stopped_model
from waiting import until

pytestmark = pytest.mark.e2e

PREFIX = "text-classifier-local"
BATCH = 100  # texts a request
SAMPLE = 500  # predictions a check looks at (monitoring.drift_sample)
MOST_REQUESTS = 12  # a sample of shifted texts, one minute of what came before, and some
THRESHOLD = 0.2
RUNS = 20
MOST_AT_ONCE = 10  # requests that the endpoint takes (serving.max_concurrency)


class Operators:
    """A served project as its operators see it."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.cloudwatch = project.client("cloudwatch")
        self.functions = project.client("lambda")
        self.random = random.Random(7)

    def send(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """One request with a sample of these texts; the predictions."""
        answer = self.project.post({"inputs": self.random.choices(texts, k=BATCH)})
        assert answer.status_code == 200, answer.text
        return answer.json()["predictions"]

    def check(self) -> dict[str, Any]:
        """Have the drift check look now, as its schedule does every minute."""
        answer = self.functions.invoke(FunctionName=f"{PREFIX}-drift")
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.load(answer["Payload"])

    def alarm(self, name: str = "drift") -> str:
        """State of an alarm."""
        (found,) = self.cloudwatch.describe_alarms(AlarmNames=[f"{PREFIX}-{name}"])["MetricAlarms"]
        return found["StateValue"]

    def until(self, look: Callable[[], Any], wanted: Any, seconds: float = 60) -> None:
        """Wait until something looks as it should; fail after `seconds`."""
        deadline = time.monotonic() + seconds
        while (seen := look()) != wanted:
            assert time.monotonic() < deadline, f"still {seen} after {seconds} s, not {wanted}"
            time.sleep(1)

    def as_usual(self, texts: Sequence[str]) -> dict[str, Any]:
        """Send a sample of usual texts, and have the alarm see that nothing has moved; what the check found."""
        for number in range(30):
            self.send(texts)
            found = self.check()
            # The newest minutes may still hold what other tests have sent.
            if number >= SAMPLE // BATCH and found["drift"] is not None and found["drift"] < THRESHOLD / 4:
                self.until(self.alarm, "OK", seconds=150)
                return found
        raise AssertionError(f"test sentences look like drift: {found}")

    def requests_until_alarm(self, texts: Sequence[str]) -> int:
        """Send texts until the alarm is raised; how many requests that took."""
        for number in range(1, MOST_REQUESTS + 1):
            self.send(texts)
            if self.check()["drift"] >= THRESHOLD:
                self.until(self.alarm, "ALARM")
                return number
        raise AssertionError(f"no alarm after {MOST_REQUESTS} requests with {BATCH} texts each: {self.check()}")


@pytest.fixture(scope="module", params=["small", pytest.param("real", marks=pytest.mark.nightly(part="real-data"))])
def watched(
    request: pytest.FixtureRequest,
    bring_up: Callable[[str, str], LocalProject],
    serve: Callable[[str], Any],
) -> tuple[LocalProject, Path]:
    """A running project and its data: a small model of the bundled sentences, at night the real one."""
    if request.param == "small":
        return bring_up("small", group_of(request.path)), BUNDLED_DATA
    served = serve("real")
    return served.project, served.data


@pytest.fixture(scope="module")
def operators(watched: tuple[LocalProject, Path]) -> Operators:
    """The people who watch that project."""
    return Operators(watched[0])


@pytest.fixture(scope="module")
def sentences(watched: tuple[LocalProject, Path]) -> list[str]:
    """The test sentences of the data that the model was trained on."""
    lines = (watched[1] / "test.json").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["sentence"] for line in lines]


def test_shifted_traffic_raises_the_alarm(
    operators: Operators, sentences: list[str], tell: Callable[[str], None]
) -> None:
    """API, Lambda, metrics, check, alarm: quiet on test sentences, raised by short ones and by another language."""
    took = {}
    for name, texts in (("short sentences", shortened(sentences)), ("another language", GERMAN)):
        quiet = operators.as_usual(sentences)
        took[name] = operators.requests_until_alarm(texts)
        found = operators.check()
        features = {feature: values["drift"] for feature, values in found["features"].items()}
        tell(
            f"{name}: drift {quiet['drift']} before; alarm after {took[name]} requests "
            f"({took[name] * BATCH} texts), drift {found['drift']} {features}"
        )
    assert max(took.values()) <= MOST_REQUESTS


def test_the_test_set_does_not_call(operators: Operators, sentences: list[str], tell: Callable[[str], None]) -> None:
    """20 samples of the API's answers to test sentences, counted and compared by the check's own code: none calls."""
    answers = []
    for start in range(0, len(sentences), BATCH):
        asked = sentences[start : start + BATCH]
        answer = operators.project.post({"inputs": asked})
        answers += list(zip(asked, answer.json()["predictions"], strict=True))
    baseline = released_baseline(operators.project)
    largest = []
    for _ in range(RUNS):
        sample = operators.random.choices(answers, k=SAMPLE)
        labels = Counter(prediction["label"] for _, prediction in sample)
        counts = Counts(
            {label: labels[label] for label in baseline.labels},
            {
                CONFIDENCE.name: CONFIDENCE.count(prediction["confidence"] for _, prediction in sample),
                LENGTH.name: LENGTH.count(len(text) for text, _ in sample),
            },
        )
        largest.append(max(shift.excess for shift in shifts(baseline, counts).values()))
    tell(f"unshifted: {RUNS} samples of {SAMPLE} answers, largest drift {max(largest):.4f} (alarm: {THRESHOLD})")
    assert max(largest) < THRESHOLD


def test_the_check_runs_by_itself(operators: Operators) -> None:
    """The schedule calls the function every minute, without anybody's help."""

    def runs() -> float:
        found = operators.cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Period=60,
            Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": f"{PREFIX}-drift"}],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 60,
        )
        return sum(point["Sum"] for point in found["Datapoints"])

    before = runs()
    assert until(lambda: runs() - before, seconds=90, pause=1) > 0


NOT_PROVOKED = {
    "ExecutionsTimedOut": "a workflow would have to run for hours; tests/integration has one that may run for a second",
}
"""Metrics that this run does not emit, and why. The budget is not among them: it watches the bill, not a metric."""


def test_dashboard_and_alarms_refer_to_metrics_that_exist(
    operators: Operators, sentences: list[str], tell: Callable[[str], None]
) -> None:
    """After predictions, a bad request, a throttle, failed and successful workflows, ListMetrics has every one."""
    operators.send(sentences)
    assert operators.project.post({"inputs": 5}).status_code == 400
    fail_workflows(operators.project)
    with model_asleep(operators.project):
        answer = requests.get(f"{operators.project.status['api_url']}/v1/health?deep=true", timeout=40)
    assert answer.status_code == 429, answer.text
    operators.check()

    body = operators.cloudwatch.get_dashboard(DashboardName=PREFIX)["DashboardBody"]
    alarms = operators.cloudwatch.describe_alarms(AlarmNamePrefix=f"{PREFIX}-")["MetricAlarms"]
    wanted = {*of_dashboard(body), *(metric for alarm in alarms for metric in of_alarm(alarm))}

    def missing() -> set[Metric | Search]:
        pages = operators.cloudwatch.get_paginator("list_metrics").paginate()
        emitted = {Metric.parse(entry) for page in pages for entry in page["Metrics"]}
        return {one for one in wanted if not exists(one, emitted)}

    def unexpected() -> set[str]:
        return {getattr(one, "name", str(one)) for one in missing()} - NOT_PROVOKED.keys()

    operators.until(unexpected, set())  # an endpoint's metrics are delivered with a delay
    tell(
        f"{len(alarms)} alarms and the dashboard refer to {len(wanted)} metrics and searches; not emitted: "
        f"{sorted(str(one) for one in missing())}"
    )
    assert len(wanted) > 40


@pytest.mark.proves("make verify")
def test_make_verify_finds_nothing_wrong(operators: Operators, tell: Callable[[str], None]) -> None:
    """Every check is made on a real deployment and passes; the only metrics that are missing come with an event."""
    started = time.monotonic()
    printed = operators.project.make("verify", "ARGS=--json").stdout
    found = json.loads(printed[printed.index("[\n") :])  # after what it waited for
    tell(f"make verify: {len(found)} checks in {time.monotonic() - started:.0f} s")
    assert {one["status"] for one in found} <= {"ok", "note"}, found
    assert {one["check"] for one in found} - {"come later", "key"} == {
        "health",
        "prediction",
        "deep health",
        "error of gateway",
        "error of function",
        "throttling",
        "metrics",
        "workflow",
    }


def test_alarms_on_the_dashboard_are_the_alarms_there_are(operators: Operators) -> None:
    """Its first widget shows the state of each."""
    body = json.loads(operators.cloudwatch.get_dashboard(DashboardName=PREFIX)["DashboardBody"])
    (shown,) = (widget["properties"]["alarms"] for widget in body["widgets"] if widget["type"] == "alarm")
    alarms = operators.cloudwatch.describe_alarms(AlarmNamePrefix=f"{PREFIX}-")["MetricAlarms"]
    assert sorted(shown) == sorted(alarm["AlarmArn"] for alarm in alarms)


def exists(wanted: Metric | Search, emitted: set[Metric]) -> bool:
    return any(map(wanted.finds, emitted)) if isinstance(wanted, Search) else wanted in emitted


def released_baseline(project: Any) -> Counts:
    """The baseline in the package that serves."""
    arn = project.client("cloudformation").describe_stacks(StackName=f"{PREFIX}-serving")["Stacks"][0]["Parameters"]
    package = project.client("sagemaker").describe_model_package(
        ModelPackageName=next(entry["ParameterValue"] for entry in arn if entry["ParameterKey"] == "ModelPackageArn")
    )
    uri = package["DriftCheckBaselines"]["ModelDataQuality"]["Statistics"]["S3Uri"]
    place = urlsplit(uri)
    content = project.client("s3").get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    return parse_baseline(content, uri)


def fail_workflows(project: Any) -> None:
    """One refused execution of each workflow."""
    workflows = project.client("stepfunctions")
    for part, output, document in (
        ("training", "StateMachineArn", {"no_such_field": 1}),
        ("release", "ReleaseStateMachineArn", {"model_package_arn": "no such package"}),
    ):
        machine = project.outputs(part)[output]
        started = workflows.start_execution(stateMachineArn=machine, input=json.dumps(document))["executionArn"]
        deadline = time.monotonic() + 60
        while (ended := workflows.describe_execution(executionArn=started))["status"] == "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.3)
        assert ended["status"] == "FAILED", ended


@contextmanager
def model_asleep(project: Any) -> Iterator[None]:
    """While the block runs, the model's process is stopped and as many requests wait for it as it may have."""
    server = int((project.folder / "server.pid").read_text().split()[0])
    body, full = json.dumps({"inputs": "Is anybody there?"}), threading.Event()
    once = Config(retries={"total_max_attempts": 1})

    def wait_for_an_answer() -> None:
        runtime = project.client("sagemaker-runtime", config=once)
        try:
            runtime.invoke_endpoint(EndpointName=PREFIX, Body=body, ContentType="application/json")
        except runtime.exceptions.ClientError:  # throttled: all the others wait
            full.set()

    waiting = [threading.Thread(target=wait_for_an_answer, daemon=True) for _ in range(MOST_AT_ONCE + 1)]
    try:
        with stopped_model(server):
            for thread in waiting:
                thread.start()
            assert full.wait(30)
            yield
    finally:
        for thread in waiting:
            thread.join(timeout=30)
