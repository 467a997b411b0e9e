"""Batch transform jobs from creation to the stored answers, each with a real server process."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

pytestmark = pytest.mark.integration  # real processes

ARN = "arn:aws:sagemaker:us-east-1:000000000000:transform-job/batch"
GROUP = "/aws/sagemaker/TransformJobs"
OUTPUT = "s3://bucket/out/rows.jsonl.out"
INTERRUPTED = "The local cloud was stopped while the job was running"


def answers(cloud: Any) -> list[dict[str, Any]]:
    """The lines of the output object."""
    return [json.loads(line) for line in cloud.surroundings.path(OUTPUT).read_text().splitlines()]


def wait_for_model(cloud: Any) -> None:
    """Wait for the first log line of the job's server."""
    cloud.until(lambda: cloud.surroundings.log_of(GROUP), lambda lines: "serving 1" in lines)


def test_answers_stand_in_the_order_of_the_records(cloud: Any) -> None:
    """Every line is answered by the model, and line n of the output answers line n of the input."""
    cloud.transform([{"n": n, "sleep": 0.02 * (n % 3)} for n in range(12)])
    job = cloud.transformed()
    assert (job["TransformJobStatus"], job["TransformJobArn"]) == ("Completed", ARN)
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert [answer["order"]["n"] for answer in answers(cloud)] == list(range(12))
    assert {answer["version"] for answer in answers(cloud)} == {"1"}


def test_container_knows_that_it_works_for_a_batch(cloud: Any) -> None:
    """The server gets the batch variables, the model's Environment and the job's over it, and the request's types."""
    cloud.transform([{}], model_environment={"A": "model", "B": "model"}, Environment={"B": "job"})
    cloud.transformed()
    (seen,) = answers(cloud)
    environment = seen["environment"]
    assert (environment["A"], environment["B"]) == ("model", "job")
    assert (environment["SAGEMAKER_BATCH"], environment["SAGEMAKER_BATCH_STRATEGY"]) == ("true", "SINGLE_RECORD")
    assert environment["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] == "1"
    assert environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "6"
    assert environment["AWS_ACCESS_KEY_ID"] == "ASIA1"
    assert (seen["content_type"], seen["accept"]) == ("application/json", "application/json")


@pytest.mark.parametrize("isolated", [False, True])
def test_isolated_model_has_neither_network_nor_credentials(cloud: Any, isolated: bool) -> None:
    """A model under judgement reaches nothing of this machine and holds no keys; without isolation it does."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        cloud.transform([{"reach": other.getsockname()[1]}, {"sleep": 0.01}], isolated=isolated)
        assert cloud.transformed()["TransformJobStatus"] == "Completed"
    first, _ = answers(cloud)
    log = cloud.surroundings.log_of(GROUP)
    if isolated and any("The network stays reachable" in line for line in log):
        pytest.skip(f"this kernel allows no network namespace: {log}")
    assert first["reached"] is not isolated
    assert ("AWS_ACCESS_KEY_ID" in first["environment"]) is not isolated
    assert ("AWS_ENDPOINT_URL" in first["environment"]) is not isolated


def test_an_object_without_split_is_one_record(cloud: Any) -> None:
    """Without SplitType and AssembleWith the whole object is sent and the answer is stored as it is."""
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/rows.jsonl"}}}
    cloud.transform(b'{\n"n": 7\n}', TransformInput=source, TransformOutput={"S3OutputPath": "s3://bucket/out/"})
    assert cloud.transformed()["TransformJobStatus"] == "Completed"
    assert not cloud.surroundings.path(OUTPUT).read_bytes().endswith(b"\n")
    assert answers(cloud)[0]["order"] == {"n": 7}


def test_every_object_below_the_prefix_is_answered(cloud: Any) -> None:
    """Each object's answers are stored under its name below the prefix, with .out behind it."""
    cloud.surroundings.put("s3://bucket/in/more/b.jsonl", b'{"n": 9}')
    cloud.transform([{"n": 1}])
    assert cloud.transformed()["TransformJobStatus"] == "Completed"
    assert json.loads(cloud.surroundings.path("s3://bucket/out/more/b.jsonl.out").read_bytes())["order"] == {"n": 9}
    assert answers(cloud)[0]["order"] == {"n": 1}


def test_instances_are_processes_that_share_the_objects(cloud: Any) -> None:
    """Two instances answer four objects in two processes, each object in the one process alone."""
    for name in ("b", "c", "d"):
        cloud.surroundings.put(f"s3://bucket/in/{name}.jsonl", b'{"sleep": 0.2}\n{"sleep": 0.2}\n')
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    cloud.transform([{"sleep": 0.2}, {"sleep": 0.2}], TransformResources=machines)
    assert cloud.transformed()["TransformJobStatus"] == "Completed"
    outputs = [cloud.surroundings.path(f"s3://bucket/out/{name}.jsonl.out") for name in ("rows", "b", "c", "d")]
    pids = [{json.loads(line)["pid"] for line in output.read_text().splitlines()} for output in outputs]
    assert [len(found) for found in pids] == [1, 1, 1, 1]
    assert len(set.union(*pids)) == 2


def test_objects_beside_one_that_fails_are_answered(cloud: Any) -> None:
    """The job fails with that object's reason, and the answers to the others are stored: nobody asks them again."""
    cloud.surroundings.put("s3://bucket/in/a.jsonl", b'{"status": 400}')
    cloud.transform([{"n": 1}])
    assert "record 1 of a.jsonl" in cloud.transformed()["FailureReason"]
    assert answers(cloud)[0]["order"] == {"n": 1}
    assert not cloud.surroundings.path("s3://bucket/out/a.jsonl.out").exists()


@pytest.mark.parametrize(("status", "kind"), [(400, "ClientError"), (500, "AlgorithmError")])
def test_a_record_that_fails_fails_the_job(cloud: Any, status: int, kind: str) -> None:
    """The reason names the record, the model's status and its message; nothing is stored for the object."""
    cloud.transform([{}, {"status": status}, {}])
    job = cloud.transformed()
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        f"{kind}: See job logs for more information "
        f'(record 2 of rows.jsonl: the model answered with status {status}: {{"error": "no"}})'
    )
    assert not cloud.surroundings.path(OUTPUT).exists()
    assert any("record 2 of rows.jsonl" in line for line in cloud.surroundings.log_of(GROUP))


