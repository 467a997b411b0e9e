"""The local cloud is killed in the middle of a training run and of a release, and started again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from aws_console import PREFIX, Console

pytestmark = pytest.mark.e2e
BUNDLED_DATA = Path(__file__).resolve().parents[2] / "training_job" / "data"
SENTENCES = ["How is it?", "The battery lasted nine hours of flying and charges in forty minutes."]


def wait_for(console: Console, execution: str, state: str) -> None:
    """Until an execution is in a state."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if state in console.states(execution):
            return
        time.sleep(0.2)
    raise AssertionError(f"{state} was not reached: {console.states(execution)}")


def start_again(console: Console) -> Console:
    """`make up` after the kill; it finds the champion and trains nothing."""
    output = console.project.make("up", f"DATA={BUNDLED_DATA}").stdout
    assert "serves already" in output, output
    return Console(console.project)


def test_killed_while_training(console: Console) -> None:
    """The run is reported as failed, the champion answers as before, and a new run succeeds.

    The new run has what the console's form can do to an input: quoted numbers, a comment; and spot, two instances.
    """
    champion, answers = console.champion, console.answers(SENTENCES)
    execution = console.start({})
    wait_for(console, execution, "Train")
    time.sleep(4)
    console.kill()
    console = start_again(console)
    ended = console.wait(execution, 60)
    assert ended["status"] in ("FAILED", "ABORTED"), ended
    assert "stopped" in ended["cause"], ended["cause"]
    assert console.left_over()["running training jobs"] == []
    assert console.champion == champion
    assert console.answers(SENTENCES) == answers
    output = console.run(
        {
            "hyperparameters": {"epochs": "1", "learning_rate": "1e-4"},
            "spot": True,
            "instance_count": 2,
            "approval": "never",
            "Comment": "Insert your JSON here",
        }
    )
    job = console.sagemaker.describe_training_job(TrainingJobName=output["training_job"])
    assert job["HyperParameters"]["epochs"] == "1"
    assert (job["EnableManagedSpotTraining"], job["ResourceConfig"]["InstanceCount"]) == (True, 2)
    assert job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]
    assert console.package(output["model_package_arn"])["ModelApprovalStatus"] == "Rejected"
    assert console.champion == champion


@pytest.fixture(scope="module")
def other(console: Console) -> str:
    """An approved package that does not serve: the first one, after a second with the same artifact was released."""
    console = Console(console.project)
    known, first = console.executions("release"), console.champion
    output = console.run({"training_job": console.forge("the-second", "none")})
    assert output["verdict"]["status"] == "Approved", output["verdict"]
    assert console.wait(console.released_by_event(known))["status"] == "SUCCEEDED"
    assert console.champion == output["model_package_arn"]
    return first


@pytest.mark.parametrize("seconds", [0.0, 1.0, 3.0])
def test_killed_while_releasing(console: Console, other: str, seconds: float) -> None:
    """Whatever moment it hits, one model serves afterwards, the stack's parameter names it, and a new release works."""
    console = Console(console.project)
    former = console.champion
    execution = console.start({"model_package_arn": other}, "release")
    wait_for(console, execution, "Update endpoint")
    time.sleep(seconds)
    console.kill()
    console = start_again(console)
    assert console.wait(execution, 60)["status"] != "RUNNING"
    assert console.champion in (former, other)
    assert console.version == console.champion.rsplit("/", 1)[-1]
    left = console.left_over()
    assert [len(left[kind]) for kind in ("models", "endpoint configs", "endpoints")] == [1, 1, 1], left
    for arn in (other, former):
        ended = console.wait(console.start({"model_package_arn": arn}, "release"))
        assert ended["status"] == "SUCCEEDED", ended
        assert json.loads(ended["output"])["outcome"] in ("released", "already serving")
    assert console.champion == former
    assert console.version == former.rsplit("/", 1)[-1]


def test_nothing_is_left_running(console: Console) -> Any:
    """No job and no execution that the kills interrupted still counts as running."""
    console = Console(console.project)
    for machine in ("training", "release"):
        assert [found for found in console.executions(machine) if found["status"] == "RUNNING"] == []
    assert console.sagemaker.describe_endpoint(EndpointName=PREFIX)["EndpointStatus"] == "InService"
