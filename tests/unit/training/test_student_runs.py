"""A training that ends with a student: its reports state what it costs in accuracy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import train

pytestmark = pytest.mark.integration

QUICK = ["--epochs=8", "--learning_rate=5e-3", "--max_length=16", "--logging_steps=5", "--bootstrap_resamples=200"]


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("objective", "precision"), [("regression", "bf16"), ("classification", "fp32")])
def test_a_student_run_states_its_price(
    objective: str,
    precision: str,
    tiny_base: Path,
    scored_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The artifact has fewer layers; evaluation, card and log compare it with the full model."""
    out = tmp_path / "out"
    data = ["--train", str(scored_data), "--test", str(scored_data), "--model-dir", str(out)]
    student = [f"--base_model={tiny_base}", f"--objective={objective}", "--student_layers=1"]
    student.append(f"--precision={precision}")
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
    printed = capsys.readouterr().out
    assert "student: layers 0; accuracy" in printed
    step, steps = re.findall(r"step=(\d+)/(\d+)", printed)[-1]
    assert int(steps) - int(step) < 5, "the steps of the full model's training and of the student's are counted as one"


def test_too_many_layers_are_refused_before_training(tiny_base: Path, scored_data: Path, tmp_path: Path) -> None:
    """The failure file says how many the base model has."""
    environ = {"SAGEMAKER_BASE_DIR": str(tmp_path), "SM_CHANNEL_TRAIN": str(scored_data)}
    assert train.main([f"--base_model={tiny_base}", "--student_layers=2", *QUICK], environ) == 1
    assert "the base model has 2 layers" in (tmp_path / "output/failure").read_text()