def test_a_model_that_crashes_fails_the_job(cloud: Any) -> None:
    """A server that goes away during a record is an AlgorithmError that names the record."""
    cloud.transform([{"crash": True}, {}])
    reason = cloud.transformed()["FailureReason"]
    assert reason.startswith("AlgorithmError: See job logs for more information (record 1 of rows.jsonl: ")
    assert "the connection to the model server broke" in reason


def test_a_model_that_does_not_load(cloud: Any) -> None:
    """A server that ends at its start fails the job with its last log lines."""
    cloud.transform([{}], model_environment={"BEHAVIOUR": "exit"})
    job = cloud.transformed()
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: See job logs for more information (the model's container")
    assert "exit code 3; last log lines: cannot load the model" in job["FailureReason"]
    assert "TransformStartTime" not in job


def test_a_ping_that_never_answers(start_cloud: Any) -> None:
    """A server that is not ready within the start time fails the job."""
    cloud = start_cloud(endpoint_start_seconds=1.0)
    cloud.transform([{}], model_environment={"BEHAVIOUR": "never ready"})
    assert "/ping did not answer 200 within 1 s" in cloud.transformed()["FailureReason"]


def test_a_record_above_the_payload_limit(cloud: Any) -> None:
    """A record longer than MaxPayloadInMB fails the job without being sent."""
    cloud.transform([{"long": "x" * 1024 * 1024}], MaxPayloadInMB=1)
    reason = cloud.transformed()["FailureReason"]
    assert "record 1 of rows.jsonl has 1048588 bytes, more than MaxPayloadInMB 1 allows" in reason


def test_a_record_that_takes_too_long(cloud: Any) -> None:
    """InvocationsTimeoutInSeconds limits each record."""
    cloud.transform([{"sleep": 5}], ModelClientConfig={"InvocationsTimeoutInSeconds": 1})
    assert "record 1 of rows.jsonl: no answer within 1 s" in cloud.transformed()["FailureReason"]


def test_no_input(cloud: Any) -> None:
    """A prefix without objects fails the job before a model is started."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/nothing/"}}
    cloud.transform([{}], TransformInput={"DataSource": source})
    assert 'No S3 objects found under S3 URL "s3://bucket/nothing/"' in cloud.transformed()["FailureReason"]


def test_an_empty_object(cloud: Any) -> None:
    """An object without a record fails the job."""
    cloud.transform([])
    assert "rows.jsonl is empty: there is no record to transform" in cloud.transformed()["FailureReason"]


@pytest.mark.parametrize(
    ("denied", "uri", "words"),
    [
        ("unreadable", "s3://bucket/in/", "Data download failed: AccessDenied"),
        ("unreadable", "s3://bucket/models/", "Failed to download model data"),
        ("unwritable", "s3://bucket/out/", "Output upload failed: AccessDenied"),
    ],
)
def test_the_models_role_needs_the_rights(cloud: Any, denied: str, uri: str, words: str) -> None:
    """Input, artifact and output are read and written with the model's role; a missing right is a ClientError."""
    getattr(cloud.surroundings, denied).add(uri)
    cloud.transform([{}])
    reason = cloud.transformed()["FailureReason"]
    assert reason.startswith("ClientError: See job logs for more information (")
    assert words in reason


def test_a_job_keeps_its_tags(cloud: Any) -> None:
    """The tags of the request are the job's."""
    cloud.transform([{}], Tags=[{"Key": "a", "Value": "b"}])
    cloud.transformed()
    assert cloud.call("ListTags", ResourceArn=ARN)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_nothing_is_left_of_a_finished_job(cloud: Any) -> None:
    """After the job its server has ended and its folder is gone; the log file stays."""
    cloud.transform([{}])
    cloud.transformed()
    pid = answers(cloud)[0]["pid"]
    cloud.until(lambda: Path(f"/proc/{pid}").exists(), lambda alive: not alive)
    assert [path for path in (cloud.settings.state_dir / "transform-jobs").rglob("*") if path.is_file()] == []
    assert "serving 1" in (cloud.settings.log_dir / "transform-jobs" / "batch.log").read_text()


def test_a_job_is_stopped(cloud: Any) -> None:
    """StopTransformJob ends the server in the middle of a record; the job is Stopped, without a reason."""
    cloud.transform([{"sleep": 60}])
    wait_for_model(cloud)
    cloud.call("StopTransformJob", TransformJobName="batch")
    job = cloud.transformed()
    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert not cloud.surroundings.path(OUTPUT).exists()
    with pytest.raises(ServiceError) as refused:
        cloud.call("StopTransformJob", TransformJobName="batch")
    assert refused.value.message == "The request was rejected because the transform job is in status Stopped."


def test_a_job_is_stopped_while_its_model_starts(cloud: Any) -> None:
    """StopTransformJob does not wait for the first good /ping."""
    cloud.transform([{}], model_environment={"BEHAVIOUR": "never ready"})
    wait_for_model(cloud)
    cloud.call("StopTransformJob", TransformJobName="batch")
    assert cloud.transformed()["TransformJobStatus"] == "Stopped"


def test_an_interrupted_job_has_failed(cloud: Any) -> None:
    """A job that was running when the service stopped is Failed afterwards, its server gone."""
    cloud.transform([{}, {"sleep": 60}])
    wait_for_model(cloud)
    cloud.restart()
    job = cloud.transformed()
    assert (job["TransformJobStatus"], job["FailureReason"]) == ("Failed", INTERRUPTED)
    assert not any(_works_below(process, cloud.settings.state_dir) for process in Path("/proc").glob("[0-9]*"))


def _works_below(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").resolve(strict=True).is_relative_to(folder)
    except OSError:
        return False


def test_jobs_are_listed_newest_first(cloud: Any) -> None:
    """ListTransformJobs gives name, status and reason, and filters by status."""
    cloud.transform([{"status": 400}])
    cloud.transformed()
    cloud.transform([{}], version="2", TransformJobName="second")
    listed = cloud.call("ListTransformJobs")["TransformJobSummaries"]
    assert [job["TransformJobName"] for job in listed] == ["second", "batch"]
    (failed,) = cloud.call("ListTransformJobs", StatusEquals="Failed")["TransformJobSummaries"]
    assert failed["TransformJobName"] == "batch" and "status 400" in failed["FailureReason"]
