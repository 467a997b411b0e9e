"""Processing jobs from creation to the stored outputs, each with a real command."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

ROLE = "arn:aws:iam::000000000000:role/worker"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:processing-job/job"
PLACE = "/opt/ml/processing"
UPPER = """
import os, pathlib, sys
base = pathlib.Path(sys.argv[1])
for path in (base / "input" / "texts").rglob("*.txt"):
    target = base / "output" / "answers" / path.relative_to(base / "input" / "texts")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(path.read_text().upper())
print("colour", os.environ.get("COLOUR"), "keys", "AWS_ACCESS_KEY_ID" in os.environ, sys.argv[2])
"""


def request(cloud: Any, code: str, *arguments: str, **params: Any) -> dict[str, Any]:
    """A CreateProcessingJob request that runs this Python code on `s3://bucket/in/`."""
    script = {"S3Uri": cloud.surroundings.put("s3://bucket/code/run.py", code.encode())}
    inputs = {"LocalPath": f"{PLACE}/input/code", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    source = {"S3Uri": "s3://bucket/in/", "LocalPath": f"{PLACE}/input/texts", "S3DataType": "S3Prefix"}
    target = {"S3Uri": "s3://bucket/out", "LocalPath": f"{PLACE}/output/answers", "S3UploadMode": "EndOfJob"}
    machine = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    return {
        "ProcessingJobName": "job",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": "acct/training:1",
            "ContainerEntrypoint": [sys.executable, f"{PLACE}/input/code/run.py"],
            "ContainerArguments": [PLACE, *arguments],
        },
        "ProcessingInputs": [
            {"InputName": "texts", "S3Input": {**source, "S3InputMode": "File"}},
            {"InputName": "code", "S3Input": {**inputs, **script}},
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "answers", "S3Output": target}]},
        "ProcessingResources": {"ClusterConfig": machine},
        **params,
    }


def run(cloud: Any, code: str, *arguments: str, **params: Any) -> dict[str, Any]:
    """The description of a job on one text, once it has ended."""
    cloud.surroundings.put("s3://bucket/in/more/a.txt", b"hello")
    cloud.call("CreateProcessingJob", **request(cloud, code, *arguments, **params))
    return ended(cloud)


def ended(cloud: Any) -> dict[str, Any]:
    """The job's description once it has ended."""
    return cloud.until(
        lambda: cloud.call("DescribeProcessingJob", ProcessingJobName="job"),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )


def log(cloud: Any) -> list[str]:
    """What the job printed."""
    return cloud.surroundings.log_of("/aws/sagemaker/ProcessingJobs")


def test_inputs_become_outputs(cloud: Any) -> None:
    """The command finds its inputs below /opt/ml/processing, and what it writes there is stored under these names."""
    job = run(cloud, UPPER, "last", Environment={"COLOUR": "red"})
    assert (job["ProcessingJobStatus"], job["ProcessingJobArn"]) == ("Completed", ARN), log(cloud)
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert cloud.surroundings.path("s3://bucket/out/more/a.txt").read_bytes() == b"HELLO"
    assert log(cloud) == ["colour red keys True last"]


def test_message_is_kept_up_to_a_kilobyte(cloud: Any) -> None:
    """DescribeProcessingJob gives the first 1,024 bytes of /opt/ml/output/message, of a failed job too."""
    code = "import sys; open(sys.argv[2], 'w').write('é' * 600); sys.exit(3)"
    job = run(cloud, code, "/opt/ml/output/message")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 3"
    assert job["ExitMessage"] == "é" * 512
    assert not cloud.surroundings.path("s3://bucket/out").exists()


@pytest.mark.parametrize("isolated", [False, True])
def test_isolated_job_has_neither_network_nor_credentials(cloud: Any, isolated: bool) -> None:
    """A job that reads customers' texts reaches nothing and holds no keys; without isolation it does."""
    code = """
import os, socket, sys
print("keys", "AWS_ACCESS_KEY_ID" in os.environ)
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[2])), timeout=5).close()
    print("reached")
except OSError:
    print("alone")
"""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        job = run(cloud, code, port, NetworkConfig={"EnableNetworkIsolation": isolated})
    assert job["ProcessingJobStatus"] == "Completed", log(cloud)
    if isolated and any("The network stays reachable" in line for line in log(cloud)):
        pytest.skip(f"this kernel allows no network namespace: {log(cloud)}")
    assert log(cloud) == [f"keys {not isolated}", "alone" if isolated else "reached"]


def test_missing_input_and_missing_right_fail_the_job(cloud: Any) -> None:
    """The reason names the place; the command does not run."""
    cloud.call("CreateProcessingJob", **request(cloud, "print('ran')"))
    assert ended(cloud)["FailureReason"] == (
        'ClientError: Data download failed: No S3 objects found under S3 URL "s3://bucket/in/"'
    )
    cloud.surroundings.unwritable.add("s3://bucket/out")
    cloud.surroundings.put("s3://bucket/in/a.txt", b"hello")
    cloud.call("CreateProcessingJob", **request(cloud, UPPER, "x", ProcessingJobName="second"))
    second = cloud.until(
        lambda: cloud.call("DescribeProcessingJob", ProcessingJobName="second"),
        lambda job: job["ProcessingJobStatus"] == "Failed",
    )
    assert second["FailureReason"].startswith("ClientError: Output upload failed: AccessDenied")
    assert "ran" not in log(cloud)


def test_job_is_stopped(cloud: Any) -> None:
    """StopProcessingJob ends the command; nothing is stored."""
    cloud.surroundings.put("s3://bucket/in/a.txt", b"hello")
    cloud.call("CreateProcessingJob", **request(cloud, "import time; print('there', flush=True); time.sleep(60)"))
    cloud.until(lambda: log(cloud), lambda lines: "there" in lines)
    cloud.call("StopProcessingJob", ProcessingJobName="job")
    assert ended(cloud)["ProcessingJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ProcessingResources": {"ClusterConfig": {"InstanceCount": 2}}}, "InstanceCount 2"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60}}, "StoppingCondition"),
        ({"AppSpecification": {"ContainerEntrypoint": []}}, "ContainerEntrypoint"),
        ({"ProcessingInputs": [{"S3Input": {"LocalPath": "/etc"}}]}, "LocalPath /etc"),
        ({"ProcessingInputs": [{"S3Input": {"LocalPath": f"{PLACE}/../x"}}]}, "LocalPath"),
        ({"ProcessingInputs": [{"S3Input": {"S3DataType": "ManifestFile"}}]}, "S3DataType ManifestFile"),
    ],
)
def test_what_is_not_supported_is_refused(cloud: Any, changed: dict[str, Any], named: str) -> None:
    """The refusal says what, and what is supported instead."""
    wanted = request(cloud, "pass")
    for member, value in changed.items():
        if isinstance(value, list):
            wanted[member][0]["S3Input"] |= value[0]["S3Input"]
        elif member == "StoppingCondition":
            wanted[member] = value
        elif "ClusterConfig" in value:
            wanted[member]["ClusterConfig"] |= value["ClusterConfig"]
        else:
            wanted[member].pop("ContainerEntrypoint")
    with pytest.raises(ServiceError, match="does not support this in a processing job") as refused:
        cloud.call("CreateProcessingJob", **wanted)
    assert named in refused.value.message
