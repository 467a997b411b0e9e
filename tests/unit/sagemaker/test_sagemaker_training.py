"""Training jobs from request to artifact, with tiny scripts as training code."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from local.sagemaker.common.errors import ServiceError

pytestmark = pytest.mark.integration  # real processes

WRITE_MODEL = """
    import os, pathlib
    pathlib.Path(os.environ["SM_MODEL_DIR"], "weights.bin").write_bytes(b"w" * 10)
"""
WAIT = """
    import time
    print("waiting", flush=True)
    time.sleep(60)
"""


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers()}  # type: ignore[union-attr]


def test_completed_job_uploads_its_model(cloud: Any) -> None:
    """A script that ends well leaves model.tar.gz under <OutputPath>/<job>/output/ and its URI in the description."""
    cloud.train(WRITE_MODEL)
    job = cloud.job()
    uri = "s3://bucket/models/job/output/model.tar.gz"
    assert (job["TrainingJobStatus"], job["ModelArtifacts"]) == ("Completed", {"S3ModelArtifacts": uri})
    assert members(cloud.surroundings.path(uri)) == {"weights.bin": b"w" * 10}


def test_phases_are_recorded(cloud: Any) -> None:
    """The secondary statuses follow AWS's order in the record."""
    cloud.train(WRITE_MODEL)
    transitions = cloud.job()["SecondaryStatusTransitions"]
    phases = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert [entry["Status"] for entry in transitions] == phases
    assert all(entry["EndTime"] >= entry["StartTime"] for entry in transitions[:-1])


def test_channels_are_downloaded_below_their_prefix(cloud: Any) -> None:
    """SM_CHANNEL_<NAME> holds the objects below the channel's prefix under the rest of their keys."""
    cloud.surroundings.put("s3://bucket/data/train/train.json", b"rows")
    cloud.surroundings.put("s3://bucket/data/train/deep/more.json", b"more")
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/train/"}},
    }
    script = """
        import os, pathlib
        root = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
        print(f"found {sorted(p.relative_to(root).as_posix() for p in root.rglob('*') if p.is_file())}")
    """
    cloud.train(script, InputDataConfig=[channel])
    assert cloud.job()["TrainingJobStatus"] == "Completed"
    assert "found ['deep/more.json', 'train.json']" in cloud.training_log()


def test_a_network_is_accepted_and_the_log_says_that_it_is_ignored(cloud: Any) -> None:
    """A job with VpcConfig runs, keeps it in its description, and nobody takes the local cloud's network for it."""
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    cloud.train(WRITE_MODEL, VpcConfig=network)
    assert (cloud.job()["TrainingJobStatus"], cloud.job()["VpcConfig"]) == ("Completed", network)
    assert any("VpcConfig is ignored" in line for line in cloud.training_log())


def test_log_arrives_while_the_script_runs(cloud: Any) -> None:
    """Lines of both streams reach the log group and the log file before the script has ended."""
    script = """
        import sys, time
        print("to stdout", flush=True)
        print("to stderr", file=sys.stderr, flush=True)
        time.sleep(60)
    """
    cloud.train(script)
    cloud.until(cloud.training_log, lambda lines: {"to stdout", "to stderr"} <= set(lines))
    ((group, stream),) = cloud.surroundings.logs
    assert group == "/aws/sagemaker/TrainingJobs"
    assert stream.startswith("job/algo-1-")
    assert "to stderr" in (cloud.settings.log_dir / "training-jobs" / "job.log").read_text()
    assert cloud.call("DescribeTrainingJob", TrainingJobName="job")["TrainingJobStatus"] == "InProgress"


