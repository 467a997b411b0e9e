"""Releases: without a gap for callers, refused or undone by themselves when the model is bad, undone by a click."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from aws_console import PREFIX, Console, number
from local_project import BUNDLED_DATA
from waiting import until

pytestmark = pytest.mark.e2e
SENTENCES = pd.read_json(BUNDLED_DATA / "test.json", lines=True)["sentence"].tolist()[:20]


@pytest.fixture
def unchanged(console: Console) -> Callable[[], None]:
    """Call it at the end: the same champion gives the same answers as at the beginning."""
    champion, answers = console.champion, console.answers(SENTENCES)

    def check() -> None:
        assert console.champion == champion
        assert console.answers(SENTENCES) == answers
        endpoint = console.sagemaker.describe_endpoint(EndpointName=PREFIX)
        assert endpoint["EndpointStatus"] == "InService"

    return check


def test_a_whole_run_and_its_release_fail_no_request(console: Console) -> None:
    """20 requests a second during training, evidence, gate and release: only 200s, from exactly two versions."""
    before, known = console.version, console.executions("release")
    with console.asked_steadily(SENTENCES) as stream:
        output = console.run({})
        assert output["verdict"]["status"] == "Approved", output["verdict"]
        release = console.wait(console.released_by_event(known))
        after = number(output["model_package_arn"])
        stream.wait_for(lambda: after in stream.versions)
        stream.wait_for_more()
    assert release["status"] == "SUCCEEDED", release
    print(f"{len(stream.answers)} requests: statuses {stream.statuses}, versions {stream.versions}")
    assert len(stream.answers) > 300
    assert set(stream.statuses) == {200}, stream.statuses
    assert stream.versions == {before, after}
    assert console.version == after != before


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


def test_manual_mode_releases_on_the_consoles_approve_and_going_back_restores_every_bit(console: Console) -> None:
    """Pending until UpdateModelPackage(Approved); `make rollback` brings back the former answers exactly."""
    former, answers = console.champion, console.answers(SENTENCES)
    output = console.run({"training_job": console.forge("for-a-person", "none"), "approval": "manual"})
    arn = output["model_package_arn"]
    assert console.package(arn)["ModelApprovalStatus"] == "PendingManualApproval"
    assert console.champion == former
    release = console.release_by_hand(arn)
    assert json.loads(release["output"])["outcome"] == "released"
    assert console.version == number(arn)
    console.project.make("rollback")
    assert console.champion == former
    assert console.version == number(former)
    assert console.answers(SENTENCES) == answers


@pytest.mark.proves("make train", "make approve", "make approve PACKAGE=2", "make rollback")
def test_make_train_approve_and_rollback_do_the_same_from_a_terminal(console: Console) -> None:
    """`make train APPROVAL=manual` says what to do next; `make approve` releases; `make rollback PACKAGE=n` undoes."""
    former = number(console.champion)
    job = console.forge("for-a-terminal", "none")
    printed = console.project.make("train", f"TRAINING_JOB={job}", "APPROVAL=manual").stdout
    version = re.search(r"make approve PACKAGE=(\d+)", printed)[1]
    assert console.version == former
    assert f"released: model version {version} answers" in console.project.make("approve", f"PACKAGE={version}").stdout
    assert console.version == version
    console.project.make("rollback", f"PACKAGE={former}")
    assert console.version == former
    unknown = console.project.make("rollback", "PACKAGE=999", check=False)
    assert unknown.returncode != 0 and "999" in unknown.stdout


def test_an_older_package_comes_back_by_its_arn_and_by_rejected_then_approved(console: Console) -> None:
    """Both of the console's ways: *Start execution* of the release with an ARN; Rejected, then Approved."""
    first = console.older()
    former = console.champion
    ended = console.wait(console.start({"model_package_arn": first}, "release"))
    assert ended["status"] == "SUCCEEDED", ended
    assert console.version == "1"
    console.sagemaker.update_model_package(ModelPackageArn=former, ModelApprovalStatus="Rejected")
    assert console.champion == first
    assert json.loads(console.release_by_hand(former)["output"])["outcome"] == "released"
    assert console.champion == former


