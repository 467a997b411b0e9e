"""Checkpoints of a run: where they are, which one is whole, and when they are of no use any more."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any


def run_folder(checkpoint_dir: Path, identity: dict[str, Any]) -> Path:
    """The checkpoint folder of a run: the same for the same ``identity`` (data, base model, hyperparameters) only.

    So a job never goes on from the checkpoint of a different one, even if both were given the same folder.
    """
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
    return checkpoint_dir / digest[:16]


def last_complete(folder: Path) -> Path | None:
    """The newest whole checkpoint in ``folder``, if any: the Trainer writes its state last."""
    complete = [path for path in folder.glob("checkpoint-*") if _is_complete(path)]
    return max(complete, key=_step, default=None)


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
