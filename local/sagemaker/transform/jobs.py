"""Transform jobs: create, describe, list, stop; start the model, ask it every record, store the answers."""

import queue
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.sagemaker.common.errors import FailedError
from local.sagemaker.common.names import Scope
from local.sagemaker.common.surroundings import SurroundingsError
from local.sagemaker.endpoints.serving import VariantSpec, last_lines, resolve, serving_command
from local.sagemaker.jobs.calls import Jobs
from local.sagemaker.jobs.job import JobRecord, JobRun
from local.sagemaker.models.models import Models
from local.sagemaker.processes.model_server import ModelServer, ServerDownError, ServerTimeoutError, StartError
from local.sagemaker.state.context import Context
from local.sagemaker.transform import request as transform_request

_INVOCATION_SECONDS = 600
_MEGABYTE = 1024 * 1024
_BODY_CHARACTERS = 400


class TransformRun(JobRun):
    """Runs one transform job."""

    folders = "transform-jobs"

    def __init__(self, context: Context, record: JobRecord, spec: VariantSpec) -> None:
        super().__init__(context, record, f"{record.key.name}/{uuid.uuid4().hex}")
        self._spec = spec
        self._servers: list[ModelServer] = []
        """One for each instance."""
        self._idle: queue.SimpleQueue[ModelServer] = queue.SimpleQueue()
        self._stoppers: list[threading.Thread] = []

    def _interrupt(self) -> None:
        grace = self._context.settings.shutdown_grace_seconds
        if not self._stoppers:
            self._stoppers = [threading.Thread(target=one.stop, args=(grace,), daemon=True) for one in self._servers]
            for stopper in self._stoppers:
                stopper.start()

    def _release(self) -> None:
        for server in self._servers:
            server.stop(self._context.settings.shutdown_grace_seconds)
        for stopper in self._stoppers:
            stopper.join()

    def _ending(self, error: Exception) -> tuple[str, str]:
        # A request breaks off when the job is stopped, because its server is: that is no failure.
        return ("Stopped", "") if self._stop_requested.is_set() else super()._ending(error)

    def _execute(self) -> str:
        count = self._job["TransformResources"]["InstanceCount"]
        if count > 1:
            self._log.note(f"InstanceCount is {count}: the instances are {count} processes on this machine.")
        inputs = self._download()
        for number in range(count):
            self._idle.put(self._start_server(self._base / f"home-{number + 1}"))
        self._record.change(TransformStartTime=time.time())
        with ThreadPoolExecutor(count) as instances:
            transforms = [instances.submit(self._transform, path) for path in inputs]
        # As on AWS: one object that fails fails the job, and the answers to the others are stored.
        if failures := [error for one in transforms if (error := one.exception())]:
            raise failures[0]
        return "Completed"

    def _download(self) -> list[Path]:
        folder = self._base / "input"
        folder.mkdir(parents=True, exist_ok=True)
        uri = self._job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        with _explained("Data download", uri):
            self._context.surroundings.s3_download(uri, folder, role_arn=self._spec.role_arn)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if not paths:
            raise _failure("ClientError", f'No S3 objects found under S3 URL "{uri}"')
        return paths

    def _start_server(self, home: Path) -> ModelServer:
        self._leave_if_stopped()
        contract = transform_request.variables(self._job)
        try:
            command = serving_command(self._context, self._key.scope, self._spec, home=home, contract=contract)
        except FailedError as error:
            raise _failure("ClientError", str(error)) from error
        seconds = self._context.settings.endpoint_start_seconds
        server = ModelServer(command, self._log, start_seconds=seconds, abandon=self._stop_requested)
        self._servers.append(server)
        try:
            server.start()
        except (StartError, OSError) as error:
            what = f"the model's container did not pass the ping health check: {error}; {last_lines(self._log)}"
            raise _failure("AlgorithmError", what) from error
        return server

    def _transform(self, path: Path) -> None:
        """Let an instance that has nothing to do answer one object."""
        server = self._idle.get()
        try:
            self._answer(server, path)
        finally:
            self._idle.put(server)

    def _answer(self, server: ModelServer, path: Path) -> None:
        """Send the records of one object and store the answers in the same order."""
        relative = path.relative_to(self._base / "input").as_posix()
        records = transform_request.split(path.read_bytes(), self._job["TransformInput"].get("SplitType", "None"))
        if not records:
            raise _failure("ClientError", f"{relative} is empty: there is no record to transform")
        names = [f"record {number} of {relative}" for number in range(1, len(records) + 1)]
        answers = [self._ask(server, record, name) for record, name in zip(records, names, strict=True)]
        output, wanted = path.with_name(f"{path.name}.out"), self._job["TransformOutput"]
        output.write_bytes(transform_request.assemble(answers, wanted.get("AssembleWith", "None")))
        uri = f"{wanted['S3OutputPath'].rstrip('/')}/{relative}.out"
        with _explained("Output upload", uri):
            self._context.surroundings.s3_upload(output, uri, role_arn=self._spec.role_arn)
        self._log.note(f"{relative}: {len(records)} records transformed")

    def _ask(self, server: ModelServer, record: bytes, name: str) -> bytes:
        """Return the model's answer to one record; `name` says in a failure which one it is."""
        self._leave_if_stopped()
        limit = transform_request.payload_mb(self._job)
        if len(record) > limit * _MEGABYTE:
            raise _failure("ClientError", f"{name} has {len(record)} bytes, more than MaxPayloadInMB {limit} allows")
        content_type = self._job["TransformInput"].get("ContentType", "application/octet-stream")
        headers = {"Content-Type": content_type, "Accept": self._job["TransformOutput"].get("Accept", "*/*")}
        seconds = self._job.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", _INVOCATION_SECONDS)
        try:
            answer = server.invoke(record, headers, seconds)
        except (ServerTimeoutError, ServerDownError) as error:
            raise _failure("AlgorithmError", f"{name}: {error}; {last_lines(self._log)}") from error
        if 200 <= answer.status < 300:
            return answer.data
        kind = "ClientError" if 400 <= answer.status < 500 else "AlgorithmError"
        body = answer.data.decode("utf-8", errors="replace")[:_BODY_CHARACTERS]
        raise _failure(kind, f"{name}: the model answered with status {answer.status}: {body}")


def _failure(kind: str, what: str) -> FailedError:
    """Return a failure whose reason begins with AWS's sentence and adds, in brackets, what happened."""
    return FailedError(f"{kind}: See job logs for more information ({what})")


@contextmanager
def _explained(what: str, uri: str) -> Iterator[None]:
    try:
        yield
    except SurroundingsError as error:
        raise _failure("ClientError", f"{what} failed: {error}, {uri}") from error


class TransformJobs(Jobs):
    """The batch transform part of the control plane."""

    kind = "transform-job"
    noun = "TransformJob"
    run_class = TransformRun

    def __init__(self, context: Context, models: Models) -> None:
        super().__init__(context)
        self._models = models

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateTransformJob."""
        transform_request.check(params)
        spec = resolve(self._models, scope, {"ModelName": params["ModelName"]})
        spec = replace(spec, environment=spec.environment | params.get("Environment", {}))
        return self._begin(self.key(scope, params), params, lambda record: TransformRun(self._context, record, spec))
