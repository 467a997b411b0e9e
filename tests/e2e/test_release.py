"""Releases: without a gap for callers, by a click, undone by a click, each once; an endpoint that is lost."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import pytest

from aws_console import PREFIX, SENTENCES, Console, number
from waiting import until

pytestmark = pytest.mark.e2e


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


def test_cdk_deploy_keeps_the_champion_and_shows_an_empty_diff(console: Console, unchanged: Callable[[], None]) -> None:
    """After all these releases the stacks are as the app describes them."""
    console.project.make("deploy")
    unchanged()
    output = console.project.make("cdk", "ARGS=diff").stdout
    assert "Number of stacks with differences: 0" in output, output


def test_no_model_config_or_job_is_left_over(console: Console) -> None:
    """After every release, rejection and rollback there is one model, one endpoint config and one endpoint."""
    left = console.left_over()
    assert left["running training jobs"] == left["running transform jobs"] == []
    assert [len(left[kind]) for kind in ("models", "endpoint configs", "endpoints")] == [1, 1, 1], left
