"""Faults of every kind while a client asks: what it sees, what recovers and when, and that nothing contradicts it.

Each fault begins with two released versions of different weights and ends when the client is answered again.
`History.violations` then has to find no contradiction: one champion, whose answers are its evidence; no message against
an answer; no approval lost. FAULTS_TABLE names a Markdown file whose table gets the rows of a run.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from aws_console import PREFIX, Console, number
from history import History, asking
from local_project import LocalProject
from run_groups import group_of
from trial import API_FUNCTION, Fault, Trial, evidence_of, write_table
from waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="releases")]
PER_SECOND = 10.0
FAULTS: list[Fault] = []
BY_ITSELF, NEXT_RELEASE, STARTED = "by itself", "by the next release", "by starting the local cloud"
UP, COLD = {200}, {200, 503}  # nothing is noticed; the model is on its way
# The local cloud, and with it the API, is gone; then every function has a cold start, which is slow on a busy machine.
RESTARTED = {0, 429, 500, 502, 504}
SMALL_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))"


def fault(
    *sees: set[int], within: float = 5.0, mended: str = BY_ITSELF
) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Put a fault on the list; its docstring is its name in the table."""

    def listed(breaks: Callable[[Trial], None]) -> Callable[[Trial], None]:
        FAULTS.append(Fault(breaks, frozenset().union(*sees), within, mended))
        return breaks

    return listed


# The model and the API


@fault(COLD)
def model_killed(trial: Trial) -> None:
    """The endpoint's process is killed."""
    for process in trial.processes():
        process.kill()


@fault(COLD, {429, 504}, within=30)
def model_stalled(trial: Trial) -> None:
    """The endpoint's process is stopped for 8 s (SIGSTOP)."""
    stopped = trial.processes()
    for process in stopped:
        process.suspend()
    time.sleep(8)
    for process in stopped:
        process.resume()
    trial.heal()


@fault(UP, {500, 502, 504})
def api_function_killed(trial: Trial) -> None:
    """The processes of the API's Lambda function are killed."""
    for process in trial.processes(function=API_FUNCTION):
        process.kill()


