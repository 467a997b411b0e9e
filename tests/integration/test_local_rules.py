"""Rules of EventBridge in the local cloud: which events start a state machine, and with whose rights."""

from __future__ import annotations

import json
from typing import Any

import pytest

from waiting import until

pytestmark = pytest.mark.integration

GROUP = "candidates"


def _approving_rule(machine: str, role: str, topic_email: str) -> dict[str, Any]:
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {
            "ModelPackageGroupName": [GROUP],
            "ModelApprovalStatus": ["Approved"],
            "UpdatedModelPackageFields": ["ModelApprovalStatus"],
        },
    }
    transformer = {
        "InputPathsMap": {"package": "$.detail.ModelPackageArn", "time": "$.time", "id": "$.id"},
        "InputTemplate": '{"model_package_arn": <package>, "approved_at": <time>, "event_id": <id>}',
    }
    publish = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"Ref": "Topic"},
    }
    return {
        "Resources": {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "notifications"}},
            "Policy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {
                    "Topics": [{"Ref": "Topic"}],
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [publish]},
                },
            },
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": topic_email},
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "EventPattern": pattern,
                    "Targets": [{"Id": "T", "Arn": machine, "RoleArn": role, "InputTransformer": transformer}],
                },
            },
        }
    }


def test_an_approval_starts_exactly_one_execution(server: Any) -> None:
    """Neither the registration nor other changes of a package match the rule; the input is the transformer's.

    Events come in order: when the approval of a later package has started its execution, the earlier ones are done.
    """
    machine = server.state_machine("released", server.role("released", "states.amazonaws.com"))
    right = {"Action": "states:StartExecution", "Resource": machine}
    server.deploy("rule", _approving_rule(machine, server.role("rule", "events.amazonaws.com", right), "a@b.example"))
    sagemaker, states = server.client("sagemaker"), server.client("stepfunctions")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    arn = sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelApprovalStatus="PendingManualApproval")[
        "ModelPackageArn"
    ]
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "1"})
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="It is good."
    )
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"a": "2"})
    later = sagemaker.create_model_package(ModelPackageGroupName=GROUP, ModelApprovalStatus="PendingManualApproval")[
        "ModelPackageArn"
    ]
    sagemaker.update_model_package(ModelPackageArn=later, ModelApprovalStatus="Approved")

    def inputs() -> dict[str, dict[str, str]]:
        executions = states.list_executions(stateMachineArn=machine)["executions"]
        described = [states.describe_execution(executionArn=entry["executionArn"])["input"] for entry in executions]
        assert len(described) <= 2
        return {found["model_package_arn"]: found for found in map(json.loads, described)}

    until(lambda: later in inputs())
    assert inputs().keys() == {arn, later}
    assert inputs()[arn].keys() == {"model_package_arn", "approved_at", "event_id"}
    assert inputs()[arn]["approved_at"].endswith("Z")


def test_a_rule_starts_only_what_its_role_may_start(server: Any) -> None:
    """Without a right, or with a role that does not trust EventBridge, nothing is started; with both it is."""
    events, states = server.client("events"), server.client("stepfunctions")
    machine = server.state_machine("guarded", server.role("guarded", "states.amazonaws.com"))
    right = {"Action": "states:StartExecution", "Resource": machine}
    stranger = server.role("stranger", "lambda.amazonaws.com", right)
    powerless = server.role("powerless", "events.amazonaws.com")
    events.put_rule(Name="guarded", EventPattern=json.dumps({"source": ["test"]}))
    targets = [{"Id": name, "Arn": machine, "RoleArn": role} for name, role in (("s", stranger), ("p", powerless))]
    events.put_targets(Rule="guarded", Targets=targets)
    entry = {"Source": "test", "DetailType": "t", "Detail": "{}"}
    events.put_events(Entries=[entry])
    until(lambda: "states:StartExecution" in server.log.read_text())
    assert states.list_executions(stateMachineArn=machine)["executions"] == []
    server.grant("powerless", right)
    events.put_events(Entries=[entry])
    assert len(until(lambda: states.list_executions(stateMachineArn=machine)["executions"])) == 1
