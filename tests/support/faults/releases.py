"""Faults in and beside a release."""

from __future__ import annotations

import json
import time
from typing import Any

from aws_console import PREFIX, number
from faults import UP, fault
from faults.training import judge_anew
from trial import Trial
from waiting import until


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
    champion, other = trial.champion, trial.other
    with trial.releasing(other, by_approval=True) as execution:
        trial.console.reach(execution, "Update endpoint")
        trial.console.sagemaker.update_model_package(
            ModelPackageArn=other, ModelApprovalStatus="Rejected", ApprovalDescription="second thoughts"
        )
    assert trial.champion == champion and "second thoughts" in trial.said[-1], trial.said
    trial.release(other, by_approval=True)


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
    trial.console.project.operations("approve", number(other))
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
        trial.console.project.operations("rollback", number(other), **variables)
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
