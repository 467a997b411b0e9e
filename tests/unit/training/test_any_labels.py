"""The training job on many classes and on several labels a text, end to end on a tiny base model."""

from __future__ import annotations

import json
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

import train
from classifier.artifact import hub
from fake_hub import pipeline_answers, running_hub
from stacks.training.job.metrics import METRICS
from tests.unit.training.conftest import WORDS, stopped_at

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
CLASSES = WORDS[:8]
QUICK = [
    "--epochs=8",
    "--learning_rate=5e-3",
    "--max_length=16",
    "--logging_steps=10",
    "--bootstrap_resamples=200",
    "--vendor_onnxruntime=no",
]
SEVERAL = ["--epochs=20", "--learning_rate=2e-3"]
"""Several labels at once take the tiny model longer than one."""


def start(*arguments: str) -> int:
    """Run the job in this process; return its exit status."""
    return train.main(list(arguments), {})


def write_classes(path: Path, *, rows: int, offset: int) -> None:
    """Write rows whose class is the word that they hold; the classes' names are not in the order of their ids."""
    with path.open("w", encoding="utf-8") as file:
        for n in range(offset, offset + rows):
            word = CLASSES[n % len(CLASSES)]
            row = {"text": f"the {'very ' * (n % 3)}{word} long {n}", "label": f"about {word}"}
            file.write(json.dumps(row) + "\n")


def write_several(path: Path, *, rows: int, offset: int) -> None:
    """Write rows with none, one or two labels: those words that they hold."""
    rng = np.random.default_rng(offset)
    with path.open("w", encoding="utf-8") as file:
        for n in range(offset, offset + rows):
            words = sorted({CLASSES[place] for place in rng.choice(4, size=n % 3)})
            file.write(json.dumps({"text": f"the {' '.join(words)} long {n}", "labels": words}) + "\n")


def prepared(folder: Path, write) -> Path:
    """Write train and test rows."""
    write(folder / "train.jsonl", rows=640, offset=0)
    write(folder / "test.jsonl", rows=96, offset=1_000)
    return folder


def run_job(data: Path, base: Path, out: Path, *more: str) -> tuple[dict, dict]:
    """Train, with the log in a file beside the artifact; return the artifact's configuration and its evaluation."""
    arguments = ["--train", str(data), "--test", str(data), "--model-dir", str(out), f"--base_model={base}", *QUICK]
    with (out.parent / "log").open("w", encoding="utf-8") as log, redirect_stdout(log):
        assert start(*arguments, *more) == 0
    config, evaluation = (json.loads((out / name).read_text()) for name in ("config.json", "evaluation.json"))
    return config, evaluation


@pytest.fixture(scope="module")
def of_classes(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict, dict]:
    """A model of 8 classes: data, artifact, configuration, evaluation."""
    folder = tmp_path_factory.mktemp("classes")
    data = prepared(folder, write_classes)
    return data, folder / "out", *run_job(data, tiny_base, folder / "out")


@pytest.fixture(scope="module")
def of_several(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict, dict]:
    """A model of 4 labels, several a text: data, artifact, configuration, evaluation."""
    folder = tmp_path_factory.mktemp("several")
    data = prepared(folder, write_several)
    return data, folder / "out", *run_job(data, tiny_base, folder / "out", *SEVERAL)


def test_many_classes_are_learned(of_classes: tuple[Path, Path, dict, dict]) -> None:
    """The figures, the classes' figures and the settings for serving are those of eight classes."""
    _, _, config, evaluation = of_classes
    names = sorted(f"about {word}" for word in CLASSES)
    assert sorted(evaluation["labels"]) == names and list(config["id2label"].values()) == evaluation["labels"]
    assert config["text_classifier"]["objective"] == evaluation["objective"] == "classification"
    assert config["problem_type"] == "single_label_classification"
    test = evaluation["test"]
    assert test["accuracy"]["value"] > 0.95 and test["macro_f1"]["value"] > 0.95
    assert test["f1"] == test["macro_f1"] and set(test["classes"]) == set(names)
    assert sum(of["rows"] for of in test["classes"].values()) == test["rows"] == 96
    assert 0 <= test["calibration"]["ece"] < 0.1 and sum(of["rows"] for of in test["calibration"]["bins"]) == 96
    assert evaluation["recipe"]["epochs"] == 8 and evaluation["recipe"]["label_smoothing"] == 0


