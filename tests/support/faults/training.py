"""Faults of training and judging."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import psutil

from faults import UP, fault
from trial import Trial, evidence_of
from waiting import until


@fault(UP)
def training_killed(trial: Trial) -> None:
    """The training job's process is killed."""
    execution = trial.console.start({})
    until(lambda: training_processes(trial.console.project.folder), 60)
    for process in training_processes(trial.console.project.folder):
        with suppress(psutil.Error):
            process.kill()
    ended = trial.console.wait(execution, 120)
    assert ended["status"] == "FAILED" and ended["cause"], ended
    trial.said.append(ended["cause"])


@fault(UP)
def evidence_replaced(trial: Trial) -> None:
    """The champion's evidence is replaced before a new version is compared with it."""
    noted = trial.console.package(trial.champion)["CustomerMetadataProperties"]
    with trial.without(noted["evidence"], b'{"predictions": []}\n'):
        judge_anew(trial)


@fault(UP)
def evidence_deleted(trial: Trial) -> None:
    """The champion's evidence is deleted before a new version is compared with it."""
    noted = trial.console.package(trial.champion)["CustomerMetadataProperties"]
    with trial.without(noted["evidence"]):
        judge_anew(trial)


def judge_anew(trial: Trial) -> str:
    """Have the champion's own archive judged once more, and nothing released; ARN of its new package."""
    job = trial.console.package(trial.champion)["CustomerMetadataProperties"]["training_job"]
    output = trial.console.run({"training_job": job, "approval": "never"})
    trial.said.append(json.dumps(output["verdict"]))
    package = str(output["model_package_arn"])
    trial.history.evidence |= evidence_of(trial.console, [package])
    return package


def training_processes(folder: Path) -> list[psutil.Process]:
    """The running training jobs of the project in a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment, command = process.environ(), process.cmdline()
            if str(folder) in environment.get("HOME", "") + environment.get("SM_MODEL_DIR", "") and any(
                word.endswith("train.py") for word in command
            ):
                found.append(process)
    return found
