"""Batch transform as a task of a state machine: waited for, failed with its reason, stopped with the execution."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tiny_serving import artifact
from waiting import until, until_ended

pytestmark = pytest.mark.integration

ACCOUNT = "000000000000"
BUCKET = "transforms"
RESOURCE = "arn:aws:states:::sagemaker:createTransformJob.sync"
RULE = {
    "Action": ["events:PutRule", "events:PutTargets", "events:DescribeRule"],
    "Resource": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTransformJobsRule",
}
RUN_JOBS = {
    "Action": ["sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob", "sagemaker:StopTransformJob"],
    "Resource": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:transform-job/*",
}


@pytest.fixture(scope="module", autouse=True)
def models(server: Any) -> None:
    """Three models: ``good``, ``slow`` (comes up after a minute) and ``broken``; two lines to transform."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    upper = artifact("asked.upper()")
    for key, body in (("good", upper), ("slow", upper), ("broken", b"nonsense")):
        s3.put_object(Bucket=BUCKET, Key=f"{key}.tar.gz", Body=body)
    s3.put_object(Bucket=BUCKET, Key="in/lines.jsonl", Body=b'{"a": "b"}\n{"c": "d"}\n')
    bucket = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    role = server.role("transforming", "sagemaker.amazonaws.com", {"Action": "s3:*", "Resource": bucket})
    for name, seconds in (("good", "0"), ("slow", "60"), ("broken", "0")):
        container = {
            "Image": "tiny-serving:1",
            "ModelDataUrl": f"s3://{BUCKET}/{name}.tar.gz",
            "Environment": {"START_SECONDS": seconds},
        }
        server.client("sagemaker").create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)


@pytest.fixture
def start(server: Any) -> Callable[..., str]:
    """Starts an execution that transforms with a model, in a role with the given statements; its ARN."""

    def run(job: str, model: str, *statements: dict[str, Any]) -> str:
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/lines.jsonl"}}
        request = {
            "TransformJobName": job,
            "ModelName": model,
            "BatchStrategy": "SingleRecord",
            "TransformInput": {"DataSource": source, "ContentType": "application/json", "SplitType": "Line"},
            "TransformOutput": {
                "S3OutputPath": f"s3://{BUCKET}/{job}",
                "AssembleWith": "Line",
                "Accept": "application/json",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        task = {"Type": "Task", "Resource": RESOURCE, "Parameters": request, "End": True}
        states = server.client("stepfunctions")
        machine = states.create_state_machine(
            name=job,
            definition=json.dumps({"StartAt": "T", "States": {"T": task}}),
            roleArn=server.role(f"states-{job}", "states.amazonaws.com", *statements),
        )["stateMachineArn"]
        return states.start_execution(stateMachineArn=machine)["executionArn"]

    return run


def test_a_state_machine_waits_for_a_transform(server: Any, start: Callable[..., str]) -> None:
    """createTransformJob.sync answers with the job's description once every line is answered."""
    ended = until_ended(server.client("stepfunctions"), start("good-job", "good", RUN_JOBS, RULE))
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"])["TransformJobStatus"] == "Completed"
    body = server.client("s3").get_object(Bucket=BUCKET, Key="good-job/lines.jsonl.out")["Body"].read()
    assert body.splitlines() == [b'{"A": "B"}', b'{"C": "D"}']


def test_a_failed_transform_fails_the_state_with_its_reason(server: Any, start: Callable[..., str]) -> None:
    """The cause of States.TaskFailed is the job's description, FailureReason included."""
    ended = until_ended(server.client("stepfunctions"), start("broken-job", "broken", RUN_JOBS, RULE))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["FailureReason"]


@pytest.mark.parametrize(("kept", "named"), [(RULE, "sagemaker:CreateTransformJob"), (RUN_JOBS, "events:PutRule")])
def test_a_transform_needs_the_rights_of_its_integration(
    server: Any, start: Callable[..., str], kept: dict[str, Any], named: str
) -> None:
    """The right to make the job and the right to make the rule are missed by name."""
    ended = until_ended(server.client("stepfunctions"), start(f"denied-{named.partition(':')[0]}", "good", kept))
    assert ended["status"] == "FAILED"
    assert named in ended["cause"]


def test_stopping_the_execution_stops_the_job(server: Any, start: Callable[..., str]) -> None:
    """StopExecution while the model comes up: the job is stopped, the execution stays aborted while later ones end."""
    execution = start("slow-job", "slow", RUN_JOBS, RULE)
    sagemaker, states = server.client("sagemaker"), server.client("stepfunctions")
    until(lambda: sagemaker.list_transform_jobs(NameContains="slow-job")["TransformJobSummaries"])
    states.stop_execution(executionArn=execution)
    until(lambda: sagemaker.describe_transform_job(TransformJobName="slow-job")["TransformJobStatus"] == "Stopped")
    assert until_ended(states, start("later-job", "good", RUN_JOBS, RULE))["status"] == "SUCCEEDED"
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"