def test_several_labels_are_learned(of_several: tuple[Path, Path, dict, dict]) -> None:
    """Also that a text may have none; each label has its threshold, in the configuration as in the evaluation."""
    data, out, config, evaluation = of_several
    settings = config["text_classifier"]
    assert settings["objective"] == evaluation["objective"] == "multilabel"
    assert config["problem_type"] == "multi_label_classification"
    assert settings["label_thresholds"] == evaluation["label_thresholds"] and len(settings["label_thresholds"]) == 4
    assert evaluation["test"]["macro_f1"]["value"] > 0.8 and evaluation["test"]["accuracy"]["value"] > 0.7
    rows = [json.loads(line) for line in (out.parent / "out-output/test_rows.jsonl").open()]
    given = [json.loads(line) for line in (data / "test.jsonl").open()]
    assert [row["text"] for row in rows] == [row["text"] for row in given]
    assert [[evaluation["labels"][n] for n in row["labels"]] for row in rows] == [row["labels"] for row in given]
    assert all("label" not in row for row in rows) and any(row["labels"] == [] for row in rows)


@pytest.mark.parametrize(
    ("made", "names"),
    [("of_classes", ["accuracy", "f1", "macro_f1"]), ("of_several", ["accuracy", "f1", "macro_f1", "micro_f1"])],
)
def test_the_metric_definitions_find_the_figures_in_the_log(
    made: str, names: list[str], request: pytest.FixtureRequest
) -> None:
    """Of many classes and of several labels, the last value of each is the evaluation's."""
    data, _, _, evaluation = request.getfixturevalue(made)
    log = (data / "log").read_text()
    found = {name: float(values[-1]) for name, regex in METRICS.items() if (values := re.findall(regex, log))}
    for split, part in (("eval", "validation"), ("test", "test")):
        expected = {f"{split}_{name}": round(evaluation[part][name]["value"], 4) for name in names}
        assert {name: value for name, value in found.items() if name.startswith(f"{split}_")} == expected | (
            {"eval_loss": found["eval_loss"]} if split == "eval" else {}
        )