def test_metric_definitions_are_read_from_the_log(cloud: Any) -> None:
    """CloudWatch gets every value that an expression found in the log, FinalMetricDataList the last of each."""
    definitions = [
        {"Name": "loss", "Regex": "loss=([0-9.]+)"},
        {"Name": "f1", "Regex": "f1=([0-9.]+)"},
        {"Name": "never", "Regex": "never=([0-9.]+)"},
    ]
    script = 'print("loss=0.9"); print("loss=0.25 f1=0.5")'
    cloud.train(script, AlgorithmSpecification={"MetricDefinitions": definitions})
    metrics = {entry["MetricName"]: entry["Value"] for entry in cloud.job()["FinalMetricDataList"]}
    assert metrics == {"loss": 0.25, "f1": 0.5}
    dimensions = {"TrainingJobName": "job"}
    assert cloud.surroundings.metrics == {
        ("/aws/sagemaker/TrainingJobs", "loss"): [(0.9, "None", dimensions), (0.25, "None", dimensions)],
        ("/aws/sagemaker/TrainingJobs", "f1"): [(0.5, "None", dimensions)],
    }


def test_failure_file_becomes_the_reason(cloud: Any) -> None:
    """What the script writes to output/failure is the FailureReason, with the exit code; no model is uploaded."""
    script = """
        import os, pathlib, sys
        pathlib.Path(os.environ["SM_MODEL_DIR"], "half").write_text("x")
        pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "output", "failure").write_text("column text is missing")
        sys.exit(1)
    """
    cloud.train(script)
    job = cloud.job()
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == "AlgorithmError: column text is missing, exit code: 1"
    assert "ModelArtifacts" not in job
    assert not cloud.surroundings.path("s3://bucket/models/job/output/model.tar.gz").exists()


def test_without_failure_file_the_log_explains(cloud: Any) -> None:
    """A crash without failure file is explained by the toolkit, with the error that the script printed."""
    cloud.train('raise RuntimeError("no such column")')
    reason = cloud.job()["FailureReason"]
    assert reason.startswith("AlgorithmError: ")
    # The toolkit may cut a line in two.
    assert "RuntimeError" in reason
    assert "no such column" in reason
    assert reason.endswith(", exit code: 1")


