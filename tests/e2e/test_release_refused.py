"""Packages that are no good: refused before they are released, or undone by themselves; nobody who asks notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from aws_console import PREFIX, SENTENCES, Console, number
from local_project import BUNDLED_DATA

pytestmark = pytest.mark.e2e


def test_a_challenger_trained_on_shuffled_labels_is_rejected(console: Console, unchanged: Callable[[], None]) -> None:
    """Its evidence is far below the champion's: Rejected, with the figures, and nobody notices."""
    bucket, storage = console.project.outputs("storage")["DataBucket"], console.project.client("s3")
    train = pd.read_json(BUNDLED_DATA / "train.json", lines=True)
    train["helpful"] = train["helpful"].sample(frac=1, random_state=7).to_numpy()
    lines = train.to_json(orient="records", lines=True)
    storage.put_object(Bucket=bucket, Key="source/shuffled/train.json", Body=lines.encode())
    storage.upload_file(str(BUNDLED_DATA / "test.json"), bucket, "source/shuffled/test.json")
    with console.asked_steadily(SENTENCES, 5) as stream:
        output = console.run({"data_source": f"s3://{bucket}/source/shuffled/"})
    package = console.package(output["model_package_arn"])
    assert package["ModelApprovalStatus"] == "Rejected"
    assert package["CustomerMetadataProperties"]["verdict"] == "refused"
    assert package["ApprovalDescription"]
    assert set(stream.statuses) == {200} and len(stream.versions) == 1
    print(f"shuffled labels: {package['ApprovalDescription'][:200]}; callers saw {stream.statuses}")
    unchanged()


NIGHTLY = pytest.mark.nightly(part="releases")


@pytest.mark.parametrize(
    "breakage",
    [
        "raises on the first request",
        "never ready",
        pytest.param("missing ONNX file", marks=NIGHTLY),
        pytest.param("raises on load", marks=NIGHTLY),
    ],
)
def test_a_broken_artifact_is_rejected_and_even_when_approved_the_champion_stays(
    console: Console, unchanged: Callable[[], None], breakage: str
) -> None:
    """The transform job finds it: Rejected. A person approves it all the same: the release takes it back by itself."""
    job = console.forge(f"forged-{breakage.lower().replace(' ', '-')}", breakage)
    output = console.run({"training_job": job})
    arn = output["model_package_arn"]
    rejected = console.package(arn)
    assert rejected["ModelApprovalStatus"] == "Rejected"
    assert rejected["ApprovalDescription"]
    with console.asked_steadily(SENTENCES) as stream:
        release = console.release_by_hand(arn)
        stream.wait_for_more()
    assert release["status"] == "FAILED"
    failed = console.package(arn)
    assert failed["ModelApprovalStatus"] == "Rejected"
    assert failed["CustomerMetadataProperties"]["release"] == "failed"
    assert failed["CustomerMetadataProperties"]["release_reason"]
    print(
        f"{breakage}: gate: {rejected['ApprovalDescription'][:120]} | release: {release['cause'][:160]} | "
        f"callers saw {stream.statuses}, versions {stream.versions}"
    )
    if breakage == "raises on the first request":  # it answers pings, so callers reach it until the smoke test is done
        assert "Put champion back" in console.states(release["executionArn"])
        assert "raises on a request" in rejected["ApprovalDescription"]
    else:
        assert set(stream.statuses) == {200}, stream.statuses
    assert number(arn) not in stream.versions
    unchanged()


def test_a_ping_that_lies_is_undone_by_the_smoke_test(console: Console, unchanged: Callable[[], None]) -> None:
    """As the stock container does it, /ping says 200 while every invocation fails: the champion is put back."""
    job = console.forge("forged-liar", "raises on load")
    champion = console.package(console.champion)["InferenceSpecification"]["Containers"][0]
    artifact = console.sagemaker.describe_training_job(TrainingJobName=job)["ModelArtifacts"]["S3ModelArtifacts"]
    liar = {
        "Image": champion["Image"],
        "ModelDataUrl": artifact,
        "Environment": {**champion["Environment"], "LOCAL_CONTAINER_PING": "stock"},
    }
    arn = console.sagemaker.create_model_package(
        ModelPackageGroupName=PREFIX,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [liar],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )["ModelPackageArn"]
    with console.asked_steadily(SENTENCES) as stream:
        release = console.release_by_hand(arn)
        stream.wait_for_more()
    assert release["status"] == "FAILED"
    assert "Put champion back" in console.states(release["executionArn"])
    assert console.package(arn)["ModelApprovalStatus"] == "Rejected"
    bad = sum(count for status, count in stream.statuses.items() if status != 200)
    print(f"lying ping: callers saw {stream.statuses} (the endpoint said InService before the model was asked)")
    assert bad < len(stream.answers)
    assert number(arn) not in stream.versions
    unchanged()


ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"model_package_arn": "v7"},
        {"version": 7},
        {"model_package_arn": 7},
        {"model_package_arn": f"{ARN}/{PREFIX}/99999"},
        {"model_package_arn": f"{ARN}/other/1"},
    ],
)
def test_a_release_of_nothing_is_refused(console: Console, unchanged: Callable[[], None], document: Any) -> None:
    """An input that names no package of this registry fails with what is allowed, and changes nothing."""
    ended = console.wait(console.start(document, "release"))
    assert ended["status"] == "FAILED"
    assert "model_package_arn" in ended["cause"] or "99999" in ended["cause"], ended["cause"]
    unchanged()


@pytest.fixture(scope="module")
def refused(console: Console) -> str:
    """A package that the gate has refused."""
    output = console.run({"training_job": console.forge("forged-for-refusal", "missing ONNX file")})
    assert output["verdict"]["status"] == "Rejected", output["verdict"]
    return str(output["model_package_arn"])


def test_an_unapproved_package_is_not_released_by_its_arn(
    console: Console, refused: str, unchanged: Callable[[], None]
) -> None:
    """Starting the release of a rejected package says that it has to be approved first."""
    ended = console.wait(console.start({"model_package_arn": refused}, "release"))
    assert ended["status"] == "FAILED"
    assert "approve" in ended["cause"].lower()
    unchanged()


def test_releases_lists_every_package_and_marks_the_champion(console: Console, refused: str) -> None:
    """`make releases` shows verdict, figures and the one that serves; with PACKAGE=n the whole story."""
    output = console.project.make("releases").stdout
    count = len(
        console.sagemaker.list_model_packages(ModelPackageGroupName=PREFIX, MaxResults=100)["ModelPackageSummaryList"]
    )
    rows = [line for line in output.splitlines() if "Approved" in line or "Rejected" in line or "Pending" in line]
    assert len(rows) == count
    (serving,) = [line for line in rows if line.startswith("*")]
    assert serving.split()[1] == number(console.champion)
    assert "passed" in output and "refused" in output
    story = console.project.make("releases", f"PACKAGE={number(console.champion)}").stdout
    assert "training_job" in story and "released_at" in story


def test_no_model_config_or_job_is_left_over(console: Console) -> None:
    """After every release, rejection and rollback there is one model, one endpoint config and one endpoint."""
    left = console.left_over()
    assert left["running training jobs"] == left["running transform jobs"] == []
    assert [len(left[kind]) for kind in ("models", "endpoint configs", "endpoints")] == [1, 1, 1], left