@pytest.mark.parametrize("made", ["of_classes", "of_several"])
def test_the_int8_model_answers_as_the_float32_one(made: str, request: pytest.FixtureRequest) -> None:
    """What is lost is within half a point, and the logits are those of the saved model, within 7 bits."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from classifier.model.encoding import encode, model_logits
    from classifier.onnx_export.export import onnx_logits

    data, out, _, evaluation = request.getfixturevalue(made)
    int8 = evaluation["int8"]
    assert int8["agreement"] >= 0.95 and int8["macro_f1"] >= evaluation["test"]["macro_f1"]["value"] - 0.005
    texts = [json.loads(line)["text"] for line in (data / "test.jsonl").open()]
    tokenizer = AutoTokenizer.from_pretrained(out)
    encoded = encode(tokenizer, texts)
    model = AutoModelForSequenceClassification.from_pretrained(out, dtype=torch.float32)
    wanted = model_logits(model, tokenizer, encoded, 16)
    found = onnx_logits(out / "onnx/model_int8.onnx", tokenizer, encoded, 16)
    assert found.shape == wanted.shape == (96, len(evaluation["labels"]))
    assert np.abs(found - wanted).max() < 0.15 * np.abs(wanted).max()


@pytest.mark.parametrize("made", ["of_classes", "of_several"])
def test_the_baseline_stands_beside_the_figures(made: str, request: pytest.FixtureRequest) -> None:
    """A model of words learns the tiny task too; the card states it in one sentence."""
    _, out, _, evaluation = request.getfixturevalue(made)
    assert evaluation["baseline"]["name"] == "TF-IDF + logistic regression"
    assert evaluation["baseline"]["test"]["macro_f1"] > 0.9
    assert "For comparison, TF-IDF + logistic regression: accuracy " in (out / "README.md").read_text()


def test_the_card_has_a_line_for_each_label(of_several: tuple[Path, Path, dict, dict]) -> None:
    """It says what the thresholds are for, and the text of the pipeline still runs."""
    _, out, _, evaluation = of_several
    card = (out / "README.md").read_text()
    assert "# Text classifier: 4 labels" in card and "label_thresholds" in card
    assert all(f"| `{name}` |" in card for name in evaluation["labels"])


def test_published_models_answer_as_their_folders(
    of_classes: tuple, of_several: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loaded by name from the Hub with the real `pipeline`: a probability for each class, and for each label."""
    texts = ["the good long 1", "the bad very battery 2"]
    with running_hub(monkeypatch) as server:
        for name, made in (("owner/classes", of_classes), ("owner/several", of_several)):
            api, _, there = hub.look(name)
            hub.send(api, name, there, hub.prepare(api, name, there, made[1]), "Publish the model")
        found = pipeline_answers(server, {"owner/classes": texts, "owner/several": texts}, tmp_path)
    folders = pipeline_answers(None, {str(of_classes[1]): texts, str(of_several[1]): texts}, tmp_path)
    assert list(found.values()) == list(folders.values())
    classes, several = found.values()
    assert all(sum(one["score"] for one in answer) == pytest.approx(1, abs=1e-3) for answer in classes)
    assert several[0][0]["label"] == "good" and len(several[0]) == 4
    assert all(sum(one["score"] for one in answer) != pytest.approx(1, abs=1e-3) for answer in several)


def test_a_class_that_is_a_student_of_many(tiny_base: Path, of_classes: tuple, tmp_path: Path) -> None:
    """A student learns eight classes from its teacher, and its cost in accuracy is stated."""
    config, evaluation = run_job(of_classes[0], tiny_base, tmp_path / "out", "--student_layers=1", "--epochs=6")
    assert config["num_hidden_layers"] == 1 and len(config["id2label"]) == 8
    assert evaluation["test"]["accuracy"]["value"] > 0.9
    assert "accuracy" in evaluation["student"]["difference"]


def test_a_student_of_several_labels_has_thresholds_of_its_own(
    tiny_base: Path, of_several: tuple, tmp_path: Path
) -> None:
    """They are chosen on the student's own probabilities."""
    quicker = ["--epochs=6", "--learning_rate=5e-3"]  # the student takes three times as many epochs
    config, evaluation = run_job(of_several[0], tiny_base, tmp_path / "out", "--student_layers=1", *quicker)
    assert config["num_hidden_layers"] == 1 and len(config["text_classifier"]["label_thresholds"]) == 4
    assert evaluation["test"]["macro_f1"]["value"] > 0.7


def test_a_stopped_training_of_several_labels_goes_on(
    tiny_base: Path, of_several: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGTERM leaves a checkpoint; the next start goes on from it and learns as much as a run without a stop."""
    data = of_several[0]
    arguments = ["--train", str(data), "--test", str(data), "--model-dir", str(tmp_path / "out")]
    arguments += [f"--base_model={tiny_base}", *QUICK, *SEVERAL]
    with stopped_at(step=100):
        start(*arguments)
    capsys.readouterr()
    assert start(*arguments) == 0
    steps = [int(step) for step in re.findall(r"step=(\d+)/", capsys.readouterr().out)]
    assert steps[0] == 110
    resumed = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert resumed["test"]["macro_f1"]["value"] > 0.8
