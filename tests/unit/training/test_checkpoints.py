"""Checkpoints: whole ones are resumed from, others are ignored, and the needed ones are kept."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TrainerControl, TrainerState

from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.training.callbacks import StopWhenTold
from classifier.training.checkpoints import last_common, seal, tidy
from tests.unit.training.test_processes import together

pytestmark = pytest.mark.integration  # real models

BEST = {4: 4, 6: 4, 8: 8, 10: 8}
"""Step of a checkpoint to that of its best epoch."""


def checkpoint(folder: Path, step: int, *, best: int | None = None) -> Path:
    """Write what the Trainer writes, with the path of another machine, while SageMaker copies one of the files.

    The mark is the one that AWS's own sagemaker-xgboost-container waits for before it deletes a checkpoint.
    """
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    gone = f"/gone/with/the/instance/checkpoint-{best}" if best else None
    (path / "trainer_state.json").write_text(json.dumps({"best_model_checkpoint": gone}))
    for name in ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "rng_state_1.pth"):
        (path / name).write_text(f"{name} of {step}")
    mark = path / "model.safetensors.sagemaker-uploading"
    mark.touch()
    seal(path)
    mark.unlink()
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the four checkpoints of `BEST`."""
    folder = tmp_path_factory.mktemp("run") / "full"
    for step, best in BEST.items():
        checkpoint(folder, step, best=best)
    return folder


@settings(deadline=None)  # copies files
@given(data=st.data())
def test_whatever_arrives_the_newest_whole_checkpoint_is_taken(data: st.DataObject, written: Path) -> None:
    """Some files are missing, some are cut off: those checkpoints, and those whose best epoch is one, do not count."""
    files = sorted(str(path.relative_to(written)) for path in written.rglob("*") if path.is_file())
    lost = data.draw(st.sets(st.sampled_from(files), max_size=4))
    cut = data.draw(st.sets(st.sampled_from(files), max_size=2))
    harmed = {int(name.partition("/")[0].rpartition("-")[2]) for name in lost | cut if "rng_state" not in name}
    whole = [step for step, best in BEST.items() if not {step, best} & harmed]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "full"
        shutil.copytree(written, folder)
        for name in lost:
            (folder / name).unlink()
        for name in cut - lost:
            (folder / name).write_bytes((folder / name).read_bytes()[:-1])
        found = together(lambda processes: last_common(folder, processes))
        assert found == [folder / f"checkpoint-{max(whole)}" if whole else None] * 2
        # What is left was written whole, and the random states that may not be are not read.
        assert sorted(int(path.name[11:]) for path in folder.iterdir()) == whole
        assert not whole or not list((folder / f"checkpoint-{max(whole)}").glob("rng_state*"))


def test_processes_on_machines_of_their_own_go_on_from_the_same_checkpoint(tmp_path: Path) -> None:
    """The second machine lacks the newest one."""
    for rank, steps in ((0, (8, 9, 10)), (1, (8, 9))):
        for step in steps:
            checkpoint(tmp_path / str(rank) / "full", step)
    found = together(lambda processes: last_common(tmp_path / str(processes.rank) / "full", processes))
    assert found == [tmp_path / "0/full/checkpoint-9", tmp_path / "1/full/checkpoint-9"]
    assert last_common(tmp_path / "nothing", Processes()) is None


def test_a_checkpoint_from_another_folder_names_the_best_epoch_where_it_is_now(tmp_path: Path) -> None:
    """The Trainer saves an absolute path, which is wrong after the transfer through S3."""
    state = TrainerState(best_model_checkpoint="/gone/with/the/instance/checkpoint-8")
    arguments: Any = SimpleNamespace(output_dir=str(tmp_path))
    StopWhenTold(StopRequest(), minutes=5).on_train_begin(arguments, state, TrainerControl())
    assert state.best_model_checkpoint == str(tmp_path / "checkpoint-8")


def test_the_two_newest_checkpoints_are_kept_with_their_best_epochs(tmp_path: Path) -> None:
    """If the newest does not arrive, the one before it still finds its best epoch."""
    for step, best in {2: 2, 4: 4, 5: 4, 6: 4, 8: 8}.items():
        checkpoint(tmp_path, step, best=best)
        tidy(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-4", "checkpoint-6", "checkpoint-8"]