def test_death_by_signal_is_told(cloud: Any) -> None:
    """A killed script fails with the signal in the toolkit's words, and the exit code is the toolkit's."""
    cloud.train("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    reason = cloud.job()["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError:")
    assert "ExitCode -9" in reason
    assert reason.endswith(", exit code: 1")


def test_failed_job_keeps_its_output_data(cloud: Any) -> None:
    """output.tar.gz is uploaded for a failed job, too."""
    script = """
        import os, pathlib, sys
        pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "quarantine.jsonl").write_text("bad line")
        sys.exit(4)
    """
    cloud.train(script)
    assert cloud.job()["TrainingJobStatus"] == "Failed"
    assert members(cloud.surroundings.path("s3://bucket/models/job/output/output.tar.gz")) == {
        "quarantine.jsonl": b"bad line"
    }


@pytest.mark.parametrize(
    ("denied", "reason"),
    [
        ("s3://bucket/data", "ClientError: Data download failed: AccessDenied: Access Denied (channel train, s3://"),
        ("s3://bucket/code", "ClientError: Code download failed: AccessDenied: Access Denied (s3://bucket/code"),
    ],
)
def test_missing_read_right_fails_the_job(cloud: Any, denied: str, reason: str) -> None:
    """A role that may not read its data or code fails the job with AccessDenied, before anything runs."""
    cloud.surroundings.unreadable.add(denied)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/data/"}}
    cloud.surroundings.put("s3://bucket/data/train.json", b"")
    cloud.train('print("ran")', InputDataConfig=[{"ChannelName": "train", "DataSource": source}])
    assert cloud.job()["FailureReason"].startswith(reason)
    assert "ran" not in cloud.training_log()


def test_missing_write_right_fails_the_job(cloud: Any) -> None:
    """A role that may not write the artifact fails the job, and the description has no ModelArtifacts."""
    cloud.surroundings.unwritable.add("s3://bucket/models")
    cloud.train(WRITE_MODEL)
    job = cloud.job()
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed: AccessDenied: Access Denied")
    assert "ModelArtifacts" not in job


def test_role_that_cannot_be_assumed_fails_the_job(cloud: Any) -> None:
    """A role that does not trust SageMaker fails the job with its name."""
    role = "arn:aws:iam::000000000000:role/stranger"
    cloud.surroundings.untrusted_roles.add(role)
    cloud.train(WRITE_MODEL, RoleArn=role)
    assert cloud.job()["FailureReason"].startswith(f"ClientError: Could not assume role {role}.")


def test_empty_channel_fails_the_job(cloud: Any) -> None:
    """A channel without objects is an error that names the prefix."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/nothing/"}}
    cloud.train(WRITE_MODEL, InputDataConfig=[{"ChannelName": "train", "DataSource": source}])
    assert 'No S3 objects found under S3 URL "s3://bucket/nothing/"' in cloud.job()["FailureReason"]


def test_unknown_image_names_image_and_patterns(cloud: Any) -> None:
    """An image outside the map fails the job with the image and the patterns that are known."""
    cloud.train(WRITE_MODEL, AlgorithmSpecification={"TrainingImage": "acct/xgboost:1"})
    assert cloud.job()["FailureReason"] == (
        "The local cloud cannot run image acct/xgboost:1 for training. Images it knows: *training*."
    )


def test_code_that_leads_out_of_its_folder_is_refused(cloud: Any) -> None:
    """A source tarball with a member outside the folder fails the job and writes nothing outside."""
    cloud.train("", files={"../../escaped.txt": "x"})
    assert "unsafe member in sourcedir.tar.gz" in cloud.job()["FailureReason"]
    assert not list(cloud.settings.state_dir.rglob("escaped.txt"))


def test_missing_entry_point_is_named(cloud: Any) -> None:
    """A sagemaker_program that is not in the tarball fails the job; the reason names it."""
    cloud.train("", HyperParameters={"sagemaker_program": "fit.py"})
    assert "there is no fit.py at the root of s3://bucket/code/job/" in cloud.job()["FailureReason"]


def test_what_was_saved_before_a_stop_is_uploaded(cloud: Any) -> None:
    """StopTrainingJob ends the job as Stopped; as in AWS's image, SIGTERM does not reach the script."""
    script = """
        import os, pathlib, signal, time
        model = pathlib.Path(os.environ["SM_MODEL_DIR"])
        signal.signal(signal.SIGTERM, lambda *_: (model / "told").touch())
        (model / "partial").write_text("saved")
        print("waiting")
        time.sleep(60)
    """
    cloud.train(script)
    cloud.until(cloud.training_log, lambda lines: "waiting" in lines)
    cloud.call("StopTrainingJob", TrainingJobName="job")
    assert cloud.call("DescribeTrainingJob", TrainingJobName="job")["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = cloud.job()
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job
    assert members(cloud.surroundings.path(job["ModelArtifacts"]["S3ModelArtifacts"])) == {"partial": b"saved"}


def test_a_stopped_script_goes_on_for_the_grace_period(start_cloud: Any) -> None:
    """A script that ends within the grace period is not killed, and its job is Stopped with its model."""
    cloud = start_cloud(stop_grace_seconds=15.0)
    script = """
        import os, pathlib, time
        print("waiting")
        time.sleep(1)
        pathlib.Path(os.environ["SM_MODEL_DIR"], "whole").write_text("done")
    """
    cloud.train(script)
    cloud.until(cloud.training_log, lambda lines: "waiting" in lines)
    cloud.call("StopTrainingJob", TrainingJobName="job")
    job = cloud.job()
    assert job["TrainingJobStatus"] == "Stopped"
    assert members(cloud.surroundings.path(job["ModelArtifacts"]["S3ModelArtifacts"])) == {"whole": b"done"}


def test_stop_kills_the_script_and_its_children(start_cloud: Any) -> None:
    """A stopped script is killed after the grace period, together with its children."""
    cloud = start_cloud(stop_grace_seconds=0.3)
    script = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(f"child {child.pid}", flush=True)
        time.sleep(60)
    """
    cloud.train(script)
    lines = cloud.until(cloud.training_log, lambda lines: any(line.startswith("child ") for line in lines))
    pid = next(line for line in lines if line.startswith("child ")).split()[1]
    cloud.call("StopTrainingJob", TrainingJobName="job")
    assert cloud.job()["TrainingJobStatus"] == "Stopped"
    cloud.until(lambda: _alive(pid), lambda alive: not alive)


def test_runtime_limit_ends_the_job(start_cloud: Any) -> None:
    """MaxRuntimeInSeconds ends the job as Stopped with MaxRuntimeExceeded."""
    cloud = start_cloud(stop_grace_seconds=0.3)
    cloud.train(WAIT, StoppingCondition={"MaxRuntimeInSeconds": 1})
    job = cloud.job()
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_stopping_twice_is_refused(start_cloud: Any) -> None:
    """Only a running job can be stopped; the error names its status."""
    cloud = start_cloud(stop_grace_seconds=0.3)
    cloud.train(WRITE_MODEL)
    cloud.job()
    with pytest.raises(ServiceError) as refused:
        cloud.call("StopTrainingJob", TrainingJobName="job")
    assert refused.value.message == "The request was rejected because the training job is in status Completed."


def test_name_is_unique(cloud: Any) -> None:
    """A second job of the same name is ResourceInUse, even after the first has ended."""
    cloud.train(WRITE_MODEL)
    cloud.job()
    with pytest.raises(ServiceError) as refused:
        cloud.train(WRITE_MODEL)
    assert refused.value.code == "ResourceInUse"
    assert "(arn:aws:sagemaker:us-east-1:000000000000:training-job/job)" in refused.value.message


def test_limit_of_jobs_at_a_time(start_cloud: Any) -> None:
    """One job above the limit is ResourceLimitExceeded."""
    cloud = start_cloud(max_training_jobs=1)
    cloud.train(WAIT, name="first")
    with pytest.raises(ServiceError) as refused:
        cloud.train(WAIT, name="second")
    assert refused.value.code == "ResourceLimitExceeded"
    assert "'ml.m5.large for training job usage' is 1 Instances" in refused.value.message


def test_checkpoints_travel_from_job_to_job(cloud: Any) -> None:
    """CheckpointConfig brings earlier checkpoints in and takes new ones out, apart from the model."""
    cloud.surroundings.put("s3://bucket/checkpoints/step-1/state", b"one")
    script = """
        import os, pathlib
        folder = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "checkpoints")
        print("resuming from " + (folder / "step-1" / "state").read_text())
        (folder / "step-2").mkdir()
        (folder / "step-2" / "state").write_text("two")
    """
    cloud.train(script, CheckpointConfig={"S3Uri": "s3://bucket/checkpoints"})
    job = cloud.job()
    assert "resuming from one" in cloud.training_log()
    assert cloud.surroundings.path("s3://bucket/checkpoints/step-2/state").read_bytes() == b"two"
    assert members(cloud.surroundings.path(job["ModelArtifacts"]["S3ModelArtifacts"])) == {}


SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
    "CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints/run", "LocalPath": "/opt/ml/checkpoints"},
}


def test_a_spot_job_goes_on_where_the_stopped_one_was(cloud: Any) -> None:
    """What a job saved before it was stopped is there for the next job with the same checkpoint path."""
    script = """
        import os, pathlib, sys, time
        state = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "checkpoints", "step-7", "state")
        if state.exists():
            print("going on from " + state.read_text())
            sys.exit(0)
        state.parent.mkdir()
        state.write_text("seven")
        print("waiting", flush=True)
        time.sleep(60)
    """
    cloud.train(script, name="first", **SPOT)
    cloud.until(cloud.training_log, lambda lines: "waiting" in lines)
    cloud.call("StopTrainingJob", TrainingJobName="first")
    assert cloud.job("first")["TrainingJobStatus"] == "Stopped"
    cloud.train(script, name="second", **SPOT)
    assert cloud.job("second")["TrainingJobStatus"] == "Completed"
    assert "going on from seven" in cloud.training_log()


def test_a_spot_job_says_how_long_it_trained_and_what_is_billed(cloud: Any) -> None:
    """Both times are equal whole seconds, because no instance is ever interrupted here."""
    cloud.train("import time; time.sleep(1.2)", **SPOT)
    job = cloud.job()
    assert job["EnableManagedSpotTraining"] is True
    assert 1 <= job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] <= 20


@pytest.mark.parametrize(
    ("files", "lacking"),
    [
        ({"requirements.txt": "pip\n# a comment\nno-such-package-at-all==1.0\n"}, "no-such-package-at-all==1.0"),
        ({"requirements.txt": "pip<1\n"}, "pip<1"),
        ({"requirements.txt": "-r more.txt\n", "more.txt": "no-such-package-at-all\n"}, "no-such-package-at-all"),
    ],
)
def test_unmet_requirements_fail_the_job(cloud: Any, files: dict[str, str], lacking: str) -> None:
    """What the interpreter lacks is named in the reason, which says what to do; nothing is installed."""
    cloud.train('print("ran")', files=files)
    reason = cloud.job()["FailureReason"]
    assert reason.startswith("AlgorithmError: InstallRequirementsError: the local cloud installs nothing.")
    assert f"No matching distribution found for {lacking}" in reason
    assert "ran" not in cloud.training_log()


def test_met_requirements_change_nothing(cloud: Any) -> None:
    """The toolkit's pip finds what the interpreter has, and the script runs, with an index for its own downloads."""
    script = 'import os; print("no index" if "PIP_NO_INDEX" in os.environ else "ran")'
    cloud.train(script, files={"requirements.txt": "pip\npytest>=1\n"})
    assert cloud.job()["TrainingJobStatus"] == "Completed"
    assert {"ran"} < set(cloud.training_log())
    assert not [line for line in cloud.training_log() if "asks for" in line or "Successfully installed" in line]


