"""MLflow: one run for each job, where `MLFLOW_TRACKING_URI` names a server or a store.

Its metrics are the figures of the job's log lines, as SageMaker's are. Tracking never ends a training: the first thing
that fails is said in the log, and nothing is sent after it.
"""

import atexit
import importlib.util
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from classifier.artifact.vendoring import run_pip

# MLflow would report its use to its makers, and repeat a request to a server that does not answer for minutes.
_SWITCHES = {"DISABLE_TELEMETRY": "true", "SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
_SWITCHES |= {"HTTP_REQUEST_MAX_RETRIES": "1", "HTTP_REQUEST_TIMEOUT": "10"}
_REQUIREMENTS = Path(__file__).resolve().parents[2] / "tracking.txt"
_LINES = ("epoch=", "eval_", "test_", "int8_", "baseline_")
_FIGURE = re.compile(r"\b(epoch|step|[a-z0-9]+_\w+)=(-?\d+(?:\.\d+)?)")
_ENDINGS: dict[type[BaseException] | None, str] = {None: "FINISHED", SystemExit: "KILLED", KeyboardInterrupt: "KILLED"}

_log = logging.getLogger(__name__)


@contextmanager
def tracked(environ: Mapping[str, str], params: Mapping[str, Any], tags: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Track the block, which fills the yielded dictionary with what `auto` came to.

    A job that goes on after an interruption goes on with its run, too.
    """
    sender, name = _Sender(bool(environ.get("MLFLOW_TRACKING_URI"))), environ.get("TRAINING_JOB_NAME")

    def begin(mlflow: Any) -> None:
        place = mlflow.set_experiment(environ.get("MLFLOW_EXPERIMENT_NAME", "text-classifier")).experiment_id
        client, known = mlflow.MlflowClient(), {key: str(value) for key, value in tags.items()}
        earlier = client.search_runs([place], f"attributes.run_name = '{name}'") if name else []
        run = earlier[0] if earlier else client.create_run(place, run_name=name, tags=known)
        sender.run = run.info.run_id
        client.update_run(sender.run, status="RUNNING")
        mlflow.log_params(params, run_id=sender.run)

    settled: dict[str, Any] = {}
    sender.send(begin)
    logging.getLogger("classifier").addHandler(sender)
    try:
        yield settled
        results = {f"settled_{key}": settled[key] for key in settled}
        sender.send(lambda mlflow: mlflow.log_params(results, run_id=sender.run))
    finally:
        status = _ENDINGS.get(sys.exc_info()[0], "FAILED")
        logging.getLogger("classifier").removeHandler(sender)
        sender.send(lambda mlflow: mlflow.MlflowClient().set_terminated(sender.run, status))


class _Sender(logging.Handler):
    """Sends to MLflow until something fails; nothing at all unless it is `wanted`."""

    def __init__(self, wanted: bool) -> None:
        super().__init__()
        # Not MLflow's active run: it would be closed when the process ends, by a server that may be gone.
        self.run, self._wanted, self._step = "", wanted, 0

    def emit(self, record: logging.LogRecord) -> None:
        """Send the figures of a line of the log, as they are after the step that was named last."""
        if (line := record.getMessage()).startswith(_LINES):
            found = {name: float(value) for name, value in _FIGURE.findall(line.replace(" loss=", " train_loss="))}
            self._step = int(found.pop("step", self._step))
            self.send(lambda mlflow: mlflow.log_metrics(found, step=self._step, run_id=self.run))

    def send(self, what: Callable[[Any], object]) -> None:
        """Call `what` with MLflow's module."""
        try:
            if self._wanted:
                what(_library())
        except Exception as e:  # whatever a library or a server does, the training goes on
            self._wanted = False
            reason = " ".join(str(e).split())[:300] or type(e).__name__
            _log.warning("MLflow: this run is not tracked from here on; the training goes on. Reason: %s", reason)


def _library() -> Any:
    """Import MLflow; where it is not installed, first put it behind everything else on the path of this process."""
    os.environ.update({f"MLFLOW_{name}": value for name, value in _SWITCHES.items()})
    if importlib.util.find_spec("mlflow") is None:
        sys.path.append(tempfile.mkdtemp(prefix="mlflow-"))
        atexit.register(shutil.rmtree, sys.path[-1], ignore_errors=True)
        run_pip("install", _REQUIREMENTS, f"--target={sys.path[-1]}")
    import mlflow

    for talkative in ("mlflow", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    return mlflow