@fault(UP, {429})
def burst(trial: Trial) -> None:
    """Forty other clients ask as fast as they can, for 3 s."""
    url, until_then = f"{trial.console.project.status['api_url']}/v1/predictions", time.monotonic() + 3

    def hammer() -> None:
        with requests.Session() as session, suppress(requests.RequestException):
            while time.monotonic() < until_then:
                session.post(url, json={"inputs": "How is it?"}, timeout=10)

    threads = [threading.Thread(target=hammer, daemon=True) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trial.heal()


@fault(COLD, mended=NEXT_RELEASE, within=8)
def endpoint_deleted(trial: Trial) -> None:
    """The endpoint is deleted; then another version is released."""
    lose_endpoint(trial, other=True)


@fault(COLD, mended="by releasing the champion again", within=8)
def endpoint_deleted_again(trial: Trial) -> None:
    """The endpoint is deleted; then the champion is released again."""
    lose_endpoint(trial, other=False)


def lose_endpoint(trial: Trial, *, other: bool) -> None:
    """Delete the endpoint, and release a version."""
    trial.console.sagemaker.delete_endpoint(EndpointName=PREFIX)
    until(lambda: not trial.console.left_over()["endpoints"])
    time.sleep(6)  # for so long the API may tell again what it knew
    assert trial.ask_status() is None
    trial.ask_releases()
    trial.release(trial.other if other else trial.champion)
    trial.heal()


@fault(COLD, mended="by deleting the endpoint and the next release", within=8)
def config_deleted(trial: Trial) -> None:
    """The model and the endpoint config in use are deleted, with which SageMaker refuses every update."""
    sagemaker, left, other = trial.console.sagemaker, trial.console.left_over(), trial.other
    sagemaker.delete_endpoint_config(EndpointConfigName=left["endpoint configs"][0])
    sagemaker.delete_model(ModelName=left["models"][0])
    trial.release_in_vain(other, "Next: delete the endpoint")
    assert trial.approved(other)  # it is not the package's fault
    trial.ask_status()
    sagemaker.delete_endpoint(EndpointName=PREFIX)
    until(lambda: not trial.console.left_over()["endpoints"])
    trial.release(other)
    trial.heal()


# Releases


@fault(UP)
def second_approval(trial: Trial) -> None:
    """A second version is approved while the first one is being released."""
    first, second = trial.other, trial.champion
    with trial.releasing(first, by_approval=True) as execution:
        trial.console.reach(execution, "Update endpoint")
        with trial.releasing(second, by_approval=True):
            pass
    assert trial.champion == second, trial.said


@fault(UP)
def second_release(trial: Trial) -> None:
    """Two releases are started at the same moment; they take turns."""
    with trial.releasing(trial.other) as first, trial.releasing(trial.champion) as second:
        assert first != second
    assert all(end.startswith("SUCCEEDED") for end in trial.said), trial.said
    (_, end), (start, _) = sorted(trial.changing(execution) for execution in (first, second))
    assert end <= start


@fault(UP)
def second_deployment(trial: Trial) -> None:
    """Everything is deployed again (make deploy) during a release."""
    other = trial.other
    with trial.releasing(other) as execution:
        trial.console.reach(execution, "Note release")
        deploying = trial.console.project.popen("deploy")
    printed, _ = deploying.communicate(timeout=300)
    assert deploying.returncode == 0, printed
    assert trial.champion == other, trial.said


@fault(UP)
def release_aborted(trial: Trial) -> None:
    """The release is stopped in the middle (StopExecution), and started again."""
    other = trial.other
    with trial.releasing(other) as execution:
        trial.console.reach(execution, "Update endpoint")
        trial.console.workflows.stop_execution(executionArn=execution, cause="stopped by the test")
        stack = trial.console.project.client("cloudformation")
        until(lambda: _status(stack).endswith("_COMPLETE"), 60)
    trial.release(other)


@fault(UP)
def package_rejected(trial: Trial) -> None:
    """The package is rejected while it is being released."""
    other = trial.other
    with trial.releasing(other, by_approval=True) as execution:
        trial.console.reach(execution, "Update endpoint")
        trial.console.sagemaker.update_model_package(
            ModelPackageArn=other, ModelApprovalStatus="Rejected", ApprovalDescription="second thoughts"
        )
    trial.console.approve(other)
    time.sleep(3)


@fault(UP)
def package_deleted(trial: Trial) -> None:
    """The package is deleted while it is being released."""
    champion, package = trial.champion, judge_anew(trial)
    with trial.releasing(package, by_approval=True) as execution:
        trial.console.reach(execution, "Update endpoint")
        trial.console.sagemaker.delete_model_package(ModelPackageName=package)
        trial.deleted.add(number(package))
    assert trial.champion == champion, trial.said


@fault(UP, mended="by restoring the archive")
def archive_replaced(trial: Trial) -> None:
    """The archive of an approved package is replaced before its release."""
    other, archive = trial.other, trial.console.archive(trial.other)
    with trial.without(archive, trial.console.read(archive) + b"x"):
        trial.release_in_vain(other, "is not the archive that was judged", by_approval=True)
        trial.ask_status()
    trial.release(other, by_approval=True)


@fault(UP, mended="by restoring the archive")
def archive_deleted(trial: Trial) -> None:
    """The archive of an approved package is deleted before its release."""
    other = trial.other
    with trial.without(trial.console.archive(other)):
        trial.release_in_vain(other, "model.tar.gz")
        assert trial.approved(other)  # it is not the package's fault
    trial.release(other)


@fault(UP, mended="by giving the right back")
def right_removed(trial: Trial) -> None:
    """The release role may no longer update the stack."""
    other, iam = trial.other, trial.console.project.client("iam")
    role = trial.console.workflows.describe_state_machine(stateMachineArn=trial.console.machines["release"])["roleArn"]
    denied = {"Effect": "Deny", "Action": "cloudformation:UpdateStack", "Resource": "*"}
    whose = {"RoleName": role.rsplit("/", 1)[-1], "PolicyName": "fault"}
    iam.put_role_policy(**whose, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [denied]}))
    try:
        trial.release_in_vain(other, "CloudFormation refused the update")
        assert trial.approved(other)
    finally:
        iam.delete_role_policy(**whose)
    trial.release(other)


@fault(UP, mended="by make approve")
def rule_disabled(trial: Trial) -> None:
    """The rule that starts a release is disabled while somebody approves."""
    other, events = trial.other, trial.console.project.client("events")
    (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "Approv" in rule.get("EventPattern", "")]
    events.disable_rule(Name=rule)
    try:
        trial.console.sagemaker.update_model_package(ModelPackageArn=other, ModelApprovalStatus="Rejected")
        known = trial.console.executions("release")
        trial.console.approve(other)
        time.sleep(3)
        assert len(trial.console.executions("release")) == len(known)
    finally:
        events.enable_rule(Name=rule)
    began = time.time()
    trial.operations("approve", number(other))
    (execution,) = {found["executionArn"] for found in trial.console.executions("release")} - {
        found["executionArn"] for found in known
    }
    trial.note_end(execution, other, began)
    assert trial.champion == other


@fault(UP)
def control_plane_throttled(trial: Trial) -> None:
    """Every other call of somebody's commands is throttled while they release a version."""
    other = trial.other
    trial.history.approved.add(number(other))
    known, began = trial.console.executions("release"), time.time()
    with trial.throttled() as variables:
        trial.operations("rollback", number(other), **variables)
        assert trial.ask_status(**variables) == number(other)
    trial.note_end(trial.console.released_by_event(known), other, began)