def test_job_folder_is_removed(cloud: Any) -> None:
    """A finished job leaves no folder behind."""
    cloud.train(WRITE_MODEL)
    cloud.job()
    folder = cloud.settings.state_dir / "jobs" / "000000000000" / "us-east-1"
    assert cloud.until(lambda: list(folder.iterdir()), lambda left: left == []) == []


def test_broken_hook_is_an_internal_error(cloud: Any) -> None:
    """An unexpected error inside the local cloud fails the job instead of leaving it InProgress."""
    cloud.surroundings.broken.add("credentials_for")
    cloud.train(WRITE_MODEL)
    assert cloud.job()["FailureReason"] == "InternalServerError: ZeroDivisionError: oops"


def test_failing_log_hook_does_not_harm_the_job(cloud: Any) -> None:
    """A failed delivery of logs has no other effect."""
    cloud.surroundings.broken.add("put_log")
    cloud.train('print("ran")')
    assert cloud.job()["TrainingJobStatus"] == "Completed"
    assert "ran" in (cloud.settings.log_dir / "training-jobs" / "job.log").read_text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AlgorithmSpecification": {"ContainerEntrypoint": ["/bin/sh"]}}, "ContainerEntrypoint"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}, "Pipe"),
        ({"AlgorithmSpecification": {"MetricDefinitions": [{"Name": "m", "Regex": "("}]}}, "metric m"),
        ({"OutputDataConfig": {"S3OutputPath": "s3://bucket/m", "CompressionType": "NONE"}}, "CompressionType NONE"),
        ({"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/data"}}, "LocalPath other than /opt/ml/checkpoints"),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds"),
    ],
)
def test_what_is_not_supported_is_refused_at_once(cloud: Any, change: dict[str, Any], words: str) -> None:
    """A feature that the local cloud lacks is a ValidationException that names it, and no job is created."""
    with pytest.raises(ServiceError) as refused:
        cloud.train(WRITE_MODEL, **change)
    assert refused.value.code == "ValidationException"
    assert words in refused.value.message
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []


def test_describe_unknown_job(cloud: Any) -> None:
    """An unknown job is a ValidationException, as on AWS."""
    with pytest.raises(ServiceError) as missing:
        cloud.call("DescribeTrainingJob", TrainingJobName="nobody")
    assert (missing.value.code, missing.value.message) == ("ValidationException", "Requested resource not found.")


def _alive(pid: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
