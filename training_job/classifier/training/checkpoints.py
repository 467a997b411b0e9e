"""Checkpoints of a run: where they are, which one is whole, and when they are of no use any more."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from classifier.job.processes import Processes, newest_common


def run_folder(checkpoint_dir: Path, identity: dict[str, Any]) -> Path:
    """The checkpoint folder of a run: the same for the same ``identity`` (data, base model, hyperparameters) only.

    So a job never goes on from the checkpoint of a different one, even if both were given the same folder.
    """
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
    return checkpoint_dir / digest[:16]


def last_common(folder: Path, processes: Processes, run: int = 0) -> Path | None:
    """The newest whole checkpoint that every process of the training has, if any, ready to go on from here.

    Args:
        folder: of this very run; on instances of their own the processes see folders of their own.
        processes: that train together.
        run: number of the training among ``averaged_runs``.
    """
    complete = sorted((path for path in folder.glob("checkpoint-*") if _is_complete(path)), key=_step)
    found = processes.gather(f"checkpoints of run {run}", " ".join(path.name for path in complete))
    name = newest_common(found)
    if name is None:
        return None
    if processes.main:
        _say_where_the_best_is(folder / name)
    processes.gather(f"checkpoint of run {run}")  # the others read what the main process has just changed
    return folder / name


def _say_where_the_best_is(checkpoint: Path) -> None:
    """Corrects the path of the best epoch's checkpoint after the folder came from another place, by way of S3."""
    path = checkpoint / "trainer_state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    best = state.get("best_model_checkpoint")
    here = checkpoint.parent / Path(best).name if best else None
    if here is not None and str(here) != best and here.is_dir():
        part = path.with_suffix(".part")
        part.write_text(json.dumps({**state, "best_model_checkpoint": str(here)}, indent=2), encoding="utf-8")
        part.replace(path)


def forget(folder: Path, *, and_parent: bool) -> None:
    """Removes the checkpoints of a run that is done; a second run with the same settings then starts afresh.

    Args:
        folder: as ``run_folder`` gives it.
        and_parent: remove the folder it lies in as well, if nothing else is in it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if and_parent:
        with contextlib.suppress(OSError):  # other runs' checkpoints are in it
            folder.parent.rmdir()


def _is_complete(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return checkpoint.name.rpartition("-")[2].isdigit()


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
