"""IAM in the local cloud: taking one right away breaks exactly what needs it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tiny_serving import packed
from waiting import until, until_ended

pytestmark = pytest.mark.integration

ACCOUNT = "000000000000"
BUCKET = "permissions"
JOBS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/*"
ENDPOINT = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/absent"
READ = {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]}
WRITE = {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
RULE = {
    "Action": ["events:PutRule", "events:PutTargets", "events:DescribeRule"],
    "Resource": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
}
RUN_JOBS = {
    "Action": ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"],
    "Resource": JOBS,
}
_SCRIPT = """
import os, pathlib, sys
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
print(f"data: {os.listdir(os.environ['SM_CHANNEL_TRAIN'])}")
if os.environ.get("SM_HP_FAIL"):
    (model.parent / "output").mkdir(exist_ok=True)
    (model.parent / "output" / "failure").write_text("the data smells")
    sys.exit(1)
(model / "weights").write_text("1")
"""


@pytest.fixture(scope="module", autouse=True)
def bucket(server: Any) -> None:
    """A bucket with a code archive and one data file."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="code/sourcedir.tar.gz", Body=packed("train.py", _SCRIPT))
    s3.put_object(Bucket=BUCKET, Key="train/data.json", Body=b"{}")


@pytest.fixture
def role(server: Any) -> Callable[..., str]:
    """Makes roles with names of their own."""
    return lambda principal, *statements: server.role(f"role-{time.time_ns()}", principal, *statements)


def _job(name: str, role_arn: str, **hyperparameters: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/", "S3DataDistributionType": "FullyReplicated"}
    return {
        "TrainingJobName": name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": {"TrainingImage": "tiny-training:1", "TrainingInputMode": "File"},
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/code/sourcedir.tar.gz",
            **hyperparameters,
        },
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }


