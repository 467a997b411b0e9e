"""Faults of the local cloud as a whole: killed in every moment, on a full disk, without a file, with another clock."""

from __future__ import annotations

import resource
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from faults import COLD, RESTARTED, STARTED, fault
from faults.training import training_processes
from trial import Trial
from waiting import until

SMALL_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))"


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed(trial: Trial) -> None:
    """The local cloud is killed at rest (SIGKILL)."""
    trial.console.kill()
    trial.start()
    trial.heal()


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_stopped(trial: Trial) -> None:
    """The local cloud, and with it the gateway, is restarted."""
    trial.server().send_signal(signal.SIGTERM)
    until(lambda: not _alive(trial), 60)
    trial.start()
    trial.heal()


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_before_the_update(trial: Trial) -> None:
    """The local cloud is killed before a release changes the stack; the release is started again."""
    kill_in(trial, "Describe endpoint")


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_in_the_update(trial: Trial) -> None:
    """The local cloud is killed while a release updates the endpoint; the release is started again."""
    kill_in(trial, "Update endpoint", 1.0)


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_in_the_smoke_test(trial: Trial) -> None:
    """The local cloud is killed while a release asks the new model; the release is started again."""
    kill_in(trial, "Ask the endpoint")


def kill_in(trial: Trial, state: str, seconds: float = 0.0) -> None:
    """Kill the local cloud in, or so long after, a state of a release; then one model serves, and all is tidy."""
    other = trial.other
    with trial.releasing(other) as execution:
        trial.console.reach(execution, state)
        time.sleep(seconds)
        trial.console.kill()
        trial.start()
    trial.heal()
    assert "stopped" in trial.said[-1], trial.said
    left = trial.console.left_over()
    assert [len(left[kind]) for kind in ("models", "endpoint configs", "endpoints")] == [1, 1, 1], left
    trial.release(other)


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_while_training(trial: Trial) -> None:
    """The local cloud is killed during a training run."""
    execution = trial.console.start({})
    until(lambda: training_processes(trial.console.project.folder), 60)
    trial.console.kill()
    trial.start()
    trial.heal()
    ended = trial.console.wait(execution, 60)
    assert ended["status"] == "FAILED" and "stopped" in ended["cause"], ended
    assert trial.console.left_over()["running training jobs"] == []


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def cloud_killed_while_saving(trial: Trial) -> None:
    """The local cloud is killed while it saves its state, right after an approval."""
    other, folder = trial.other, trial.console.project.folder / "cloud" / "services"
    trial.console.sagemaker.update_model_package(ModelPackageArn=other, ModelApprovalStatus="Rejected")
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    with trial.releasing(other, by_approval=True):
        until(lambda: any(_changed(file, before) for file in list(folder.iterdir())), 30, pause=0.001)
        trial.console.kill()
        trial.start()
    trial.heal()
    trial.release(other)


def _changed(file: Path, before: dict[Path, int]) -> bool:
    with suppress(OSError):
        return before.get(file) != file.stat().st_mtime_ns
    return True


@fault(COLD, RESTARTED, within=70)
def disk_full_at_start(trial: Trial) -> None:
    """The local cloud starts where no file may have more than 1 MB, as on a full disk, for 10 s."""
    trial.console.kill()
    shutil.rmtree(trial.console.project.folder / "cloud" / "sagemaker" / "artifacts", ignore_errors=True)
    trial.start(before=SMALL_FILES)
    time.sleep(10)
    trial.ask_status()
    trial.server().rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    trial.heal()


@fault(COLD, RESTARTED, within=70, mended="by itself, once the archive was back")
def archive_missing_at_start(trial: Trial) -> None:
    """The champion's archive is missing when the local cloud starts, for 10 s."""
    with trial.without(trial.console.archive(trial.champion)):
        trial.console.kill()
        trial.start()
        time.sleep(10)
        trial.ask_status()
    trial.heal()


@fault(COLD, RESTARTED, within=60, mended=STARTED)
def clock_set_back(trial: Trial) -> None:
    """The local cloud is killed and started with its clock four minutes back, and later with the right one.

    Five minutes would be too many for a signature: no call would be answered, as on AWS.
    """
    other = trial.other
    trial.console.kill()
    trial.start(LOCAL_CLOUD_PYTHON=str(trial.other_clock(minutes=-4)))
    trial.release(other, by_approval=True)
    other = trial.other
    trial.console.kill()
    trial.start()
    trial.heal()
    trial.release(other, by_approval=True)


def _alive(trial: Trial) -> bool:
    with suppress(psutil.Error):
        return trial.server().status() != psutil.STATUS_ZOMBIE
    return False
