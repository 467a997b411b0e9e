"""The real CDK command line against the local cloud: deploy, diff, change, destroy. No training."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from local_project import LocalProject, LocalProjects
from problem_answers import assert_problem, logged

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
MARK = "changed by a test"


@pytest.fixture(scope="module")
def project(projects: LocalProjects, deployed: Path) -> LocalProject:
    """All stacks deployed, no model."""

    def start() -> LocalProject:
        made = projects.new("deploy-cycle", copy_of=deployed)
        made.start(model=False)
        return made

    return projects.keep("deploy-cycle", start)  # type: ignore[no-any-return]


def test_without_a_model_the_api_answers_503_and_says_why(project: LocalProject) -> None:
    """Before any release a prediction is refused at once: `model_not_released`, Retry-After, CORS, a log line."""
    answer = project.post({"inputs": "This was a Christmas gift for my grandson."})
    problem = assert_problem(answer, 503, "model_not_released", retry_after=True)
    assert int(answer.headers["retry-after"]) > 0
    line = logged(project, problem["request_id"])
    assert (line["level"], line["code"], line["reason"]) == ("WARNING", "model_not_released", "ValidationError")


def test_health_is_shallow(project: LocalProject) -> None:
    """GET /v1/health answers 200 also without a model."""
    answer = requests.get(f"{project.status['api_url']}/v1/health", timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.parametrize(
    "body", [{"inputs": ""}, {"inputs": []}, {"inputs": 5}, {"text": "x"}, {"inputs": ["x"] * 101}]
)
def test_the_gateway_refuses_bodies_outside_the_schema(project: LocalProject, body: Any) -> None:
    """A body that the schema refuses gets a 400 problem with CORS, and says what is allowed."""
    answer = project.post(body)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["code"] == "bad_request"
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.proves("make cdk", "make cdk ARGS=diff")
def test_diff_is_empty_after_a_deployment(project: LocalProject) -> None:
    """What is deployed is what the code says."""
    output = project.make("cdk", "ARGS=diff").stdout
    assert re.search(r"Number of stacks with differences: 0", output), output


def test_the_local_cloud_listens_on_loopback_only(project: LocalProject) -> None:
    """No address of this machine but 127.0.0.1 reaches the port."""
    listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
    addresses = {
        line.split()[1].split(":")[0]
        for line in listening
        if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == project.port
    }
    assert addresses == {"0100007F"}


def test_a_port_in_use_is_an_error_that_names_the_way_out(projects: LocalProjects) -> None:
    """The message names the port and the variable to change; nothing is started."""
    other = projects.new("port-in-use")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.port))
        taken.listen()
        done = other.make("deploy", check=False)
    assert done.returncode != 0
    assert f"Port {other.port}" in done.stdout
    assert "PORT=" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (other.folder / "server.pid").exists()


def test_a_local_cloud_of_another_version_is_replaced_without_a_refused_connection(project: LocalProject) -> None:
    """After an upgrade the next `make up` starts today's code on the same socket: callers wait, and are answered."""
    pid_file, status_file = project.folder / "server.pid", project.folder / "status.json"
    status = status_file.read_text()
    health = f"{project.status['api_url']}/v1/health"
    old = pid_file.read_text().split()[0]
    pid_file.write_text(f"{old}\nanother version\n")
    replace = "from operations.local_cloud import process; print(process.start(1))"
    command = [str(ROOT / ".venv" / "bin" / "python"), "-c", replace]
    statuses = []
    with subprocess.Popen(command, cwd=ROOT, env=project.environment, stdout=subprocess.PIPE, text=True) as starting:
        while starting.poll() is None:
            statuses.append(requests.get(health, timeout=60).status_code)
        assert starting.stdout is not None
        assert starting.stdout.read().splitlines()[-1] == str(project.port)
    status_file.write_text(status)  # as the command that starts the cloud does at its end
    assert pid_file.read_text().split()[0] != old
    assert statuses and set(statuses) <= {200, 502, 503}  # 5xx from functions that end with the old process


@pytest.mark.proves("make deploy")
def test_a_changed_lambda_is_redeployed_and_served(project: LocalProject, tmp_path: Path) -> None:
    """`cdk deploy` of a copy with another health answer changes what the API says; `make deploy` takes it back."""
    copy = tmp_path / "copy"
    installed = (".venv", ".venv-cloud", "node_modules", "build")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "cdk.out", "__pycache__", *installed))
    for folder in installed:
        (copy / folder).symlink_to(ROOT / folder)
    routes = copy / "lambda" / "predict" / "api.py"  # other files name the word too, and change no answer
    code = routes.read_text()
    assert 'Health("ok"' in code
    routes.write_text(code.replace('Health("ok"', f'Health("{MARK}"'))
    health = f"{project.status['api_url']}/v1/health"
    try:
        subprocess.run(
            [
                str(copy / ".venv" / "bin" / "python"),
                "-m",
                "operations",
                "cdk",
                "deploy",
                "--all",
                "--require-approval",
                "never",
            ],
            cwd=copy,
            check=True,
            timeout=300,
            env={**project.environment, "PYTHONPATH": ".:client"},
        )
        assert requests.get(health, timeout=30).json()["status"] == MARK
    finally:
        project.make("deploy")
    assert requests.get(health, timeout=30).json()["status"] == "ok"


@pytest.mark.proves("make teardown", "make teardown ARGS=--dry-run")
def test_teardown_leaves_nothing(project: LocalProject) -> None:
    """After `make teardown` nothing of the product is left but the role of API Gateway's logging, as it says itself."""
    bucket = project.outputs("storage")["DataBucket"]
    project.client("s3").put_object(Bucket=bucket, Key="source/leftover.txt", Body=b"x")
    assert project.make("teardown", "ARGS=--dry-run").stdout.count("would be destroyed") == 6
    said = project.make("teardown").stdout
    assert (said.count("DELETE_COMPLETE"), said.count("left over"), said.count("kept on purpose")) == (6, 0, 0), said
    names = {
        "stacks": [s["StackName"] for s in project.client("cloudformation").describe_stacks()["Stacks"]],
        "buckets": [b["Name"] for b in project.client("s3").list_buckets()["Buckets"]],
        "functions": [f["FunctionName"] for f in project.client("lambda").list_functions()["Functions"]],
        "apis": [a["name"] for a in project.client("apigateway").get_rest_apis()["items"]],
        "roles": [r["RoleName"] for r in project.client("iam").list_roles()["Roles"]],
        "state machines": [m["name"] for m in project.client("stepfunctions").list_state_machines()["stateMachines"]],
        "alarms": [a["AlarmName"] for a in project.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "dashboards": [d["DashboardName"] for d in project.client("cloudwatch").list_dashboards()["DashboardEntries"]],
        "rules": [r["Name"] for r in project.client("events").list_rules()["Rules"]],
        "log groups": [g["logGroupName"] for g in project.client("logs").describe_log_groups()["logGroups"]],
        "model package groups": [
            g["ModelPackageGroupName"]
            for g in project.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
        ],
    }
    left = {kind: [name for name in found if "text-classifier" in name] for kind, found in names.items()}
    logging_role = project.client("apigateway").get_account()["cloudwatchRoleArn"].rsplit("/", 1)[-1]
    assert left.pop("roles") == [logging_role]
    assert not any(left.values()), left
