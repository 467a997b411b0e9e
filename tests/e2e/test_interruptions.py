"""The local cloud is killed in the middle of a training run and of a release, and started again."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from aws_console import PREFIX, Console, number

pytestmark = pytest.mark.e2e
SENTENCES = ["How is it?", "The battery lasted nine hours of flying and charges in forty minutes."]


def wait_until_training(console: Console) -> None:
    """Until a training job's process runs: it has its data, and is not done."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for job in console.sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]:
            described = console.sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
            if described["SecondaryStatus"] == "Training":
                return
        time.sleep(0.1)
    raise AssertionError("no training job began to train")


def start_again(console: Console) -> Console:
    """`make up` after the kill; it finds the champion and trains nothing."""
    output = console.project.make("up").stdout
    assert "serves already" in output, output
    return Console(console.project)


@pytest.mark.proves('make train HYPERPARAMETERS="epochs=3"', "make train INPUT='{\"spot\": true}'")
def test_killed_while_training(console: Console) -> None:
    """The run is reported as failed, the champion answers as before, and a new run from a terminal succeeds.

    The new run's input has what the console's form can do to one (a quoted number, a comment), spot and two instances.
    """
    champion, answers = console.champion, console.answers(SENTENCES)
    execution = console.start({})
    console.reach(execution, "Train", 120)
    wait_until_training(console)
    console.kill()
    console = start_again(console)
    ended = console.wait(execution, 60)
    assert ended["status"] in ("FAILED", "ABORTED"), ended
    assert "stopped" in ended["cause"], ended["cause"]
    assert console.left_over()["running training jobs"] == []
    assert console.champion == champion
    assert console.answers(SENTENCES) == answers
    document = {
        "hyperparameters": {"learning_rate": "1e-4"},
        "spot": True,
        "instance_count": 2,
        "approval": "never",
        "Comment": "Insert your JSON here",
    }
    console.project.make("train", "HYPERPARAMETERS=epochs=1", f"INPUT={json.dumps(document)}")
    run = console.executions("training")[0]["executionArn"]
    output = json.loads(console.wait(run)["output"])
    job = console.sagemaker.describe_training_job(TrainingJobName=output["training_job"])
    assert job["HyperParameters"]["epochs"] == "1"
    assert (job["EnableManagedSpotTraining"], job["ResourceConfig"]["InstanceCount"]) == (True, 2)
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]
    assert console.package(output["model_package_arn"])["ModelApprovalStatus"] == "Rejected"
    assert console.champion == champion


NIGHTLY = pytest.mark.nightly(part="releases")


@pytest.mark.parametrize("seconds", [pytest.param(0.0, marks=NIGHTLY), 1.0, pytest.param(3.0, marks=NIGHTLY)])
def test_killed_while_releasing(console: Console, seconds: float) -> None:
    """Whatever moment it hits, one model serves afterwards, the stack's parameter names it, and a new release works."""
    console = Console(console.project)
    other = console.older()
    former = console.champion
    execution = console.start({"model_package_arn": other}, "release")
    console.reach(execution, "Update endpoint", 120)
    time.sleep(seconds)
    console.kill()
    console = start_again(console)
    assert console.wait(execution, 60)["status"] != "RUNNING"
    assert console.champion in (former, other)
    assert console.version == number(console.champion)
    left = console.left_over()
    assert [len(left[kind]) for kind in ("models", "endpoint configs", "endpoints")] == [1, 1, 1], left
    for arn in (other, former):
        ended = console.wait(console.start({"model_package_arn": arn}, "release"))
        assert ended["status"] == "SUCCEEDED", ended
        assert json.loads(ended["output"])["outcome"] in ("released", "already serving")
    assert console.champion == former
    assert console.version == number(former)


def test_nothing_is_left_running(console: Console) -> Any:
    """No job and no execution that the kills interrupted still counts as running."""
    console = Console(console.project)
    for machine in ("training", "release"):
        assert [found for found in console.executions(machine) if found["status"] == "RUNNING"] == []
    assert console.sagemaker.describe_endpoint(EndpointName=PREFIX)["EndpointStatus"] == "InService"
