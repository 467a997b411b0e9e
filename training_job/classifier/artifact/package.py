"""The model folder that becomes `model.tar.gz`: built beside its destination and moved there at the end."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from classifier.errors import JobError
from serving import ENTRY_POINTS
from serving.model_config import SECTION

if TYPE_CHECKING:
    from classifier.model.base_model import BaseModel
    from classifier.training.recipe import TrainedClassifier

ONNX_FILE = "onnx/model_int8.onnx"
"""Path of the int8 model in the artifact, as the serving code expects it."""

CODE = "code"
"""Folder of the serving code and its vendored library in the artifact."""

EVALUATION_FILE = "evaluation.json"
SERVING_SOURCE = Path(__file__).resolve().parents[2] / "serving"


@contextmanager
def model_folder(model_dir: Path) -> Iterator[Path]:
    """Yield an empty folder to build the artifact in, and move its content to `model_dir` if the block succeeds.

    After a failure or a stop, `model_dir` is unchanged. The folder is on the same file system, so that the move is a
    rename.

    Raises JobError: the disk is full, or the folder is not writable.
    """
    model_dir = model_dir.resolve()
    building: Path | None = None
    try:
        model_dir.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{model_dir.name}-", dir=model_dir.parent))
        yield building
        _move_in(building, model_dir)
    except OSError as e:
        raise JobError(
            f"The model cannot be written to {model_dir}: {e.strerror or e}.",
            hint="Free some space or give --model-dir another folder. The folder is unchanged.",
        ) from e
    finally:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)


def write_artifact(folder: Path, trained: TrainedClassifier, evaluation: dict[str, Any], base: BaseModel) -> None:
    """Write everything but the ONNX model: Hugging Face files, serving code, evaluation and model card.

    `folder`: root of the artifact. `evaluation`: the content of `evaluation.json`; its `labels` are the names in the
    order of their ids.
    """
    labels = evaluation["labels"]
    trained.model.config.id2label = dict(enumerate(labels))
    trained.model.config.label2id = {name: label for label, name in enumerate(labels)}
    trained.model.save_pretrained(folder)
    trained.tokenizer.save_pretrained(folder)
    side = trained.tokenizer.truncation_side
    write_serving_settings(folder / "config.json", {**trained.serving_config(), "truncation_side": side})
    copy_serving_code(folder)
    evaluation["base_model"] = base.as_dict()
    write_json(folder / EVALUATION_FILE, evaluation)
    (folder / "README.md").write_text(model_card(evaluation), encoding="utf-8")


def model_card(evaluation: dict[str, Any], **published: Any) -> str:
    """Return `README.md` for the content of `evaluation.json`; `published`: what `hub.prepare` knows besides."""
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=folder, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.get_template("model_card.md.jinja").render(**evaluation, **published)


def write_serving_settings(path: Path, settings: dict[str, Any]) -> None:
    """Add what the serving code needs to the model's `config.json`, under one key of our own.

    At the top level, transformers would take `max_length` for a setting of text generation.
    """
    write_json(path, {**json.loads(path.read_text(encoding="utf-8")), SECTION: settings})


def copy_serving_code(folder: Path, source: Path = SERVING_SOURCE) -> None:
    """Copy the serving code to `code/` of the artifact: entry points to its root, the rest as a package."""
    package = folder / CODE / "serving"
    package.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*.py")):
        shutil.copyfile(path, (package.parent if path.name in ENTRY_POINTS else package) / path.name)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` with an indentation of two spaces and a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _move_in(building: Path, model_dir: Path) -> None:
    """Replace the content of `model_dir` by that of `building`.

    Move entry by entry, because in a container the folder itself may be a mount point. Keep the old content until
    everything new is in place, and restore it after a failure.
    """
    model_dir.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{model_dir.name}-old-", dir=model_dir.parent) as aside:
        moved: list[Path] = []
        try:
            for entry in list(model_dir.iterdir()):
                entry.rename(Path(aside) / entry.name)
            moved.extend(Path(shutil.move(entry, model_dir / entry.name)) for entry in list(building.iterdir()))
        except BaseException:
            for entry in moved:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            for entry in list(Path(aside).iterdir()):
                entry.rename(model_dir / entry.name)
            raise
