"""MLflow: what a run holds, read back by MLflow itself, and that tracking never ends a training."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import train
from classifier.report.tracking import tracked
from stacks.training.job.training_job import TRACKING_ACTIONS

# Each test starts MLflow, which takes seconds; one really trains, a tiny model on a few rows.
pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
SERVER = Path(__file__).parents[2] / "support" / "tracking_server.py"
CALLS = {
    "GET experiments/get-by-name": "GetExperimentByName",
    "POST experiments/create": "CreateExperiment",
    "GET experiments/get": "GetExperiment",
    "POST runs/search": "SearchRuns",
    "POST runs/create": "CreateRun",
    "GET runs/get": "GetRun",
    "POST runs/update": "UpdateRun",
    "POST runs/log-batch": "LogBatch",
}
"""Call of MLflow's REST API -> action of IAM, by the names in AWS's service authorisation reference."""
QUICK = ["--epochs=2", "--max_length=16", "--logging_steps=5", "--vendor_onnxruntime=no"]
log = logging.getLogger("classifier.test")


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """The job's log passes its lines on as in a job."""
    caplog.set_level(logging.INFO, logger="classifier")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store in a file, which the job's environment names."""
    return named(f"sqlite:///{tmp_path}/store.db", monkeypatch)


def named(uri: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return uri


def job(uri: str) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": "reviews", "TRAINING_JOB_NAME": "a-job"}


def runs(uri: str) -> list[Any]:
    """All runs of the experiment, as MLflow gives them."""
    import mlflow

    client = mlflow.MlflowClient(uri)
    return list(client.search_runs([client.get_experiment_by_name("reviews").experiment_id]))


def test_a_run_holds_the_training(
    store: str, tiny_base: Path, scored_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It has the job's name, parameters and what auto came to, versions, the loss of steps, and the final figures."""
    import mlflow

    out = tmp_path / "out"
    data = ["--train", str(scored_data), "--test", str(scored_data), "--model-dir", str(out)]
    assert train.main([*data, f"--base_model={tiny_base}", *QUICK], job(store)) == 0
    evaluation = json.loads((out / "evaluation.json").read_text())
    (run,) = runs(store)
    assert (run.info.run_name, run.info.status) == ("a-job", "FINISHED")
    assert (run.data.params["learning_rate"], float(run.data.params["settled_learning_rate"])) == ("auto", 1e-4)
    assert run.data.tags["data_sha256"] == evaluation["data_sha256"]
    assert evaluation["origin"]["training_job"] == "a-job" == run.data.tags["training_job"]
    for name in ("accuracy", "f1"):
        assert run.data.metrics[f"test_{name}"] == round(evaluation["test"][name]["value"], 4)
        assert run.data.metrics[f"int8_{name}"] == round(evaluation["int8"][name], 4)
    history = mlflow.MlflowClient(store).get_metric_history(run.info.run_id, "train_loss")
    assert [point.step for point in history] == [*range(5, 5 * len(history) + 1, 5)] and len(history) > 1
    assert len(mlflow.MlflowClient(store).get_metric_history(run.info.run_id, "eval_loss")) == 2
    assert "MLflow" not in caplog.text


@pytest.mark.parametrize(("error", "status"), [(SystemExit(143), "KILLED"), (ValueError("x"), "FAILED")])
def test_a_job_that_goes_on_goes_on_with_its_run(store: str, error: BaseException, status: str) -> None:
    """An interruption or a failure closes the run as such; the same job's next start opens it again."""
    with pytest.raises(type(error)), tracked(job(store), {"seed": 1}, {}):
        log.info("epoch=0.50 step=5/20 loss=0.5000 eta=1s")
        raise error
    assert [run.info.status for run in runs(store)] == [status]
    with tracked(job(store), {"seed": 1}, {}):
        log.info("epoch=1.00 step=10/20 loss=0.2500 eta=1s")
    (run,) = runs(store)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"epoch": 1.0, "train_loss": 0.25})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """MLflow's own server."""
    with subprocess.Popen(
        [sys.executable, SERVER, tmp_path], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        yield process
        process.kill()


def test_the_role_may_make_the_calls_of_a_run_and_no_others(
    server: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What a first start and another one ask of a server, over HTTP, is what the job's role is allowed.

    When the server is gone, that is said once, and the training goes on.
    """
    assert server.stdout
    uri = named(f"http://127.0.0.1:{server.stdout.readline().strip()}", monkeypatch)
    for error in (None, ValueError("x"), None):
        with contextlib.suppress(ValueError), tracked(job(uri), {"seed": 1}, {"data_sha256": "f00d"}) as settled:
            log.info("epoch=0.50 step=5/20 loss=0.5000 eta=1s")
            settled["epochs"] = 2
            if error:
                raise error
    assert "MLflow" not in caplog.text
    with tracked(job(uri), {"seed": 1}, {}):
        server.kill()
        for step in range(3):
            log.info("epoch=0.50 step=%d/20 loss=0.5000 eta=1s", step)
    said = [record.getMessage() for record in caplog.records if "MLflow" in record.getMessage()]
    assert len(said) == 1 and "the training goes on" in said[0] and "127.0.0.1" in said[0]
    asked = {line.strip().replace("/api/2.0/mlflow/", "") for line in server.stdout}
    assert asked == CALLS.keys()
    assert {f"sagemaker-mlflow:{action}" for action in CALLS.values()} == set(TRACKING_ACTIONS)


def test_a_job_without_mlflow_and_without_an_index_trains(
    store: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """MLflow that cannot be installed is said once."""
    monkeypatch.setitem(sys.modules, "mlflow", None)  # as if it were not there
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with tracked(job(store), {}, {}):
        log.info("epoch=0.50 step=5/20 loss=0.5000 eta=1s")
    (said,) = (record.getMessage() for record in caplog.records if "MLflow" in record.getMessage())
    assert "pip could not fetch it" in said


def test_without_an_address_nothing_is_tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow is not even imported, no store appears, and a figure at a sentence's end is one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with tracked({}, {}, {}):
        log.info("epoch=0.50 step=5/20 loss=0.5000 eta=1s")
        log.info("test_accuracy=0.5000.")
    assert list(tmp_path.iterdir()) == []
