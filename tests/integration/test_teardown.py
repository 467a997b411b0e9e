"""`make teardown` against small stacks in every state that CloudFormation leaves them in, on a bare local cloud."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations.aws.deployment import Deployment
from operations.console import Answer
from operations.errors import OperationError
from operations.verbs.deployment import preflight, teardown
from waiting import until

pytestmark = pytest.mark.integration

PREFIX = "text-classifier-local"
Teardown = Callable[..., Answer]


class Stacks:
    """The environment's stacks on one local cloud, made of a few resources each."""

    def __init__(self, server: Any) -> None:
        self.client = server.client
        self.cloudformation = server.client("cloudformation")

    def status(self, name: str) -> str:
        """Its status once nothing is under way any more; empty where there is none."""

        def settled() -> str:
            try:
                (stack,) = self.cloudformation.describe_stacks(StackName=name)["Stacks"]
            except self.cloudformation.exceptions.ClientError:
                return "none"
            return "" if stack["StackStatus"].endswith("_IN_PROGRESS") else str(stack["StackStatus"])

        return until(settled, 90)

    def create(self, part: str, resources: dict[str, Any], **options: Any) -> str:
        """Create one of the environment's stacks; its status."""
        name = f"{PREFIX}-{part}"
        self.cloudformation.create_stack(StackName=name, TemplateBody=template(resources), **options)
        return self.status(name)


def template(resources: dict[str, Any]) -> str:
    return json.dumps({"Resources": resources})


def log_group(name: str, **attributes: Any) -> dict[str, Any]:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}, **attributes}


@pytest.fixture
def cloud(new_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stacks:
    """An empty local cloud, which the commands take for the environment `local`."""
    monkeypatch.setattr(teardown.inventory, "IMPORTS", tmp_path / "import")
    server = new_server()
    server.start()
    keys = {name: server.keys[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    deployment = Deployment("local", boto3.Session(region_name=server.keys["region"], **keys), server.url)
    monkeypatch.setattr(preflight, "connect", lambda env: dataclasses.replace(deployment))
    return Stacks(server)


@pytest.fixture
def tear_down(monkeypatch: pytest.MonkeyPatch) -> Teardown:
    """The command with these of its options; `kept`: the environment keeps its data, as prod does."""

    def run(*, kept: bool = False, **options: bool) -> Answer:
        monkeypatch.setenv("CONTEXT", f"removable={'false' if kept else 'true'}")
        flags = {"yes": False, "dry_run": False, "failed": False, **options}
        return teardown.teardown(argparse.Namespace(env="local", **flags))

    return run


def whose(answer: Answer) -> dict[str, str]:
    """What remains, and whose it is."""
    return {one["name"]: one["whose"] for one in answer.document["remains"]}


def test_a_dry_run_destroys_nothing(cloud: Stacks, tear_down: Teardown) -> None:
    """It lists the stacks in the order in which they would go, and what they would leave behind."""
    kept = log_group(f"/{PREFIX}/kept", DeletionPolicy="RetainExceptOnCreate")
    cloud.create("storage", {"Kept": kept})
    cloud.create("api", {"Gone": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"{PREFIX}-gone"}}})
    answer = tear_down(dry_run=True, kept=True)
    assert list(answer.document["stacks"].items()) == [
        (f"{PREFIX}-api", "would be destroyed"),
        (f"{PREFIX}-storage", "would be destroyed"),
    ]
    assert whose(answer) == {f"/{PREFIX}/kept": "kept on purpose"}
    assert "cdk import" in answer.text
    assert (answer.exit_code, cloud.status(f"{PREFIX}-api")) == (0, "CREATE_COMPLETE")


def test_a_protected_stack_goes_when_somebody_says_so(cloud: Stacks, tear_down: Teardown) -> None:
    """Without a terminal to answer in nothing is destroyed; with --yes it is, and what it keeps is told."""
    kept = log_group(f"/{PREFIX}/kept", DeletionPolicy="RetainExceptOnCreate")
    cloud.create("storage", {"Kept": kept}, EnableTerminationProtection=True)
    with pytest.raises(OperationError, match="Nothing was destroyed") as caught:
        tear_down(kept=True)
    assert "--yes" in caught.value.hint
    assert cloud.status(f"{PREFIX}-storage") == "CREATE_COMPLETE"
    answer = tear_down(kept=True, yes=True)
    assert answer.document["stacks"] == {f"{PREFIX}-storage": "DELETE_COMPLETE"}
    assert (whose(answer), answer.exit_code) == ({f"/{PREFIX}/kept": "kept on purpose"}, 0)
    mapping = json.loads((teardown.inventory.IMPORTS / f"{PREFIX}-storage.json").read_text())
    assert mapping == {"Kept": {"LogGroupName": f"/{PREFIX}/kept"}}, "what cdk import needs"


def test_a_first_deployment_that_failed_is_cleared_without_a_question(cloud: Stacks, tear_down: Teardown) -> None:
    """--failed removes the protected stack that never came up, so that it can be made again, and leaves the others."""
    own = log_group(f"/{PREFIX}/own", DeletionPolicy="RetainExceptOnCreate")
    properties = {"BucketName": f"{PREFIX}-taken"}
    taken = {"Type": "AWS::S3::Bucket", "Properties": properties, "DependsOn": ["Own"]}
    cloud.client("s3").create_bucket(Bucket=f"{PREFIX}-taken")
    cloud.create("storage", {"Topic": {"Type": "AWS::SNS::Topic"}}, EnableTerminationProtection=True)
    failed = cloud.create("training", {"Own": own, "Taken": taken}, EnableTerminationProtection=True)
    assert failed == "ROLLBACK_COMPLETE"
    answer = tear_down(failed=True, kept=True)
    assert (answer.document["stacks"], answer.exit_code) == ({f"{PREFIX}-training": "DELETE_COMPLETE"}, 0)
    assert cloud.status(f"{PREFIX}-storage") == "CREATE_COMPLETE"
    cloud.client("s3").delete_bucket(Bucket=f"{PREFIX}-taken")
    assert cloud.create("training", {"Own": own, "Taken": taken}) == "CREATE_COMPLETE"


def test_a_stack_that_could_not_be_deleted_before_is_deleted(cloud: Stacks, tear_down: Teardown) -> None:
    """A bucket that got an access log after it was emptied stops CloudFormation once, and the command not at all."""
    properties = {"BucketName": f"{PREFIX}-logs", "VersioningConfiguration": {"Status": "Enabled"}}
    cloud.create("storage", {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}})
    cloud.client("s3").put_object(Bucket=f"{PREFIX}-logs", Key="late", Body=b"x")
    cloud.cloudformation.delete_stack(StackName=f"{PREFIX}-storage")
    assert cloud.status(f"{PREFIX}-storage") == "DELETE_FAILED"
    answer = tear_down()
    assert (answer.document, answer.exit_code) == (
        {"stacks": {f"{PREFIX}-storage": "DELETE_COMPLETE"}, "remains": []},
        0,
    )
    assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_what_cannot_be_deleted_keeps_what_it_may_need(cloud: Stacks, tear_down: Teardown) -> None:
    """A full bucket of an environment that keeps its data is not emptied; later stacks stay, and the exit code is 1."""
    cloud.create("storage", {"Topic": {"Type": "AWS::SNS::Topic"}})
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{PREFIX}-full"}}
    cloud.create("training", {"Bucket": bucket})
    cloud.client("s3").put_object(Bucket=f"{PREFIX}-full", Key="data", Body=b"x")
    answer = tear_down(kept=True)
    assert answer.document["stacks"] == {f"{PREFIX}-training": "DELETE_FAILED", f"{PREFIX}-storage": "stays"}
    assert answer.exit_code == 1


