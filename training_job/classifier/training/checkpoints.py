"""Checkpoints of a run: where they are, which one is complete, and when to delete them."""

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from classifier.job.processes import Processes, newest_common

_LIST = "digests_"
"""Begins the name of the list that a process writes last; a number and `.json` end it."""


def run_folder(checkpoint_dir: Path, identity: dict[str, Any]) -> Path:
    """Return the checkpoint folder of a run, which depends on its `identity` (data, base model, hyperparameters).

    So a job never resumes from the checkpoint of a different one, even if both were given the same folder.
    """
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
    return checkpoint_dir / digest[:16]


def seal(checkpoint: Path, rank: int) -> None:
    """List the files that this process wrote into `checkpoint` with their digests; it is whole with all lists.

    The main process wrote all files but the random states of the others.
    """
    names = [f"rng_state_{rank}.pth"]
    if rank == 0:
        files = {path.name for path in checkpoint.iterdir() if path.is_file()}
        others = {name for name in files if name.startswith(("rng_state_", _LIST)) and name not in names}
        names = sorted(files - others)
    digests = {name: _digest(checkpoint / name) for name in names}
    (checkpoint / f"{_LIST}{rank}.json").write_text(json.dumps(digests, indent=2), encoding="utf-8")


def tidy(folder: Path, keep: int = 2) -> None:
    """Delete all checkpoints in `folder` but the newest ones and those of their best epochs.

    Two, because the newest may not arrive whole where the next job resumes.
    """
    newest = _sorted(folder)[-keep:]
    kept = {name for path in newest for name in (path.name, _best(path))}
    for path in _sorted(folder):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def last_common(folder: Path, processes: Processes) -> Path | None:
    """Find the newest whole checkpoint that every process has. Delete newer ones, which are damaged.

    Args:
        folder: of one training of the run. Processes on instances of their own see folders of their own.
    """
    whole = [path.name for path in _sorted(folder) if _is_whole(path, processes.count)]
    found = processes.gather(f"{folder.name}/checkpoints", " ".join(whole))
    name = newest_common(found)
    for path in _sorted(folder):
        if name is None or _step(path) > _step(folder / name):
            shutil.rmtree(path, ignore_errors=True)
    return folder / name if name else None


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


def _is_whole(checkpoint: Path, processes: int) -> bool:
    """Return whether all files of `checkpoint` are there as they were written, and those of its best epoch."""
    best = _best(checkpoint)
    return all(_arrived(checkpoint, rank) for rank in range(processes)) and (
        best is None or _arrived(checkpoint.parent / best, 0)
    )


def _arrived(checkpoint: Path, rank: int) -> bool:
    try:
        digests = json.loads((checkpoint / f"{_LIST}{rank}.json").read_text(encoding="utf-8"))
        return all(_digest(checkpoint / name) == digest for name, digest in digests.items())
    except (OSError, ValueError):
        return False


def _best(checkpoint: Path) -> str | None:
    """Return the name of the best epoch's checkpoint so far; the Trainer saves its path, which may have changed."""
    try:
        best = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))["best_model_checkpoint"]
    except (OSError, ValueError, KeyError):
        return None
    return Path(best).name if best else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sorted(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()), key=_step)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])
