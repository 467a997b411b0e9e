"""One training job from start to end, in a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from local.sagemaker.common.scope import Scope
from local.sagemaker.processes.child_process import ChildProcess
from local.sagemaker.processes.images import UnknownImage, find_rule
from local.sagemaker.processes.log_stream import LogStream
from local.sagemaker.state import archives
from local.sagemaker.state.context import Context
from local.sagemaker.training import container as training_container
from local.sagemaker.training import transfer as training_transfer
from local.sagemaker.training.container import ContractError, JobFolder
from local.sagemaker.training.metric_definitions import MetricScanner
from local.sagemaker.training.record import TrainingRecord, shortened
from local.sagemaker.training.setup import build_environment, unmet_requirements
from local.sagemaker.training.transfer import CheckpointSync, TransferError

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_METRIC_SECONDS = 1.0
_MESSAGE_LENGTH = 900


class _JobFailed(Exception):
    """The job has to end as Failed; the message is the FailureReason."""


class _JobStopped(Exception):
    """StopTrainingJob came before the script ran."""


class TrainingRun:
    """Runs one job: download, train, upload. Only `stop`, `shut_down` and `join` are called from outside its thread."""

    def __init__(self, context: Context, scope: Scope, name: str) -> None:
        self._context = context
        self._scope = scope
        self._record = TrainingRecord(context, scope, name)
        self._job = self._record.read()
        self._folder = JobFolder(job_folder(context, scope, name))
        self._metrics = MetricScanner(self._job["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._metrics_saved = 0.0
        self._started = False
        self._stop_requested = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"training-{name}", daemon=True)
        self._log = LogStream(
            context.outbox,
            scope,
            LOG_GROUP,
            f"{name}/algo-1-{int(time.time())}",
            context.settings.log_dir / "training-jobs" / f"{name}.log",
        )

    def start(self) -> None:
        """Begin in the background."""
        self._thread.start()
        self._started = True

    def stop(self) -> None:
        """StopTrainingJob: SIGTERM, after the grace period SIGKILL. Returns at once."""
        self._stop_requested.set()
        self._wake.set()

    def shut_down(self) -> None:
        """The service ends (`context.stopping` is set): kill the script, leave the record as it is. Returns at once."""
        self._wake.set()

    def join(self, timeout: float) -> None:
        """Wait for the end of the thread, at most `timeout` seconds."""
        self._thread.join(timeout)

    @property
    def ended(self) -> bool:
        """Whether the job has been run to its end."""
        return self._started and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._execute()
        except _JobStopped:
            if not self._context.stopping.is_set():
                self._finish("Stopped", "Stopped")
        except (_JobFailed, ContractError, TransferError, UnknownImage) as error:
            self._fail(str(error))
        except Exception as error:
            logger.exception("training job %s", self._record.name)
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            self._log.close()
            if not self._context.settings.keep_job_folders:
                shutil.rmtree(self._folder.base, ignore_errors=True)

    def _execute(self) -> None:
        hooks, job = self._context.hooks, self._job
        rule = find_rule(self._context.settings.images, job["AlgorithmSpecification"]["TrainingImage"], "training")
        program, source = training_container.entry_point(job)
        self._folder.create(job)
        checkpoints = CheckpointSync(hooks, job, self._folder)
        environment = build_environment(self._context, self._scope, job, self._folder, rule, self._note)
        self._enter("Downloading")
        checkpoints.download()
        for channel in job.get("InputDataConfig", []):
            self._leave_if_stopped()
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            training_transfer.download_channel(hooks, job, self._folder, channel["ChannelName"], uri)
        training_transfer.download_code(hooks, job, self._folder, source)
        if not (self._folder.code / program).is_file():
            raise _JobFailed(f"AlgorithmError: there is no {program} at the root of {source}.")
        if problems := unmet_requirements(rule, self._folder, environment):
            self._note(
                "requirements.txt asks for what the interpreter of this image lacks; the local cloud installs nothing: "
                + "; ".join(problems)
            )
        self._enter("Training", TrainingStartTime=time.time())
        checkpoints.start()
        try:
            ending = self._train(training_container.command(job, rule.python, program), environment)
        except _JobFailed:
            with contextlib.suppress(TransferError):
                checkpoints.finish()
            raise
        if not self._context.stopping.is_set():
            checkpoints.finish()
            self._deliver(ending)

    def _train(self, command: list[str], environment: dict[str, str]) -> str:
        """Run the script; returns how the job ends: Completed, Stopped or MaxRuntimeExceeded."""
        self._leave_if_stopped()
        settings = self._context.settings
        deadline = time.monotonic() + self._job["StoppingCondition"]["MaxRuntimeInSeconds"]
        child = ChildProcess(
            command, cwd=self._folder.code, environment=environment, on_line=self._line, on_exit=self._wake.set
        )
        while child.running:
            if self._context.stopping.is_set():
                child.stop(settings.shutdown_grace_seconds)
                return "Stopped"
            if self._stop_requested.is_set():
                child.stop(settings.stop_grace_seconds)
                return "Stopped"
            if time.monotonic() >= deadline:
                self._enter("Stopping", TrainingJobStatus="Stopping")
                child.stop(settings.stop_grace_seconds)
                return "MaxRuntimeExceeded"
            # The flags are read after `clear`, so that none set in between is missed.
            self._wake.clear()
            if child.running and not self._stop_requested.is_set() and not self._context.stopping.is_set():
                self._wake.wait(max(0.0, deadline - time.monotonic()))
        code = child.wait()
        if self._context.stopping.is_set():
            return "Stopped"
        if code != 0:
            raise _JobFailed(self._algorithm_error(code or 0))
        return "Completed"

    def _deliver(self, ending: str) -> None:
        """Upload the artifacts and end the job."""
        hooks, job = self._context.hooks, self._job
        self._record.change(FinalMetricDataList=self._metrics.final())
        self._enter("Uploading")
        if ending == "Completed" or archives.holds_files(self._folder.model):
            uri = training_transfer.upload_archive(hooks, job, self._folder, self._folder.model, "model.tar.gz")
            self._record.change(ModelArtifacts={"S3ModelArtifacts": uri})
        if archives.holds_files(self._folder.output_data):
            training_transfer.upload_archive(hooks, job, self._folder, self._folder.output_data, "output.tar.gz")
        self._finish("Completed" if ending == "Completed" else "Stopped", ending)

    def _fail(self, reason: str) -> None:
        if self._context.stopping.is_set():
            return
        self._note(f"The job failed: {reason}")
        try:
            if archives.holds_files(self._folder.output_data):
                training_transfer.upload_archive(
                    self._context.hooks, self._job, self._folder, self._folder.output_data, "output.tar.gz"
                )
        except (TransferError, OSError) as error:
            self._note(f"output.tar.gz was not uploaded: {error}")
        self._record.change(FinalMetricDataList=self._metrics.final())
        self._finish("Failed", "Failed", reason)

    def _finish(self, status: str, secondary: str, reason: str = "") -> None:
        # Whoever reads the final status finds the whole log.
        self._context.outbox.flush()
        self._record.finish(status, secondary, reason)

    def _algorithm_error(self, code: int) -> str:
        try:
            reason = self._folder.failure.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            reason = ""
        if not reason:
            killed = " (killed; often for lack of memory)" if code == 137 else ""
            reason = f"ExecuteUserScriptError: ExitCode {code}{killed}, last log lines: " + " | ".join(self._log.tail())
        return f"AlgorithmError: {shortened(reason, _MESSAGE_LENGTH)}, exit code: {code}"

    def _line(self, line: str) -> None:
        self._log.line(line)
        if self._metrics.scan(line) and time.monotonic() - self._metrics_saved > _METRIC_SECONDS:
            self._metrics_saved = time.monotonic()
            self._record.change(FinalMetricDataList=self._metrics.final())

    def _note(self, message: str) -> None:
        self._log.line(f"[local cloud] {message}")

    def _enter(self, secondary: str, **changes: Any) -> None:
        self._leave_if_stopped(also_user=secondary in ("Downloading", "Training"))
        self._record.enter(secondary, **changes)

    def _leave_if_stopped(self, *, also_user: bool = True) -> None:
        if self._context.stopping.is_set() or (also_user and self._stop_requested.is_set()):
            raise _JobStopped


def job_folder(context: Context, scope: Scope, name: str) -> Path:
    """Where the folder of a job is."""
    return context.settings.state_dir / "jobs" / scope.account / scope.region / name
