"""One transform job from start to end, in a thread of its own."""

from __future__ import annotations

import logging
import shutil
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.sagemaker.common.hooks import HookError
from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.deployment import VariantSpec
from local.sagemaker.endpoints.serving_container import ContainerError, last_words, serving_command
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.processes.model_server import ModelServer, ServerDown, ServerTimeout, StartError
from local.sagemaker.state.context import Context
from local.sagemaker.transform import records as transform_records
from local.sagemaker.transform import request as transform_request
from local.sagemaker.transform.status import TransformStatus

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_INVOCATION_SECONDS = 600
_MEGABYTE = 1024 * 1024
_BODY_CHARACTERS = 400


class _JobFailed(Exception):
    """The job has to end as Failed. AWS's reason says no more than whose fault it was; what happened follows here."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: See job logs for more information ({what})")


class _JobStopped(Exception):
    """StopTransformJob came, or the service goes down."""


class TransformRun:
    """Runs one job: start the model, ask it every record, store the answers.

    Only `stop` and `join` are called from outside its thread.
    """

    def __init__(self, context: Context, scope: Scope, name: str, spec: VariantSpec) -> None:
        self._context = context
        self._scope = scope
        self._spec = spec
        self._status = TransformStatus(context, scope, name)
        self._job = self._status.read()
        self._folder = job_folder(context, scope, name)
        self._halt = threading.Event()
        self._server: ModelServer | None = None
        self._stopper: threading.Thread | None = None
        self._thread = threading.Thread(target=self._run, name=f"transform-{name}", daemon=True)
        path = context.settings.log_dir / "transform-jobs" / f"{name}.log"
        self._log = LogStream(context.outbox, scope, LOG_GROUP, f"{name}/{uuid.uuid4().hex}", path)

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the model server and with it the job; as Stopped, unless the whole service stops. Returns at once."""
        self._halt.set()
        if self._server is not None and self._stopper is None:
            grace = self._context.settings.shutdown_grace_seconds
            self._stopper = threading.Thread(target=self._server.stop, args=(grace,), daemon=True)
            self._stopper.start()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, at most `timeout` seconds."""
        self._thread.join(timeout)

    @property
    def ended(self) -> bool:
        """Whether the job has been run to its end."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            try:
                self._execute()
            finally:
                self._clean_up()
            self._finish("Completed")
        except Exception as error:
            # A request breaks off when its server is stopped: that is no failure.
            if isinstance(error, _JobStopped) or self._halt.is_set():
                self._finish("Stopped")
                return
            if not isinstance(error, _JobFailed):
                logger.exception("transform job %s", self._status.name)
                error = Exception(f"InternalServerError: {type(error).__name__}: {error}")
            self._note(f"The job failed: {error}")
            self._finish("Failed", str(error))

    def _execute(self) -> None:
        if self._job["TransformResources"]["InstanceCount"] > 1:
            self._note("InstanceCount is above 1; the local cloud runs every job on this one machine.")
        inputs = self._download()
        server = self._start_server()
        self._status.change(TransformStartTime=time.time())
        for path in inputs:
            self._transform(server, path)

    def _download(self) -> list[Path]:
        folder = self._folder / "input"
        folder.mkdir(parents=True, exist_ok=True)
        uri, role = self._job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"], self._spec.role_arn
        try:
            self._context.hooks.s3_download(uri, folder, role_arn=role)
        except HookError as error:
            raise _JobFailed("ClientError", f"Data download failed: {error}, {uri}") from error
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if not paths:
            raise _JobFailed("ClientError", f'No S3 objects found under S3 URL "{uri}"')
        return paths

    def _start_server(self) -> ModelServer:
        try:
            command = serving_command(
                self._context,
                self._scope,
                self._spec,
                home=self._folder / "home",
                contract=transform_request.variables(self._job),
            )
        except ContainerError as error:
            raise _JobFailed("ClientError", str(error)) from error
        seconds = self._context.settings.endpoint_start_seconds
        self._server = server = ModelServer(command, self._log, start_seconds=seconds, abandon=self._halt)
        try:
            server.start()
        except (StartError, OSError) as error:
            what = f"the model's container did not pass the ping health check: {error}; {last_words(self._log)}"
            raise _JobFailed("AlgorithmError", what) from error
        return server

    def _transform(self, server: ModelServer, path: Path) -> None:
        """Answer the records of one object, in their order, and store the answers."""
        relative = path.relative_to(self._folder / "input").as_posix()
        records = transform_records.split(path.read_bytes(), self._job["TransformInput"].get("SplitType", "None"))
        if not records:
            raise _JobFailed("ClientError", f"{relative} is empty: there is no record to transform")

        def ask(numbered: tuple[int, bytes]) -> bytes:
            number, record = numbered
            return self._ask(server, record, f"record {number} of {relative}")

        with ThreadPoolExecutor(max_workers=transform_request.transforms_at_a_time(self._job)) as pool:
            answers = list(pool.map(ask, enumerate(records, start=1)))
        output = self._folder / "output"
        assemble_with = self._job["TransformOutput"].get("AssembleWith", "None")
        output.write_bytes(transform_records.assemble(answers, assemble_with))
        uri = transform_records.output_uri(self._job, relative)
        try:
            self._context.hooks.s3_upload(output, uri, role_arn=self._spec.role_arn)
        except HookError as error:
            raise _JobFailed("ClientError", f"Output upload failed: {error}, {uri}") from error
        self._note(f"{relative}: {len(records)} records transformed")

    def _ask(self, server: ModelServer, record: bytes, which: str) -> bytes:
        if self._halt.is_set():
            raise _JobStopped
        limit = transform_request.payload_mb(self._job)
        if len(record) > limit * _MEGABYTE:
            raise _JobFailed("ClientError", f"{which} has {len(record)} bytes, more than MaxPayloadInMB {limit} allows")
        content_type = self._job["TransformInput"].get("ContentType", "application/octet-stream")
        headers = {"Content-Type": content_type, "Accept": self._job["TransformOutput"].get("Accept", "*/*")}
        seconds = self._job.get("ModelClientConfig", {}).get("InvocationsTimeoutInSeconds", _INVOCATION_SECONDS)
        try:
            answer = server.invoke(record, headers, seconds)
        except (ServerTimeout, ServerDown) as error:
            raise _JobFailed("AlgorithmError", f"{which}: {error}; {last_words(self._log)}") from error
        if 200 <= answer.status < 300:
            return answer.data
        kind = "ClientError" if 400 <= answer.status < 500 else "AlgorithmError"
        body = answer.data.decode("utf-8", errors="replace")[:_BODY_CHARACTERS]
        raise _JobFailed(kind, f"{which}: the model answered with status {answer.status}: {body}")

    def _clean_up(self) -> None:
        if self._server is not None:
            self._server.stop(self._context.settings.shutdown_grace_seconds)
        if self._stopper is not None:
            self._stopper.join()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _finish(self, status: str, reason: str = "") -> None:
        # While the service goes down the record stays as it is: the next start says what became of the job.
        if not self._context.stopping.is_set():
            self._context.outbox.flush()  # whoever reads the final status finds the whole log
            self._status.finish(status, reason)

    def _note(self, message: str) -> None:
        self._log.line(f"[local cloud] {message}")


def job_folder(context: Context, scope: Scope, name: str) -> Path:
    """Where the folder of a job is."""
    return context.settings.state_dir / "transform-jobs" / scope.account / scope.region / name
