"""A student: some layers of the trained model, taught by it, and its price stated wherever figures are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import train
from classifier.errors import HyperparameterInvalid
from classifier.student import LABEL_SHARE, cut_layers, distillation_loss, kept_layers

QUICK = ["--epochs=8", "--learning_rate=5e-3", "--max_length=16", "--logging_steps=5", "--bootstrap_resamples=200"]


@pytest.mark.parametrize(("wanted", "total", "kept"), [(3, 6, [0, 2, 5]), (1, 6, [0]), (6, 12, [0, 2, 4, 7, 9, 11])])
def test_layers_are_kept_evenly(wanted: int, total: int, kept: list[int]) -> None:
    """First and last stay; between them the distances differ by one at most."""
    assert kept_layers(wanted, total) == kept


def test_a_student_has_fewer_layers_than_its_teacher() -> None:
    """As many are refused, with the number that is allowed."""
    with pytest.raises(HyperparameterInvalid, match="the base model has 6 layers"):
        kept_layers(6, 6)


def test_a_student_starts_with_its_teachers_layers(tiny_base: Path) -> None:
    """The layers are copies; the teacher keeps all of its own."""
    from transformers import AutoModelForSequenceClassification

    teacher = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=1)
    student = cut_layers(teacher, [1])
    wanted = teacher.bert.encoder.layer[1].output.dense.weight
    assert (student.config.num_hidden_layers, len(student.bert.encoder.layer)) == (1, 1)
    assert len(teacher.bert.encoder.layer) == teacher.config.num_hidden_layers == 2
    assert torch.equal(student.bert.encoder.layer[0].output.dense.weight, wanted)
    assert student.bert.encoder.layer[0].output.dense.weight is not wanted


def test_the_loss_of_a_score_weighs_teacher_and_data() -> None:
    """An answer of 1 where the teacher says 0 and the data 3."""
    loss = distillation_loss({"logits": torch.tensor([[1.0]])}, torch.tensor([[0.0, 3.0]]))
    assert loss.item() == pytest.approx((1 - LABEL_SHARE) * 1 + LABEL_SHARE * 4)


def test_the_loss_of_labels_weighs_teacher_and_data() -> None:
    """Undecided logits where the teacher says [1, -1] and the data label 0: cross-entropy is log 2."""
    loss = distillation_loss({"logits": torch.zeros(1, 2)}, torch.tensor([[1.0, -1.0, 0.0]]))
    assert loss.item() == pytest.approx((1 - LABEL_SHARE) * 1 + LABEL_SHARE * 0.693147, abs=1e-5)


@pytest.mark.integration
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("objective", ["regression", "classification"])
def test_a_student_run_states_its_price(
    objective: str, tiny_base: Path, scored_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An ordinary artifact of fewer layers; evaluation, card and log have the full model's figures beside its own."""
    out = tmp_path / "out"
    data = ["--train", str(scored_data), "--test", str(scored_data), "--model-dir", str(out)]
    student = [f"--base_model={tiny_base}", f"--objective={objective}", "--student_layers=1"]
    assert train.main([*data, *student, *QUICK], {}) == 0
    evaluation = json.loads((out / "evaluation.json").read_text())
    stated = evaluation["student"]
    assert json.loads((out / "config.json").read_text())["num_hidden_layers"] == 1
    assert (stated["layers"], stated["split"], stated["teacher"]["rows"]) == ([0], "test", 60)
    difference = stated["difference"]["accuracy"]
    full, own = stated["teacher"]["accuracy"]["value"], evaluation["test"]["accuracy"]["value"]
    assert own - full == pytest.approx(difference["value"])
    assert difference["low"] <= difference["value"] <= difference["high"]
    assert own > 0.9
    assert "This is a student" in (out / "README.md").read_text()
    assert "student: layers 0; accuracy" in capsys.readouterr().out


@pytest.mark.integration
def test_too_many_layers_are_refused_before_training(tiny_base: Path, scored_data: Path, tmp_path: Path) -> None:
    """The failure file says how many the base model has."""
    environ = {"SAGEMAKER_BASE_DIR": str(tmp_path), "SM_CHANNEL_TRAIN": str(scored_data)}
    assert train.main([f"--base_model={tiny_base}", "--student_layers=2", *QUICK], environ) == 1
    assert "the base model has 2 layers" in (tmp_path / "output/failure").read_text()