@fault(UP)
def topic_deleted(trial: Trial) -> None:
    """The topic that releases report to is deleted."""
    topics = trial.console.project.client("sns")
    for topic in topics.list_topics()["Topics"]:
        topics.delete_topic(TopicArn=topic["TopicArn"])
        trial.said.append(topic["TopicArn"])
    kept = [arn.rsplit(":", 1)[-1] for arn in trial.said]
    trial.release(trial.other)
    for name in kept:
        topics.create_topic(Name=name)


@fault(UP)
def log_groups_deleted(trial: Trial) -> None:
    """All log groups are deleted; then another version is released."""
    logs = trial.console.project.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            logs.delete_log_group(logGroupName=group["logGroupName"])
    trial.release(trial.other)


def _status(cloudformation: Any) -> str:
    return str(cloudformation.describe_stacks(StackName=f"{PREFIX}-serving")["Stacks"][0]["StackStatus"])


# Training and judging


@fault(UP)
def training_killed(trial: Trial) -> None:
    """The training job's process is killed."""
    execution = trial.console.start({})
    until(lambda: _training(trial.console.project.folder), 60)
    for process in _training(trial.console.project.folder):
        with suppress(psutil.Error):
            process.kill()
    ended = trial.console.wait(execution, 120)
    assert ended["status"] == "FAILED" and ended["cause"], ended
    trial.said.append(ended["cause"])


@fault(UP)
def evidence_replaced(trial: Trial) -> None:
    """The champion's evidence is replaced before a new version is compared with it."""
    noted = trial.console.package(trial.champion)["CustomerMetadataProperties"]
    with trial.without(noted["evidence"], b'{"predictions": []}\n'):
        judge_anew(trial)


@fault(UP)
def evidence_deleted(trial: Trial) -> None:
    """The champion's evidence is deleted before a new version is compared with it."""
    noted = trial.console.package(trial.champion)["CustomerMetadataProperties"]
    with trial.without(noted["evidence"]):
        judge_anew(trial)


def judge_anew(trial: Trial) -> str:
    """Have the champion's own archive judged once more, and nothing released; ARN of its new package."""
    job = trial.console.package(trial.champion)["CustomerMetadataProperties"]["training_job"]
    output = trial.console.run({"training_job": job, "approval": "never"})
    trial.said.append(json.dumps(output["verdict"]))
    package = str(output["model_package_arn"])
    trial.history.evidence |= evidence_of(trial.console, [package])
    return package


