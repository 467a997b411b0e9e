"""The model folder that becomes ``model.tar.gz``: built beside its place, moved in whole at the very end."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.artifact.model_card import model_card
from classifier.errors import ExportError
from serving import ENTRY_POINTS

if TYPE_CHECKING:
    from classifier.model.base_model import BaseModel
    from classifier.training.trained_model import TrainedClassifier

ONNX_FILE = "onnx/model_int8.onnx"
"""Where the serving code expects the int8 model, below the artifact's root."""

CODE = "code"
"""Folder of the serving code and of what travels with it, below the artifact's root."""

EVALUATION_FILE = "evaluation.json"
SERVING_SOURCE = Path(__file__).resolve().parents[2] / "serving"


@contextmanager
def model_folder(model_dir: Path) -> Iterator[Path]:
    """An empty folder to build the artifact in; when the block ends well, its content becomes that of ``model_dir``.

    After a failure, or a stop, ``model_dir`` is as it was before. The folder is made beside ``model_dir``, on the same
    file system, so that moving in is renaming.

    Raises:
        ExportError: the disk is full, or the folder may not be written.
    """
    model_dir = model_dir.resolve()
    try:
        model_dir.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{model_dir.name}-", dir=model_dir.parent))
    except OSError as e:
        raise _unwritable(model_dir, e) from e
    try:
        yield building
        _move_in(building, model_dir)
    except OSError as e:
        raise _unwritable(model_dir, e) from e
    finally:
        shutil.rmtree(building, ignore_errors=True)


def write_artifact(
    folder: Path, trained: TrainedClassifier, evaluation: dict[str, Any], *, labels: tuple[str, str], base: BaseModel
) -> None:
    """Writes everything but the ONNX model: Hugging Face files, serving code, figures and model card.

    Args:
        folder: the artifact's root.
        trained: the classifier; its settings for serving are added to ``config.json``.
        evaluation: the content of ``evaluation.json``.
        labels: names of label 0 and label 1.
        base: what training started from.
    """
    settings = trained.settings()
    trained.model.config.id2label = dict(enumerate(labels))
    trained.model.config.label2id = {name: label for label, name in enumerate(labels)}
    trained.model.save_pretrained(folder)
    trained.tokenizer.save_pretrained(folder)
    # Into the file rather than the configuration object: that one refuses to be saved with a max_length.
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "config.json", {**config, **settings})
    copy_serving_code(folder)
    write_json(folder / EVALUATION_FILE, evaluation)
    card = model_card(
        evaluation, labels=labels, base_model=base.title, on_hub=not base.local, objective=settings["objective"]
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def copy_serving_code(folder: Path, source: Path = SERVING_SOURCE) -> None:
    """Puts the serving code into ``code/`` of the artifact: entry points at its root, the rest as a package."""
    package = folder / CODE / "serving"
    package.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.py")):
        shutil.copyfile(path, (package.parent if path.name in ENTRY_POINTS else package) / path.name)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes ``content`` with two blanks of indentation and a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _move_in(building: Path, model_dir: Path) -> None:
    """Replaces the content of ``model_dir`` by that of ``building``.

    Entry by entry, because in a container the folder itself may be a mount point; what it held before is kept aside
    until everything new is in place, and put back if that fails.
    """
    model_dir.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{model_dir.name}-old-", dir=model_dir.parent) as aside:
        moved: list[Path] = []
        try:
            for entry in list(model_dir.iterdir()):
                entry.rename(Path(aside) / entry.name)
            for entry in list(building.iterdir()):
                moved.append(Path(shutil.move(entry, model_dir / entry.name)))
        except BaseException:
            for entry in moved:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            for entry in list(Path(aside).iterdir()):
                entry.rename(model_dir / entry.name)
            raise


def _unwritable(model_dir: Path, error: OSError) -> ExportError:
    return ExportError(
        f"The model cannot be written to {model_dir}: {error.strerror or error}.",
        hint="Free some space or give --model-dir another folder; what was there before is unchanged.",
    )
