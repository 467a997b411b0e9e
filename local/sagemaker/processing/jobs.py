"""Processing jobs: create, describe, list, stop; fetch the inputs, run the command, store the outputs.

The folder of a job stands for /opt/ml, in the command too: a path below /opt/ml becomes one below that folder.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.sagemaker.common.errors import FailedError, UnsupportedError, shortened
from local.sagemaker.common.names import Scope
from local.sagemaker.jobs.calls import Jobs
from local.sagemaker.jobs.job import JobRecord, JobRun, explained
from local.sagemaker.processes.child_environment import base_environment, role_environment
from local.sagemaker.processes.child_process import ISOLATED, ChildProcess, Command
from local.sagemaker.state.context import Context

_MOUNTED = "/opt/ml/"
_MESSAGE_BYTES = 1024
_ALONE = {"S3DataType": "S3Prefix", "S3InputMode": "File", "S3UploadMode": "EndOfJob"}
"""Members of inputs and outputs that may have one value here."""


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
        inputs, outputs = (_parts(self._job, member) for member in ("S3Input", "S3Output"))
        for part in inputs:
            self._leave_if_stopped()
            with explained("Data download", part["S3Uri"]):
                found = self._context.surroundings.s3_download(
                    part["S3Uri"], self._place(part), role_arn=self._job["RoleArn"]
                )
            if not found:
                uri = part["S3Uri"]
                raise FailedError(f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}"')
        places = [(self._place(part), part["S3Uri"].rstrip("/")) for part in outputs]
        self._run_command()
        for folder, uri in places:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                target = f"{uri}/{path.relative_to(folder).as_posix()}"
                with explained("Output upload", target):
                    self._context.surroundings.s3_upload(path, target, role_arn=self._job["RoleArn"])
        return "Completed"

    def _run_command(self) -> None:
        """Run the command to its end; what it leaves as its message goes into the record. Raises FailedError."""
        command = self._command()
        self._leave_if_stopped()
        self._record.change(ProcessingStartTime=time.time())
        child = ChildProcess(command, self._log.line, self._wake.set)
        self._wake.wait()
        code = child.stop(self._context.settings.stop_grace_seconds)
        if (message := self._base / "output" / "message").is_file():
            text = message.read_bytes()[:_MESSAGE_BYTES].decode("utf-8", errors="ignore")
            self._record.change(ExitMessage=text)
        self._leave_if_stopped()
        if code:
            raise FailedError(f"AlgorithmError: See job logs for more information, exit code: {code}")

    def _command(self) -> Command:
        application, settings = self._job["AppSpecification"], self._context.settings
        rule = settings.image_rule(application["ImageUri"], "training")
        isolated = self._job.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
        aws = {} if isolated else role_environment(self._context, self._job["RoleArn"], self._key.scope.region)
        words = [*application["ContainerEntrypoint"], *application.get("ContainerArguments", [])]
        (self._base / "output").mkdir(parents=True, exist_ok=True)
        image = base_environment(settings, rule, home=self._base / "home")
        return Command(
            words=[*(ISOLATED if isolated else ()), *(word.replace(_MOUNTED, f"{self._base}/") for word in words)],
            cwd=self._base,
            environment={**image, **aws, **self._job.get("Environment", {})},
        )

    def _place(self, part: Mapping[str, Any]) -> Path:
        folder = self._base / str(part["LocalPath"]).removeprefix(_MOUNTED)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


class ProcessingJobs(Jobs):
    """The processing part of the control plane."""

    kind = "processing-job"
    noun = "ProcessingJob"
    run_class = ProcessingRun

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateProcessingJob."""
        for problem in _unsupported(params):
            raise UnsupportedError(f"this in a processing job: {problem}")
        return self._begin(self.key(scope, params), params, lambda record: ProcessingRun(self._context, record))


def _parts(job: Mapping[str, Any], member: str) -> list[dict[str, Any]]:
    """Return the inputs or the outputs."""
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [part.get(member, {}) for part in (outputs if member == "S3Output" else job.get("ProcessingInputs", []))]


def _unsupported(params: Mapping[str, Any]) -> Iterator[str]:
    if not params["AppSpecification"].get("ContainerEntrypoint"):
        yield "no AppSpecification.ContainerEntrypoint; an image's own command is not run"
    if (count := params["ProcessingResources"]["ClusterConfig"]["InstanceCount"]) > 1:
        yield f"InstanceCount {count}; use 1"
    if params.get("StoppingCondition"):
        yield "StoppingCondition; leave it out"
    for part in (part for member in ("S3Input", "S3Output") for part in _parts(params, member)):
        local = part.get("LocalPath", "")
        if not local.startswith(f"{_MOUNTED}processing/") or ".." in Path(local).parts:
            yield f"LocalPath {shortened(local, 100)}; use one below {_MOUNTED}processing/"
        yield from (f"{name} {part[name]}; use {one}" for name, one in _ALONE.items() if part.get(name, one) != one)
