"""Checkpoints of a run: where they are, which one is complete, and when to delete them."""

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from classifier.job.processes import Processes, newest_common

_LIST = "digests.json"  # of the other files of a checkpoint
_MARKS = (".sagemaker-uploading", ".sagemaker-uploaded")  # of files beside each one that SageMaker copies; they vanish


def run_folder(checkpoint_dir: Path, identity: dict[str, Any]) -> Path:
    """Return the checkpoint folder of a run, which depends on its `identity` (data, base model, hyperparameters).

    So a job never resumes from the checkpoint of a different one, even if both were given the same folder.
    """
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()
    return checkpoint_dir / digest[:16]


def seal(checkpoint: Path) -> None:
    """List the files of `checkpoint` with their digests. They may arrive in any order, or only some, or cut off."""
    files = (path for path in checkpoint.iterdir() if not path.name.startswith(("rng_state", _LIST)))
    digests = {path.name: _digest(path) for path in files if path.suffix not in _MARKS}
    (checkpoint / _LIST).write_text(json.dumps(digests, indent=2), encoding="utf-8")


def tidy(folder: Path) -> None:
    """Keep the two newest checkpoints, because the newest may not arrive whole, and those of their best epochs."""
    checkpoints = _by_step(folder)
    kept = {name for path in checkpoints[-2:] for name in (path.name, _best(path))}
    for path in checkpoints:
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def last_common(folder: Path, processes: Processes) -> Path | None:
    """Find the newest whole checkpoint of a training that every process has. Delete newer ones and those not whole.

    Processes on instances of their own see folders of their own.
    """
    checkpoints = _by_step(folder)
    whole = [path.name for path in checkpoints if _arrived(path) and _arrived(folder / _best(path))]
    name = newest_common(processes.gather(f"{folder.name}/checkpoints", " ".join(whole)))
    kept = whole[: whole.index(name) + 1] if name else []
    for path in checkpoints:
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
        for states in path.glob("rng_state*"):  # may be cut off; `SeededDraws` needs none
            states.unlink(missing_ok=True)
    return folder / name if name else None


def forget(folder: Path, *, and_parent: bool) -> None:
    """Delete the checkpoints of a finished run, so that a second run with the same settings starts anew.

    With `and_parent`, delete the parent folder too, if that is empty then.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if and_parent:
        with contextlib.suppress(OSError):  # it has the checkpoints of other runs
            folder.parent.rmdir()


def _arrived(checkpoint: Path) -> bool:
    """Return whether all files of `checkpoint` are there as they were written."""
    try:
        digests = json.loads((checkpoint / _LIST).read_text(encoding="utf-8"))
        return all(_digest(checkpoint / name) == digest for name, digest in digests.items())
    except (OSError, ValueError):
        return False


def _best(checkpoint: Path) -> str:
    """Return the name of the best epoch's checkpoint, or of this one; the Trainer saves a path, which may change."""
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    return Path(state["best_model_checkpoint"] or checkpoint).name


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _by_step(folder: Path) -> list[Path]:
    return sorted(folder.glob("checkpoint-*"), key=lambda path: (len(path.name), path.name))