def _training(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment, command = process.environ(), process.cmdline()
            if str(folder) in environment.get("HOME", "") + environment.get("SM_MODEL_DIR", "") and any(
                word.endswith("train.py") for word in command
            ):
                found.append(process)
    return found


# The local cloud


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed(trial: Trial) -> None:
    """The local cloud is killed at rest (SIGKILL)."""
    trial.console.kill()
    trial.start()
    trial.heal()


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_stopped(trial: Trial) -> None:
    """The local cloud, and with it the gateway, is restarted."""
    trial.server().send_signal(signal.SIGTERM)
    until(lambda: not _alive(trial), 60)
    trial.start()
    trial.heal()


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_before_the_update(trial: Trial) -> None:
    """The local cloud is killed before a release changes the stack; the release is started again."""
    kill_in(trial, "Describe endpoint")


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_in_the_update(trial: Trial) -> None:
    """The local cloud is killed while a release updates the endpoint; the release is started again."""
    kill_in(trial, "Update endpoint", 1.0)


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_in_the_smoke_test(trial: Trial) -> None:
    """The local cloud is killed while a release asks the new model; the release is started again."""
    kill_in(trial, "Ask the endpoint")


def kill_in(trial: Trial, state: str, seconds: float = 0.0) -> None:
    """Kill the local cloud in, or so long after, a state of a release; then one model serves, and all is tidy."""
    other = trial.other
    with trial.releasing(other) as execution:
        trial.console.reach(execution, state)
        time.sleep(seconds)
        trial.console.kill()
        trial.start()
    trial.heal()
    assert "stopped" in trial.said[-1], trial.said
    left = trial.console.left_over()
    assert [len(left[kind]) for kind in ("models", "endpoint configs", "endpoints")] == [1, 1, 1], left
    trial.release(other)


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_while_training(trial: Trial) -> None:
    """The local cloud is killed during a training run."""
    execution = trial.console.start({})
    until(lambda: _training(trial.console.project.folder), 60)
    trial.console.kill()
    trial.start()
    trial.heal()
    ended = trial.console.wait(execution, 60)
    assert ended["status"] == "FAILED" and "stopped" in ended["cause"], ended
    assert trial.console.left_over()["running training jobs"] == []


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_while_saving(trial: Trial) -> None:
    """The local cloud is killed while it saves its state, right after an approval."""
    other, folder = trial.other, trial.console.project.folder / "cloud" / "services"
    trial.console.sagemaker.update_model_package(ModelPackageArn=other, ModelApprovalStatus="Rejected")
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    with trial.releasing(other, by_approval=True):
        until(lambda: any(_changed(file, before) for file in list(folder.iterdir())), 30, pause=0.001)
        trial.console.kill()
        trial.start()
    trial.heal()
    trial.release(other)


def _changed(file: Path, before: dict[Path, int]) -> bool:
    with suppress(OSError):
        return before.get(file) != file.stat().st_mtime_ns
    return True


@fault(COLD, RESTARTED, within=70)
def disk_full_at_start(trial: Trial) -> None:
    """The local cloud starts where no file may have more than 1 MB, as on a full disk, for 10 s."""
    trial.console.kill()
    shutil.rmtree(trial.console.project.folder / "cloud" / "sagemaker" / "artifacts", ignore_errors=True)
    trial.start(before=SMALL_FILES)
    time.sleep(10)
    trial.ask_status()
    trial.server().rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    trial.heal()


@fault(COLD, RESTARTED, within=70, mended="by itself, once the archive was back")
def archive_missing_at_start(trial: Trial) -> None:
    """The champion's archive is missing when the local cloud starts, for 10 s."""
    with trial.without(trial.console.archive(trial.champion)):
        trial.console.kill()
        trial.start()
        time.sleep(10)
        trial.ask_status()
    trial.heal()


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def clock_set_back(trial: Trial) -> None:
    """The local cloud is killed and started with its clock an hour back, and later with the right one."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), os.environ.get("FAKETIME_LIBRARY"))
    if library is None:
        pytest.skip(
            "no libfaketime, to move the clock: install that Debian package, or set FAKETIME_LIBRARY to its file"
        )
    other = trial.other
    trial.console.kill()
    trial.start(LOCAL_CLOUD_PYTHON=str(trial.other_clock(str(library), "-1h")))
    trial.release(other, by_approval=True)
    other = trial.other
    trial.console.kill()
    trial.start()
    trial.heal()
    trial.release(other, by_approval=True)


def _alive(trial: Trial) -> bool:
    with suppress(psutil.Error):
        return trial.server().status() != psutil.STATUS_ZOMBIE
    return False


# The trial itself


@pytest.fixture(scope="module")
def console(request: pytest.FixtureRequest, bring_up: Callable[[str, str], LocalProject]) -> Console:
    """The running project of this group, with two versions of different weights, both released once."""
    found = Console(bring_up("small", group_of(request.path)))
    trial = Trial(found, History(None, evidence_of(found)))
    if not any(map(trial.approved, trial.unlike)):
        trained = {"hyperparameters": {"epochs": "1"}, "approval": "manual"}
        unlike = trial.unlike or [found.run(trained)["model_package_arn"]]
        assert found.release_by_hand(unlike[0])["status"] == "SUCCEEDED"
    return found


@pytest.fixture(scope="module")
def rows() -> Iterator[list[tuple[str, ...]]]:
    """The lines of the table; in the end they are written where FAULTS_TABLE says."""
    found: list[tuple[str, ...]] = []
    yield found
    if wanted := os.environ.get("FAULTS_TABLE"):
        write_table(Path(wanted), found)


def endure(console: Console, fault: Fault) -> Trial:
    """Let something break while a client asks, and wait until it is answered again."""
    history = History(number(console.champion), evidence_of(console))
    trial, texts = Trial(console, history), sorted(history.evidence[history.champion])[:20]
    with asking(console.project.status["api_url"], texts, PER_SECOND) as history.stream:
        history.stream.wait_for_more()
        trial.began = time.time()
        fault.breaks(trial)
        until(lambda: {answer.status for answer in history.stream.answers[-20:]} == {200}, fault.within + 30)
        trial.ask_status()
        trial.ask_releases()
        history.stream.wait_for_more()
    trial.conclude()
    return trial


@pytest.mark.parametrize("fault", FAULTS, ids=[each.breaks.__name__ for each in FAULTS])
def test_fault(console: Console, fault: Fault, rows: list[tuple[str, ...]], tell: Callable[[str], None]) -> None:
    """Callers get nothing but what is listed for it, then answers again; the history has no contradiction."""
    trial = endure(Console(console.project), fault)
    history, row = trial.history, trial.row(fault)
    tell(f"{' | '.join(row)} | {'; '.join(trial.said)[:300]}")
    assert history.violations() == []
    assert set(history.stream.statuses) <= fault.sees, row
    assert history.stream.recovered_after(trial.healed or trial.began) <= fault.within, row
    rows.append(row)
