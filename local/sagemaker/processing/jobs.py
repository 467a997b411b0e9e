"""Processing jobs: create, describe, list, stop; fetch the inputs, run the command, store the outputs.

The folder of a job stands for /opt/ml, in the command too: a path below /opt/ml becomes one below that folder.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.sagemaker.common.errors import FailedError, UnsupportedError, shortened
from local.sagemaker.common.names import Scope
from local.sagemaker.common.surroundings import SurroundingsError
from local.sagemaker.jobs.calls import Jobs
from local.sagemaker.jobs.job import JobRecord, JobRun
from local.sagemaker.processes.child_environment import base_environment, role_environment
from local.sagemaker.processes.child_process import ISOLATED, ChildProcess, Command
from local.sagemaker.state.context import Context

_MOUNTED = "/opt/ml/"
_PLACE = f"{_MOUNTED}processing/"
"""Where AWS lets inputs and outputs lie."""
_ALONE = {"S3DataType": "S3Prefix", "S3InputMode": "File", "S3UploadMode": "EndOfJob"}
"""Members of inputs and outputs that may have one value here."""
_MESSAGE_BYTES = 1024
_LONGEST_SECONDS = 86_400


class ProcessingRun(JobRun):
    """Runs one processing job."""

    folders = "processing-jobs"

    def __init__(self, context: Context, record: JobRecord) -> None:
        super().__init__(context, record, f"{record.key.name}/algo-1-{uuid.uuid4().hex}")
        self._wake = threading.Event()
        """Set when the command has ended or has to end."""

    def _interrupt(self) -> None:
        self._wake.set()

    def _execute(self) -> str:
        command = self._command()
        for given in self._job.get("ProcessingInputs", []):
            self._leave_if_stopped()
            self._download(given["S3Input"])
        outputs = self._job.get("ProcessingOutputConfig", {}).get("Outputs", [])
        for output in outputs:
            self._place(output["S3Output"]).mkdir(parents=True, exist_ok=True)
        self._leave_if_stopped()
        self._record.change(ProcessingStartTime=time.time())
        self._run_command(command)
        for output in outputs:
            self._upload(output["S3Output"])
        return "Completed"

    def _command(self) -> Command:
        application, home = self._job["AppSpecification"], self._base / "home"
        rule = self._context.settings.image_rule(application["ImageUri"], "training")
        isolated = self._job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
        aws = {} if isolated else role_environment(self._context, self._job["RoleArn"], self._key.scope.region)
        words = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
        (self._base / "output").mkdir(parents=True, exist_ok=True)
        return Command(
            words=[*(ISOLATED if isolated else ()), *(word.replace(_MOUNTED, f"{self._base}/") for word in words)],
            cwd=self._base,
            environment={
                **base_environment(self._context.settings, rule, home=home),
                **aws,
                **self._job.get("Environment", {}),
            },
        )

    def _run_command(self, command: Command) -> None:
        """Run the command to its end; what it leaves as its message goes into the record. Raises FailedError."""
        child = ChildProcess(command, self._log.line, self._wake.set)
        limit = self._job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _LONGEST_SECONDS)
        in_time = self._wake.wait(limit)
        code = child.stop(self._context.settings.stop_grace_seconds)
        if (message := self._base / "output" / "message").is_file():
            text = message.read_bytes()[:_MESSAGE_BYTES].decode("utf-8", errors="ignore")
            self._record.change(ExitMessage=text)
        self._leave_if_stopped()
        if not in_time:
            raise FailedError(f"ClientError: it ran longer than MaxRuntimeInSeconds ({limit}) allows")
        if code:
            raise FailedError(f"AlgorithmError: See job logs for more information, exit code: {code}")

    def _download(self, given: Mapping[str, Any]) -> None:
        folder, uri = self._place(given), given["S3Uri"]
        folder.mkdir(parents=True, exist_ok=True)
        with _explained("Data download", uri):
            found = self._context.surroundings.s3_download(uri, folder, role_arn=self._job["RoleArn"])
        if not found:
            raise FailedError(f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}"')

    def _upload(self, output: Mapping[str, Any]) -> None:
        folder = self._place(output)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            uri = f"{output['S3Uri'].rstrip('/')}/{path.relative_to(folder).as_posix()}"
            with _explained("Output upload", uri):
                self._context.surroundings.s3_upload(path, uri, role_arn=self._job["RoleArn"])

    def _place(self, part: Mapping[str, Any]) -> Path:
        return self._base / str(part["LocalPath"]).removeprefix(_MOUNTED)


@contextmanager
def _explained(what: str, uri: str) -> Iterator[None]:
    try:
        yield
    except SurroundingsError as error:
        raise FailedError(f"ClientError: {what} failed: {error} ({uri})") from error


class ProcessingRecord(JobRecord):
    """The record of one processing job."""

    activity = "Processing"

    def _phase_members(self, phase: str) -> dict[str, Any]:
        return {"ProcessingJobStatus": phase}


class ProcessingJobs(Jobs):
    """The processing part of the control plane."""

    kind = "processing-job"
    noun = "ProcessingJob"
    taken = "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
    record_class = ProcessingRecord
    run_class = ProcessingRun
    first_phase = "InProgress"

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateProcessingJob."""
        for problem in _unsupported(params):
            raise UnsupportedError(f"this in a processing job: {problem}")
        return self._begin(self.key(scope, params), params, lambda record: ProcessingRun(self._context, record))


def _unsupported(params: Mapping[str, Any]) -> Iterator[str]:
    if not params["AppSpecification"].get("ContainerEntrypoint"):
        yield "no AppSpecification.ContainerEntrypoint; an image's own command is not run"
    if (count := params["ProcessingResources"]["ClusterConfig"]["InstanceCount"]) > 1:
        yield f"InstanceCount {count}; use 1"
    outputs = params.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for part in [*params.get("ProcessingInputs", []), *outputs]:
        place = part.get("S3Input") or part.get("S3Output") or {}
        if not place.get("S3Uri", "").startswith("s3://"):
            yield "an input or output that is not at s3://bucket/prefix"
        local = place.get("LocalPath", "")
        if not local.startswith(_PLACE) or ".." in Path(local).parts:
            yield f"LocalPath {shortened(local, 100)}; use one below {_PLACE}"
        for name, wanted in _ALONE.items():
            if place.get(name, wanted) != wanted:
                yield f"{name} {place[name]}; use {wanted}"
