"""One training job from start to end: download, train, upload."""

import contextlib
import math
import re
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from local.sagemaker.common.errors import FailedError, shortened
from local.sagemaker.jobs.job import JobRecord, JobRun
from local.sagemaker.processes.child_process import ChildProcess, Command
from local.sagemaker.state import archives
from local.sagemaker.state.context import Context
from local.sagemaker.training import launch
from local.sagemaker.training.container import JobFolder, entry_point
from local.sagemaker.training.transfer import CheckpointSync, Transfer

_METRIC_SECONDS = 1.0
_NAMESPACE = "/aws/sagemaker/TrainingJobs"  # of CloudWatch, as the log group's name
_MESSAGE_LENGTH = 900


class MetricScanner:
    """Reads every line of the log and keeps the last value of each metric: MetricDefinitions → FinalMetricDataList."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]) -> None:
        self._patterns = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
        self._last: dict[str, dict[str, Any]] = {}
        self.values: dict[str, list[float]] = {}
        """Metric → all its values in order."""

    def scan(self, line: str) -> dict[str, float]:
        """Return the metrics in the line. A value is the expression's first group, or the whole match."""
        found: dict[str, float] = {}
        for name, pattern in self._patterns:
            match = pattern.search(line)
            value = _number(match.group(1) if pattern.groups else match.group(0)) if match else None
            if value is not None:
                self.values.setdefault(name, []).append(value)
                self._last[name] = {"MetricName": name, "Value": value, "Timestamp": time.time()}
                found[name] = value
        return found

    def final(self) -> list[dict[str, Any]]:
        """Return the FinalMetricDataList so far."""
        return list(self._last.values())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class TrainingRun(JobRun):
    """Runs one training job."""

    folders = "jobs"

    def __init__(self, context: Context, record: JobRecord) -> None:
        super().__init__(context, record, f"{record.key.name}/algo-1-{int(time.time())}")
        self._folder = JobFolder(self._base)
        self._transfer = Transfer(context.surroundings, self._job, self._folder)
        self.metrics = MetricScanner(self._job["AlgorithmSpecification"].get("MetricDefinitions", []))
        self._metrics_saved = 0.0
        self._wake = threading.Event()
        """Set when the script has ended or has to end."""

    def _interrupt(self) -> None:
        self._wake.set()

    def _execute(self) -> str:
        job = self._job
        rule = self._context.settings.image_rule(job["AlgorithmSpecification"]["TrainingImage"], "training")
        program, source = entry_point(job)
        self._folder.create(job)
        checkpoints = CheckpointSync(self._context.surroundings, job, self._folder)
        environment = launch.build_environment(self._context, self._key.scope, job, self._folder, rule, self._log)
        self._leave_if_stopped()
        self._record.enter("Downloading")
        checkpoints.download()
        for channel in job.get("InputDataConfig", []):
            self._leave_if_stopped()
            self._transfer.download_channel(channel)
        self._transfer.download_code(source)
        if not (self._folder.code / program).is_file():
            raise FailedError(f"AlgorithmError: there is no {program} at the root of {source}.")
        if problems := launch.unmet_requirements(rule, self._folder, environment):
            raise FailedError(
                "AlgorithmError: InstallRequirementsError: the local cloud installs nothing. Install what "
                "requirements.txt asks for into the environment of this image first: " + "; ".join(problems)
            )
        self._leave_if_stopped()
        self._record.enter("Training", TrainingStartTime=time.time())
        checkpoints.start()
        try:
            # AWS's own toolkit, which the image map puts on PYTHONPATH.
            words = [rule.python, "-P", "-m", "sagemaker_training.cli.train"]
            ending = self._train(Command(words, self._folder.base, environment))
        except FailedError:
            with contextlib.suppress(FailedError):
                checkpoints.finish()
            raise
        self._leave_if_stopping()
        checkpoints.finish()
        self._upload(ending)
        return ending

    def _train(self, command: Command) -> str:
        """Run the script. Return how the job ends: Completed, Stopped or MaxRuntimeExceeded."""
        self._leave_if_stopped()
        child = ChildProcess(command, self._line, self._wake.set)
        in_time = self._wake.wait(self._job["StoppingCondition"]["MaxRuntimeInSeconds"])
        if self._context.stopping.is_set():
            child.kill()
        self._leave_if_stopping()
        if child.running:
            if not in_time:
                self._record.enter("Stopping")
            # AWS sends SIGTERM to the image's start script, which passes it to nobody: the script goes on until then.
            child.wait(self._context.settings.stop_grace_seconds)
            child.kill()
            return "Stopped" if in_time else "MaxRuntimeExceeded"
        if code := child.wait():
            raise FailedError(self._algorithm_error(code))
        return "Completed"

    def _upload(self, ending: str) -> None:
        self._save_metrics()
        self._record.enter("Uploading")
        if ending == "Completed" or archives.holds_files(self._folder.model):
            uri = self._transfer.upload_archive(self._folder.model, "model.tar.gz")
            for other in self._folder.base.glob("hosts/*/model"):
                if archives.holds_files(other):
                    self._log.note(
                        f"{other.parent.name} wrote files into SM_MODEL_DIR. Only the first instance's are kept."
                    )
            self._record.change(ModelArtifacts={"S3ModelArtifacts": uri})
        self._upload_output_data()

    def _upload_output_data(self) -> None:
        if archives.holds_files(self._folder.output_data):
            self._transfer.upload_archive(self._folder.output_data, "output.tar.gz")

    def _salvage(self) -> None:
        try:
            self._upload_output_data()
        except (FailedError, OSError) as error:
            self._log.note(f"output.tar.gz was not uploaded: {error}")
        self._save_metrics()

    def _algorithm_error(self, code: int) -> str:
        left = (path.read_text(encoding="utf-8", errors="replace").strip() for path in self._folder.failures())
        reason = next(filter(None, left), "")
        if not reason:
            killed = " (killed; often for lack of memory)" if code == 137 else ""
            reason = f"ExecuteUserScriptError: ExitCode {code}{killed}, last log lines: " + " | ".join(self._log.tail())
        return f"AlgorithmError: {shortened(reason, _MESSAGE_LENGTH)}, exit code: {code}"

    def _line(self, line: str) -> None:
        self._log.line(line)
        if found := self.metrics.scan(line):
            put, dimensions = self._context.surroundings.put_metrics, {"TrainingJobName": self._key.name}
            deliver = partial(put, self._key.scope, _NAMESPACE, found, "None", dimensions)
            self._context.outbox.put(f"metrics of {self._key.name}", deliver)
        if found and time.monotonic() - self._metrics_saved > _METRIC_SECONDS:
            self._metrics_saved = time.monotonic()
            self._save_metrics()

    def _save_metrics(self) -> None:
        self._record.change(FinalMetricDataList=self.metrics.final())