def test_a_lost_endpoint_is_made_anew_by_the_next_release(console: Console) -> None:
    """Deleted by somebody: status claims nothing, a healthy package is released and answers, and so is the champion."""
    first, former = console.older(), console.champion

    def lose() -> None:
        console.sagemaker.delete_endpoint(EndpointName=PREFIX)
        until(lambda: not console.left_over()["endpoints"])
        time.sleep(5)  # for so long the API tells again what the model said before
        printed = console.project.make("status", "ARGS=--json").stdout
        facts = json.loads(printed[printed.index("{") :])  # after what it waited for
        assert (facts["model_version"], facts["released_version"]) == (None, number(console.champion))
        assert "model_not_released" in facts["model"]

    lose()
    console.sagemaker.update_model_package(ModelPackageArn=first, ModelApprovalStatus="Rejected")
    release = console.release_by_hand(first)
    assert json.loads(release["output"])["outcome"] == "released", release
    assert (console.champion, console.version) == (first, number(first))
    assert console.package(first)["ModelApprovalStatus"] == "Approved"
    assert "Clear" in " ".join(console.states(release["executionArn"])), console.states(release["executionArn"])
    console.project.make("rollback", f"PACKAGE={number(former)}")
    lose()  # and what serves already is no no-op
    printed = console.project.make("rollback", f"PACKAGE={number(former)}").stdout
    assert f"model version {number(former)} answers" in printed
    assert (console.champion, console.version) == (former, number(former))


def test_duplicated_events_and_metadata_release_nothing(console: Console, unchanged: Callable[[], None]) -> None:
    """The same approval once more, even after another release, and a change of metadata only: nothing happens.

    Events come in order: when the release of a later approval starts, the change of metadata has started none.
    """
    by_event = next(
        found
        for found in console.executions("release")
        if "approved_at" in console.workflows.describe_execution(executionArn=found["executionArn"])["input"]
    )
    event = json.loads(console.workflows.describe_execution(executionArn=by_event["executionArn"])["input"])
    ended = console.wait(console.start(event, "release"))
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["outcome"] in ("duplicate", "already serving")
    known = console.executions("release")
    console.sagemaker.update_model_package(
        ModelPackageArn=f"{console.champion.rsplit('/', 1)[0]}/1", CustomerMetadataProperties={"note": "looked at"}
    )
    console.sagemaker.update_model_package(ModelPackageArn=console.champion, ModelApprovalStatus="Rejected")
    later = console.release_by_hand(console.champion)
    assert json.loads(later["input"])["model_package_arn"] == console.champion
    assert json.loads(later["output"])["outcome"] == "already serving"
    assert len(console.executions("release")) == len(known) + 1
    unchanged()


def test_two_releases_at_once_take_turns(console: Console) -> None:
    """Started together, one waits: the stack's updates do not overlap, and both end with their own model served."""
    other = console.older()
    champion = console.champion
    started = [console.start({"model_package_arn": arn}, "release") for arn in (other, champion)]
    ended = [console.wait(arn) for arn in started]
    assert [found["status"] for found in ended] == ["SUCCEEDED", "SUCCEEDED"], ended
    spans = []
    for arn in started:
        pages = console.workflows.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        changing = [
            event["timestamp"]
            for event in events
            if event.get("stateEnteredEventDetails", {}).get("name") in ("Describe champion", "Record release")
        ]
        spans.append((changing[0], events[-1]["timestamp"]))
    (_, end_of_first), (start_of_second, _) = sorted(spans)
    assert start_of_second >= end_of_first, spans
    last = max(ended, key=lambda found: found["stopDate"])
    assert console.champion == json.loads(last["input"])["model_package_arn"]
    assert console.version == number(console.champion)
    if console.champion != champion:
        console.project.make("rollback", f"PACKAGE={number(champion)}")


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


def test_cdk_deploy_keeps_the_champion_and_shows_an_empty_diff(console: Console, unchanged: Callable[[], None]) -> None:
    """After all these releases the stacks are as the app describes them."""
    console.project.make("deploy")
    unchanged()
    output = console.project.make("cdk", "ARGS=diff").stdout
    assert "Number of stacks with differences: 0" in output, output


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
