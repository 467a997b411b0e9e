"""A training run started from the console: with nothing, with overrides, with nonsense, with a job from elsewhere."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_console import Console

pytestmark = pytest.mark.e2e
RELEASE_SECONDS = 60
METADATA = {
    "training_job",
    "data_sha256",
    "data_source",
    "code_version",
    "hyperparameters",
    "verdict",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "f1",
    "f1_low",
    "f1_high",
    "margin",
    "compared_with",
    "test_rows",
    "test_sha256",
    "evidence",
    "report",
    "release",
    "released_at",
    "replaced",
}
SECTIONS = ("Confusion", "recall", "Reliability", "Score", "Loss", "mistakes")


def entered(console: Console, execution: str, state: str) -> datetime:
    """When an execution entered a state."""
    pages = console.workflows.get_paginator("get_execution_history").paginate(executionArn=execution)
    return next(
        event["timestamp"]
        for page in pages
        for event in page["events"]
        if event.get("stateEnteredEventDetails", {}).get("name") == state
    )


@pytest.fixture(scope="module")
def first(console: Console) -> Any:
    """The run that `make up` started with `{}`: its execution and its output."""
    execution = console.executions("training")[-1]["executionArn"]
    ended = console.wait(execution)
    assert json.loads(ended["input"]) == {}
    assert ended["status"] == "SUCCEEDED", ended
    return execution, json.loads(ended["output"])


def test_an_empty_input_trains_judges_approves_and_releases_within_a_minute(console: Console, first: Any) -> None:
    """`{}` ends Succeeded, the package is approved, and its release is done within 60 s of the approval."""
    execution, output = first
    package = console.package(output["model_package_arn"])
    assert package["ModelApprovalStatus"] == "Approved", package["ApprovalDescription"]
    release = console.wait(console.executions("release")[-1]["executionArn"])
    assert release["status"] == "SUCCEEDED", release
    assert json.loads(release["output"])["outcome"] == "released"
    took = release["stopDate"] - entered(console, execution, "Record verdict")
    print(f"released {took.total_seconds():.1f} s after the approval")
    assert took < timedelta(seconds=RELEASE_SECONDS)


def test_the_package_carries_evidence_verdict_and_provenance(console: Console, first: Any) -> None:
    """Metrics, data hash, code version, image, job, verdict and release are on the package; the evidence is stored."""
    _, output = first
    package = console.package(output["model_package_arn"])
    known = package["CustomerMetadataProperties"]
    assert set(known) >= METADATA, METADATA - set(known)
    (container,) = package["InferenceSpecification"]["Containers"]
    assert "huggingface-pytorch-inference" in container["Image"]
    answers = console.read(known["evidence"]).decode().splitlines()
    assert len(answers) == int(known["test_rows"]) > 100
    assert all(json.loads(line)["predictions"][0]["label"] in ("helpful", "not_helpful") for line in answers)
    figures = json.loads(console.read(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]))
    assert str(known["accuracy"])[:4] in json.dumps(figures)


def test_the_report_lies_beside_the_artifact_and_is_one_file(console: Console, first: Any) -> None:
    """`make report` fetches an HTML page with every section and without any address to load from."""
    _, output = first
    assert f"/training/{output['training_job']}/evaluation/" in output["verdict"]["report_uri"]
    console.project.make("report", "PACKAGE=1")
    page = (console.project.folder / "reports" / "local-1.html").read_text()
    assert [section for section in SECTIONS if section.lower() not in page.lower()] == []
    assert 'src="http' not in page and "<script" not in page


def test_the_console_recipe_makes_the_same_job(console: Console, first: Any) -> None:
    """The recipe's request, sent as it is but for the name, differs from the workflow's job in nothing."""
    _, output = first
    name = console.project.outputs("training")["TrainingRecipeParameter"]
    recipe = json.loads(console.project.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    console.sagemaker.create_training_job(**{**recipe, "TrainingJobName": "from-the-console"})
    console.sagemaker.stop_training_job(TrainingJobName="from-the-console")
    ours = console.sagemaker.describe_training_job(TrainingJobName=output["training_job"])
    theirs = console.sagemaker.describe_training_job(TrainingJobName="from-the-console")
    for member in (
        "AlgorithmSpecification",
        "RoleArn",
        "HyperParameters",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "Environment",
        "EnableManagedSpotTraining",
    ):
        assert ours.get(member) == theirs.get(member), member
    printed = console.project.make("recipe").stdout
    assert ours["AlgorithmSpecification"]["TrainingImage"] in printed
    for one, other in zip(ours["InputDataConfig"], theirs["InputDataConfig"], strict=True):
        data = [
            console.project.client("s3").list_objects_v2(
                Bucket=source["S3Uri"].split("/")[2], Prefix=source["S3Uri"].split("/", 3)[3]
            )["Contents"][0]["ETag"]
            for source in (one["DataSource"]["S3DataSource"], other["DataSource"]["S3DataSource"])
        ]
        assert data[0] == data[1], one["ChannelName"]


def test_a_job_started_elsewhere_is_judged_and_registered_by_its_name(console: Console) -> None:
    """`{"training_job": …}` trains nothing, gathers evidence, registers; identical to the champion, it passes."""
    job = console.forge("made-elsewhere", "none")
    output = console.run({"training_job": job, "approval": "manual"})
    package = console.package(output["model_package_arn"])
    assert package["CustomerMetadataProperties"]["training_job"] == job
    assert package["CustomerMetadataProperties"]["verdict"] == "passed"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert float(package["CustomerMetadataProperties"]["difference"]) == 0


def data_source(console: Console, bucket: str = "") -> str:
    """Address below which no data lies."""
    return f"s3://{bucket or console.project.outputs('storage')['DataBucket']}/nothing/here/"


ODD_INPUTS: dict[str, tuple[Any, str]] = {
    # what: (input, a word that the refusal has to say)
    "unknown key": ({"epochs": 3}, "epochs"),
    "unknown hyperparameter": ({"hyperparameters": {"epoch": 3}}, "epochs"),
    "negative epochs": ({"hyperparameters": {"epochs": -1}}, "epochs"),
    "text where a number belongs": ({"max_runtime_minutes": "soon"}, "max_runtime_minutes"),
    "a list instead of an object": ([1, 2], "object"),
    "null": (None, "object"),
    "approval by nobody": ({"approval": "maybe"}, "approval"),
    "floor above one": ({"gate": {"min_accuracy": 86}}, "min_accuracy"),
    "instance type that does not exist": ({"instance_type": "ml.huge.enormous"}, "instance_type"),
    "program of one's own": ({"hyperparameters": {"sagemaker_program": "evil.py"}}, "sagemaker_program"),
    "job that does not exist": ({"training_job": "nobody-made-this"}, "training_job"),
    "waiting without spot": ({"max_wait_minutes": 90}, "max_wait_minutes"),
    "deep nesting": ({"hyperparameters": {"epochs": [[[[{"a": 1}]]]]}}, "epochs"),
}


@pytest.mark.parametrize("what", sorted(ODD_INPUTS))
def test_an_odd_input_is_refused_in_the_first_state(console: Console, what: str) -> None:
    """It fails in "Check input" with the field and what is allowed, and leaves nothing behind."""
    document, word = ODD_INPUTS[what]
    before = console.left_over()
    execution = console.start(document)
    ended = console.wait(execution, 60)
    assert ended["status"] == "FAILED"
    assert console.states(execution) == ["Check input", "Report failure"], console.states(execution)
    assert word in ended["cause"] and "Allowed" in ended["cause"], ended["cause"]
    assert "Traceback" not in ended["cause"]
    assert console.left_over() == before
    print(f"{what}: {ended['cause'][:150]}; nothing left")


@pytest.mark.parametrize("bucket", ["", "a-bucket-that-nobody-has"])
def test_data_that_is_not_there_ends_the_run_before_a_job_exists(console: Console, bucket: str) -> None:
    """A wrong bucket, or a folder without the files, is named; no training job is made."""
    before = console.left_over()
    ended = console.wait(console.start({"data_source": data_source(console, bucket)}), 60)
    assert ended["status"] == "FAILED"
    assert (bucket or "nothing/here") in ended["cause"]
    assert console.left_over() == before


@pytest.mark.parametrize("text", ["{", json.dumps({"Comment": "x" * 1_000_000})], ids=["cut short", "a megabyte"])
def test_what_is_no_json_or_too_long_never_becomes_an_execution(console: Console, text: str) -> None:
    """Broken JSON and a megabyte are refused by *Start execution* itself."""
    before = len(console.executions("training"))
    with pytest.raises(ClientError):
        console.start(text)
    assert len(console.executions("training")) == before
