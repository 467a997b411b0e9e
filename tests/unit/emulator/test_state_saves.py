"""Saving the state while other threads change it, while the disk refuses, and while the server is killed."""

from __future__ import annotations

import copy
import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack import app
from ministack.core import persistence as files
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch, lambda_svc, stepfunctions

from local.emulator import plugin
from local.emulator.common.patching import wrap
from local.emulator.state import persistence

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own, and nothing left to save."""
    monkeypatch.setattr(files, "STATE_DIR", str(tmp_path))
    monkeypatch.setattr(files, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "_unsaved", set())
    monkeypatch.setattr(persistence, "_changed", set())
    copiers = vars(copy)["_deepcopy_dispatch"]
    monkeypatch.setitem(copiers, dict, copiers[dict])
    persistence.install()
    return tmp_path


@pytest.fixture
def writers() -> Iterator[None]:
    """Threads that add and remove metrics and executions for as long as the test runs."""
    over = threading.Event()

    def write(number: int) -> None:
        step = 0
        while not over.is_set():
            step += 1
            cloudwatch._metrics[number, step] = [{"Value": 1.0, "Dimensions": {str(n): "x" for n in range(20)}}]
            stepfunctions._executions[f"{number}-{step}"] = {"events": [], "status": "RUNNING"}
            cloudwatch._metrics.pop((number, step - 200), None)
            stepfunctions._executions.pop(f"{number}-{step - 200}", None)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)  # threads take turns far more often than usual
    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    cloudwatch._metrics._data.clear()
    stepfunctions._executions._data.clear()


@pytest.mark.usefixtures("writers")
def test_no_save_is_lost_while_threads_write(caplog: pytest.LogCaptureFixture) -> None:
    """Saves of the two busiest services succeed again and again, and each file can be read back."""
    for _ in range(8):
        for name, module in (("cloudwatch", cloudwatch), ("stepfunctions", stepfunctions)):
            persistence.save_service(name, module.get_state)
            assert files.load_state(name)
    assert not persistence.unsaved() and not caplog.records


class Meddler(str):
    """A key that adds another to the same store whenever a save comes by, as a thread may at that moment."""

    store: Any

    def __new__(cls, store: Any) -> Meddler:
        made = super().__new__(cls, "key")
        made.store = store
        return made

    def __deepcopy__(self, memo: Any) -> str:
        self.store[f"copied {len(self.store)}"] = {}
        return "key"


@pytest.mark.parametrize(
    ("service", "module", "store"),
    [("cloudwatch", cloudwatch, cloudwatch._metrics), ("stepfunctions", stepfunctions, stepfunctions._executions)],
)
def test_a_store_that_grows_during_every_save_is_saved(service: str, module: Any, store: Any) -> None:
    """It is written as it was at one moment: no "dictionary changed size during iteration"."""
    store[Meddler(store)] = {"kept": True}
    try:
        persistence.save_service(service, module.get_state)
        assert len(store) > 1 and not persistence.unsaved()
        loaded = files.load_state(service)
        assert loaded is not None
        assert {"kept": True} in [value for kept in loaded.values() for value in kept._data.values()]
    finally:
        store._data.clear()


def test_a_stop_saves_as_quickly_as_a_change_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The save at the end is ours, not of ministack: it takes the encoder that is written in C."""
    monkeypatch.setattr(app, "save_all", app.save_all)
    monkeypatch.setattr(app, "_build_persistence_save_dict", lambda: {"probe": lambda: {"number": 1}})
    monkeypatch.setattr(json, "dump", lambda *_, **__: pytest.fail("the slow encoder"))
    wrap(*next(entry for entry in plugin._WRAPPED if entry[1] == "save_all"))
    app.save_all({})
    assert files.load_state("probe") == {"number": 1}


def test_a_save_that_fails_is_loud_and_tried_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is logged once, shown as unsaved, and the change is written as soon as the disk takes it."""
    in_the_way = folder / "stepfunctions.json.tmp"
    in_the_way.mkdir()
    for _ in range(3):
        persistence.save_service("stepfunctions", stepfunctions.get_state)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert persistence.unsaved() == ["stepfunctions"]
    assert persistence._changed == {"stepfunctions"}
    in_the_way.rmdir()
    persistence.save_service("stepfunctions", stepfunctions.get_state)
    assert persistence.unsaved() == []
    assert caplog.records[-1].message == "The state of stepfunctions is saved again."


def test_code_is_deleted_after_the_file_that_named_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the two, the functions of the old file still have theirs."""
    steps: list[str] = []
    write = persistence._write
    monkeypatch.setattr(persistence, "_write", lambda *of: steps.append(str(write(*of) or "written")))
    original = lambda_svc._prune_orphan_code_blobs

    def prune(referenced: set[str]) -> None:
        persistence.prune_code(lambda names: steps.append("pruned"), referenced)

    monkeypatch.setattr(lambda_svc, "_prune_orphan_code_blobs", prune)
    persistence.save_service("lambda", lambda_svc.get_state)
    assert steps == ["written", "pruned"]
    assert original is not prune


_SAVER = """
import sys, threading
from ministack.core import persistence as files
from ministack.core.responses import AccountRegionScopedDict
from local.emulator.state import persistence
files.STATE_DIR, files.PERSIST_STATE = sys.argv[1], True
persistence.install()
store = AccountRegionScopedDict()
number = 0
while True:
    number += 1
    store["last"], store["same"] = number, {"filling": ["x" * 1000] * 300, "number": number}
    persistence.save_service("probe", lambda: {"store": store})
    print(number, flush=True)
"""


@pytest.mark.parametrize("saves", [1, 2, 3, 5, 8, 13])
def test_a_kill_during_a_save_leaves_the_last_one_whole(folder: Path, saves: int) -> None:
    """Whenever SIGKILL hits: the file can be read, is of one moment, and holds what had been saved."""
    command = [sys.executable, "-c", _SAVER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as saving:
        assert saving.stdout is not None
        for _ in range(saves):
            line = saving.stdout.readline()
        saving.send_signal(signal.SIGKILL)
        done = [line, *saving.stdout.readlines()][-1]
    loaded: Any = files.load_state("probe")
    assert isinstance(loaded["store"], AccountRegionScopedDict)
    found = {key[2]: value for key, value in loaded["store"]._data.items()}
    assert found["last"] == found["same"]["number"] >= int(done)
    assert json.loads((folder / "probe.json").read_text())["__ministack_format__"]
