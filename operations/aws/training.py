"""The training workflow, a Step Functions state machine: start it, follow it and its job's log, read the verdict."""

import io
import json
import re
import sys
import tarfile
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from operations.aws import executions
from operations.aws.deployment import Deployment
from operations.console import note, say
from operations.errors import OperationError
from text_classifier.terminal import shown

MACHINE = "StateMachineArn"
CHECKED = "Checked"
CHECK_STATE, INGEST_STATE = "Check input", "Ingest data"  # as the training stack names them
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
PROGRESS = re.compile(r"epoch=\S+ step=")  # how training_job/train.py begins its progress lines
SECONDS_BETWEEN_PROGRESS = 5.0
SECONDS_BETWEEN_LOOKS = 1.5


def start_or_join(deployment: Deployment, overrides: dict[str, Any]) -> str:
    """Start the workflow with this input, or join the run under way that has the same; return the execution's ARN."""
    machine = deployment.output(MACHINE)
    execution = executions.running(deployment, machine)
    if execution is None:
        execution = executions.start(deployment, machine, overrides)
        say(f"Started {execution}")
    elif executions.input_of(deployment, execution) != overrides:
        raise OperationError(
            f"Another run is under way, with another input: {execution}.",
            hint="wait for it (make logs shows it), or stop it in the Step Functions console",
        )
    else:
        say(f"Following the run under way: {execution}")
    return execution


def follow(deployment: Deployment, execution: str) -> dict[str, str]:
    """Show the execution's states and its training job's log until it ends, and return its `result`."""
    log: TrainingLog | TuningProgress | None = None

    def show(event: executions.Event) -> None:
        nonlocal log
        if state := executions.entered(event):
            say(f"  state {state}")
        request = executions.left_with(event, CHECK_STATE)
        if "job_name" in request:
            tunes = request["mode"] == "tune"
            say(f"  {'tuning' if tunes else 'training'} job {request['job_name']}")
            log = (TuningProgress if tunes else TrainingLog)(deployment, request["job_name"])
        data = executions.left_with(event, INGEST_STATE)
        if "source" in data:
            say(f"  data from {data['source']}")
            if data["fell_back"]:
                say(f"  NOTE: the bundled synthetic data set stands in: {data['reason']}")

    return result(executions.follow(deployment, execution, show, lambda: log.show_new() if log else None))


def result(description: dict[str, Any]) -> dict[str, str]:
    """Return of a finished execution `package` (its ARN), `status` and `summary`, which begins with the status."""
    if description["status"] != executions.SUCCEEDED:
        raise OperationError(
            f"The training workflow ended {description['status']}: {executions.why(description)}",
            hint="fix what it names and `make train` again; `make logs` shows the job's last lines. "
            "The released model is not touched.",
        )
    output = json.loads(description["output"])
    if "verdict" not in output:  # an input with `dry_run`
        return {"package": "", "status": CHECKED, "summary": "The input is good; nothing was trained."}
    return {"package": output["model_package_arn"], **{name: output["verdict"][name] for name in ("status", "summary")}}


def wait_for(deployment: Deployment, job_name: str) -> str:
    """Show the log of a job that no workflow started until it has completed, and return its artifact's address."""
    log, client = TrainingLog(deployment, job_name), deployment.client("sagemaker")
    while True:
        job = client.describe_training_job(TrainingJobName=job_name)
        log.show_new()
        if job["TrainingJobStatus"] in ("Failed", "Stopped"):
            raise OperationError(
                f"Training job {job_name} {job['TrainingJobStatus']}: {job.get('FailureReason', '')}",
                hint="fix what it names and launch again",
            )
        if job["TrainingJobStatus"] == "Completed":
            return str(job["ModelArtifacts"]["S3ModelArtifacts"])
        time.sleep(SECONDS_BETWEEN_LOOKS)


def files_in(deployment: Deployment, uri: str, endings: tuple[str, ...]) -> dict[str, bytes]:
    """Return those files of a job's archive in S3 whose names end so; none where there is no archive."""
    place, files, s3 = urlsplit(uri), dict[str, bytes](), deployment.client("s3")
    with suppress(s3.exceptions.NoSuchKey):
        packed = s3.get_object(Bucket=place.netloc, Key=place.path[1:])["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
            for member in archive:
                if member.name.endswith(endings) and (file := archive.extractfile(member)):
                    files[member.name.removeprefix("./")] = file.read()
    return files


class TrainingLog:
    """Prints what is new in the log of one training job, its progress lines not too often."""

    def __init__(self, deployment: Deployment, job_name: str) -> None:
        self._logs = deployment.client("logs")
        self._streams = f"{job_name}/"  # and algo-1-…
        self._seen: set[str] = set()
        self._since = 0
        self._last_progress = 0.0

    def show_new(self) -> None:
        """Print the lines that came since the last call."""
        try:
            pages = self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=LOG_GROUP, logStreamNamePrefix=self._streams, startTime=self._since
            )
            events = [event for page in pages for event in page["events"]]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return  # the group appears with the first line
            raise
        for event in events:
            # The local cloud's emulator answers the whole group, whatever prefix is asked for.
            if event["eventId"] in self._seen or not event["logStreamName"].startswith(self._streams):
                continue
            self._seen.add(event["eventId"])
            self._since = max(self._since, event["timestamp"])
            self._print(shown(event["message"].rstrip()))

    def _print(self, line: str) -> None:
        if PROGRESS.match(line):
            now = time.monotonic()
            if sys.stderr.isatty():
                note(line)
                return
            if now - self._last_progress < SECONDS_BETWEEN_PROGRESS:
                return
            self._last_progress = now
        say(f"    {line}")


class TuningProgress:
    """Prints how far a tuning job is and its best trial so far, whenever that changes."""

    def __init__(self, deployment: Deployment, job_name: str) -> None:
        self._sagemaker, self._name, self._last = deployment.client("sagemaker"), job_name, ""

    def show_new(self) -> None:
        """Print what changed since the last call."""
        try:
            job = self._sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=self._name)
        except ClientError:  # not yet
            return
        ended = [f"{many} {name}" for name, many in sorted(job["TrainingJobStatusCounters"].items()) if many]
        trials = job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
        line = f"    {trials} trials: {', '.join(ended)}"
        if best := job.get("BestTrainingJob"):
            values = " ".join(f"{name}={value}" for name, value in sorted(best["TunedHyperParameters"].items()))
            line += f"; best so far {best['FinalHyperParameterTuningJobObjectiveMetric']['Value']:.4f} with {values}"
        if line != self._last:
            say(line)
        self._last = line