def _finished(server: Any, name: str) -> dict[str, Any]:
    def job() -> dict[str, Any]:
        found: dict[str, Any] = server.client("sagemaker").describe_training_job(TrainingJobName=name)
        return found if found["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else {}

    return until(job)


def _execute(server: Any, role_arn: str, resource: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run a state machine of one task; the description of the ended execution."""
    states = server.client("stepfunctions")
    definition = {
        "StartAt": "Do",
        "States": {"Do": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True}},
    }
    name = f"m{time.time_ns()}"
    machine = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role_arn)
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    return until_ended(states, execution)


def test_a_job_with_its_rights_completes(server: Any, role: Callable[..., str]) -> None:
    """Read and write on the bucket are all that a training role needs."""
    arn = role("sagemaker.amazonaws.com", READ, WRITE)
    server.client("sagemaker").create_training_job(**_job("complete", arn))
    job = _finished(server, "complete")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
    assert server.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"] > 0


@pytest.mark.parametrize("missing", ["s3:GetObject", "s3:ListBucket", "s3:PutObject"])
def test_a_training_role_needs_the_bucket(server: Any, role: Callable[..., str], missing: str) -> None:
    """Without one S3 right the job fails, and its reason names the right."""
    rights = {"s3:GetObject", "s3:ListBucket", "s3:PutObject"} - {missing}
    arn = role("sagemaker.amazonaws.com", {**READ, "Action": sorted(rights)})
    name = missing.replace(":", "-")
    server.client("sagemaker").create_training_job(**_job(name, arn))
    job = _finished(server, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert missing in job["FailureReason"] or "Forbidden" in job["FailureReason"]


def test_a_role_must_trust_sagemaker(server: Any, role: Callable[..., str]) -> None:
    """A role for another service is refused when the job is created."""
    with pytest.raises(ClientError, match="Could not assume role") as refused:
        server.client("sagemaker").create_training_job(**_job("untrusted", role("lambda.amazonaws.com", READ)))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_creating_a_job_needs_pass_role(server: Any, role: Callable[..., str]) -> None:
    """Who may create jobs but not pass the role is refused, and may once `iam:PassRole` is granted."""
    execution = role("sagemaker.amazonaws.com", READ, WRITE)
    caller = role(f"arn:aws:iam::{ACCOUNT}:root", RUN_JOBS)
    with pytest.raises(ClientError, match="iam:PassRole") as refused:
        server.as_role("sagemaker", caller).create_training_job(**_job("unpassed", execution))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    passing = {
        "Action": "iam:PassRole",
        "Resource": execution,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    server.grant(caller.rpartition("/")[2], RUN_JOBS, passing)
    server.as_role("sagemaker", caller).create_training_job(**_job("passed", execution))


def test_tags_need_the_right_to_tag(server: Any, role: Callable[..., str]) -> None:
    """Tags given on creation need `sagemaker:AddTags` besides."""
    execution = role("sagemaker.amazonaws.com", READ, WRITE)
    passing = {"Action": "iam:PassRole", "Resource": execution}
    caller = role(f"arn:aws:iam::{ACCOUNT}:root", RUN_JOBS, passing)
    with pytest.raises(ClientError, match="sagemaker:AddTags"):
        job = {**_job("tagged", execution), "Tags": [{"Key": "a", "Value": "b"}]}
        server.as_role("sagemaker", caller).create_training_job(**job)


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ((), "AccessDeniedException"),
        (({"Action": "sagemaker:InvokeEndpoint", "Resource": ENDPOINT},), "ValidationError"),
    ],
)
def test_invoking_an_endpoint_is_a_right_of_its_own(
    server: Any, role: Callable[..., str], statements: tuple[dict[str, Any], ...], code: str
) -> None:
    """Without `sagemaker:InvokeEndpoint` access is denied; with it the missing endpoint is what is reported."""
    caller = role(f"arn:aws:iam::{ACCOUNT}:root", *statements)
    with pytest.raises(ClientError) as refused:
        server.as_role("sagemaker-runtime", caller).invoke_endpoint(EndpointName="absent", Body=b"{}")
    assert refused.value.response["Error"]["Code"] == code


def test_a_state_machine_runs_a_job_with_its_role(server: Any, role: Callable[..., str]) -> None:
    """createTrainingJob.sync waits for the job and answers with its description."""
    execution = role("sagemaker.amazonaws.com", READ, WRITE)
    workflow = role("states.amazonaws.com", RUN_JOBS, RULE, {"Action": "iam:PassRole", "Resource": execution})
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"
    ended = _execute(server, workflow, resource, _job("sync", execution))
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    output = json.loads(ended["output"])
    assert output["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/output/sync/output/model.tar.gz"


def test_a_failed_job_fails_the_state_with_its_reason(server: Any, role: Callable[..., str]) -> None:
    """The cause of States.TaskFailed is the job's description, FailureReason included."""
    execution = role("sagemaker.amazonaws.com", READ, WRITE)
    workflow = role("states.amazonaws.com", RUN_JOBS, RULE, {"Action": "iam:PassRole", "Resource": execution})
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"
    ended = _execute(server, workflow, resource, _job("sync-fail", execution, fail="yes"))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert "the data smells" in json.loads(ended["cause"])["FailureReason"]


@pytest.mark.parametrize(
    ("dropped", "named"),
    [(0, "sagemaker:CreateTrainingJob"), (1, "events:PutRule"), (2, "iam:PassRole")],
)
def test_a_state_machine_has_only_its_roles_rights(
    server: Any, role: Callable[..., str], dropped: int, named: str
) -> None:
    """Each right that the integration needs is missed by name."""
    execution = role("sagemaker.amazonaws.com", READ, WRITE)
    statements = [RUN_JOBS, RULE, {"Action": "iam:PassRole", "Resource": execution}]
    del statements[dropped]
    workflow = role("states.amazonaws.com", *statements)
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"
    ended = _execute(server, workflow, resource, _job(f"never-{dropped}", execution))
    assert ended["status"] == "FAILED"
    assert named in ended["cause"]


def test_a_state_machine_needs_the_right_to_call_a_function(server: Any, role: Callable[..., str]) -> None:
    """lambda:invoke is checked against the role before anything runs."""
    ended = _execute(server, role("states.amazonaws.com"), "arn:aws:states:::lambda:invoke", {"FunctionName": "f"})
    assert ended["error"] == "Lambda.AWSLambdaException"
    assert "lambda:InvokeFunction" in ended["cause"]


def test_sdk_integrations_carry_the_names_of_the_java_sdk(server: Any, role: Callable[..., str]) -> None:
    """An error outside the service's model is the service's general exception, as Catch blocks expect it."""
    workflow = role("states.amazonaws.com", {"Action": "cloudformation:*", "Resource": "*"})
    resource = "arn:aws:states:::aws-sdk:cloudformation:describeStacks"
    ended = _execute(server, workflow, resource, {"StackName": "absent"})
    assert ended["error"] == "CloudFormation.CloudFormationException"
    assert "absent" in ended["cause"]
