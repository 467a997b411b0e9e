"""The model folder is written completely or not at all."""

from pathlib import Path

import pytest

from classifier.artifact.package import copy_serving_code, model_card, model_folder
from classifier.model.base_model import find_base_model


def names(folder: Path) -> list[str]:
    """List everything in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


def test_what_was_built_is_moved_in(tmp_path: Path) -> None:
    """Files and folders arrive, and nothing is left beside the model folder."""
    with model_folder(tmp_path / "model") as folder:
        (folder / "config.json").write_text("new")
        (folder / "onnx").mkdir()
        (folder / "onnx/model.onnx").touch()
    assert names(tmp_path / "model") == ["config.json", "onnx"]
    assert names(tmp_path) == ["model"]


def test_until_the_end_nothing_is_in_the_model_folder(tmp_path: Path) -> None:
    """A container that dies during the export uploads no partial model."""
    (tmp_path / "model").mkdir()
    with model_folder(tmp_path / "model") as folder:
        (folder / "config.json").touch()
        assert names(tmp_path / "model") == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_after_a_failure_the_earlier_model_is_unchanged(tmp_path: Path, error: type[BaseException]) -> None:
    """An exception, Ctrl-C and a stop leave the previous content and no scratch folder."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("old")
    with pytest.raises(error), model_folder(tmp_path / "model") as folder:
        (folder / "config.json").write_text("new")
        raise error
    assert (tmp_path / "model/config.json").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_an_earlier_model_is_replaced_whole(tmp_path: Path) -> None:
    """No file of the old model survives in the new one."""
    (tmp_path / "model/onnx").mkdir(parents=True)
    (tmp_path / "model/pytorch_model.bin").touch()
    with model_folder(tmp_path / "model") as folder:
        (folder / "config.json").touch()
    assert names(tmp_path / "model") == ["config.json"]


def test_serving_code_is_laid_out_for_the_containers(tmp_path: Path) -> None:
    """The entry point is directly in code/, the package below it; no compiled files, no server of the image."""
    copy_serving_code(tmp_path)
    assert {"inference.py", "serving"} == set(names(tmp_path / "code"))
    assert "__init__.py" in names(tmp_path / "code/serving")
    assert not {"inference.py", "server", "__pycache__"} & set(names(tmp_path / "code/serving"))


def test_the_model_card_states_the_figures_that_were_measured() -> None:
    """The card's table has the figures of evaluation.json, to four digits."""
    figures = {
        "accuracy": {"value": 0.8691, "low": 0.8541, "high": 0.8839},
        "f1": {"value": 0.9041, "low": 0.8925, "high": 0.9152},
        "pearson": None,
        "rows": 1000,
        "calibration": {"ece": 0.021, "bins": []},
        "confused": [],
    }
    share = {"value": 0.75, "low": 0.7, "high": 0.8}
    of_label = {"rows": 500, "precision": share, "recall": share, "f1": share}
    figures["classes"] = {"no": of_label, "yes": of_label}
    evaluation = {
        "test": figures,
        "validation": figures,
        "int8": {"accuracy": 0.8675, "agreement": 0.9861, "split": "test"},
        "labels": ["no", "yes"],
        "objective": "regression",
        "train_rows": 19000,
        "data_sha256": "abc",
        "train_seconds": 170.2,
        "vendored": {"note": "onnxruntime 1.31.1 travels along."},
        "baseline": None,
        "recipe": {"epochs": 2, "learning_rate": 1e-4, "batch_size": 32},
    }
    card = model_card(evaluation, find_base_model("distilbert-base-uncased"))
    assert "| test | 1000 | 0.8691 (0.8541–0.8839) | 0.9041 (0.8925–0.9152) | – |" in card
    assert "98.6% of the answers to the test rows (accuracy 0.8675)" in card
    assert "| `yes` | 500 | 0.7500 | 0.7500 | 0.7500 (0.7000–0.8000) |" in card
    assert "\nbase_model: distilbert-base-uncased\n" in card
    assert "\nonnxruntime 1.31.1 travels along.\n" in card
