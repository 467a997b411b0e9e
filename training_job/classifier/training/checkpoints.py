"""Checkpoints of a run: where they are, which one is complete, and when to delete them."""

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from classifier.job.processes import Processes, newest_common


def run_folder(checkpoint_dir: Path, identity: dict[str, Any]) -> Path:
    """Return the checkpoint folder of a run, which depends on its `identity` (data, base model, hyperparameters).

    So a job never resumes from the checkpoint of a different one, even if both were given the same folder.
    """
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
    return checkpoint_dir / digest[:16]


def last_common(folder: Path, processes: Processes) -> Path | None:
    """Find the newest complete checkpoint that every process has, and make it ready to resume from.

    Args:
        folder: of one training of the run. Processes on instances of their own see folders of their own.
    """
    complete = sorted((path for path in folder.glob("checkpoint-*") if _is_complete(path)), key=_step)
    found = processes.gather(f"{folder.name}/checkpoints", " ".join(path.name for path in complete))
    name = newest_common(found)
    if name is None:
        return None
    if processes.main:
        _correct_best_checkpoint(folder / name)
    processes.gather(f"{folder.name}/checkpoint")  # the others read what the main process has just changed
    return folder / name


def _correct_best_checkpoint(checkpoint: Path) -> None:
    """Correct the absolute path to the best epoch's checkpoint, for a folder that came from elsewhere through S3."""
    path = checkpoint / "trainer_state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    best = state.get("best_model_checkpoint")
    here = checkpoint.parent / Path(best).name if best else None
    if here is not None and str(here) != best and here.is_dir():
        part = path.with_suffix(".part")
        part.write_text(json.dumps({**state, "best_model_checkpoint": str(here)}, indent=2), encoding="utf-8")
        part.replace(path)


def forget(folder: Path, *, and_parent: bool) -> None:
    """Delete the checkpoints of a finished run, so that a second run with the same settings starts anew.

    Args:
        folder: from `run_folder`.
        and_parent: delete its parent folder too, if that is empty then.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if and_parent:
        with contextlib.suppress(OSError):  # it has the checkpoints of other runs
            folder.parent.rmdir()


def _is_complete(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return checkpoint.name.rpartition("-")[2].isdigit()


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