def test_an_update_under_way_is_waited_for(cloud: Stacks, tear_down: Teardown) -> None:
    """A stack that is being changed, as by a release, is deleted when that is over; a second run finds nothing."""
    waiting = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "4"},
    }
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    cloud.create("serving", {"Handle": handle})
    slow = template({"Handle": handle, "Wait": waiting})
    cloud.cloudformation.update_stack(StackName=f"{PREFIX}-serving", TemplateBody=slow)
    (stack,) = cloud.cloudformation.describe_stacks(StackName=f"{PREFIX}-serving")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_IN_PROGRESS"
    assert tear_down().document["stacks"] == {f"{PREFIX}-serving": "DELETE_COMPLETE"}
    assert tear_down().document == {"stacks": {}, "remains": []}


def test_models_of_stopped_executions_go(cloud: Stacks, tear_down: Teardown) -> None:
    """Those of the environment's workflows; another environment, whose name begins with this one's, keeps its own."""
    sagemaker = cloud.client("sagemaker")
    may = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    role = cloud.client("iam").create_role(RoleName="model", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    others = (f"{PREFIX}--7-0123456789ab", "text-classifier-local2-bulk-1")
    for name in (f"{PREFIX}-bulk-0123456789ab", f"{PREFIX}-evidence-0123456789ab", *others):
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=role,
            PrimaryContainer={"Image": "image", "ModelDataUrl": f"s3://{PREFIX}-artifacts/model.tar.gz"},
        )
    assert tear_down().exit_code == 0
    assert {model["ModelName"] for model in sagemaker.list_models()["Models"]} == set(others)


def test_a_name_without_a_stack_is_left_over(cloud: Stacks, tear_down: Teardown) -> None:
    """It would stop the next deployment, so the exit code says so; what AWS makes by itself is no fault."""
    logs = cloud.client("logs")
    for name in ("/aws/sagemaker/TrainingJobs", f"/aws/sagemaker/Endpoints/{PREFIX}", f"/aws/lambda/{PREFIX}-launch"):
        logs.create_log_group(logGroupName=name)
    answer = tear_down()
    assert whose(answer) == {
        f"/aws/lambda/{PREFIX}-launch": "left over",
        f"/aws/sagemaker/Endpoints/{PREFIX}": "left over",
        "/aws/sagemaker/TrainingJobs": "AWS made it",
    }
    assert answer.exit_code == 1
