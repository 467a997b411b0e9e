"""The training script with two paths and no network; at night with the default base model, on the bundled data."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from small_model import PACKAGE

JOB = Path(__file__).parents[3] / "training_job"


@pytest.mark.e2e
@pytest.mark.parametrize("base", ["tiny", pytest.param("default", marks=pytest.mark.nightly(part="real-data"))])
def test_data_is_learned_with_two_paths_and_no_network(
    tmp_path: Path, base: str, tiny_base: Path, scored_data: Path
) -> None:
    """`train.py --train … --test … --model-dir …` makes a model whose int8 form is right nine times out of ten.

    Without an index it leaves onnxruntime out of the artifact, and says so.
    """
    if base == "default" and importlib.util.find_spec(PACKAGE) is None:
        pytest.skip(f"the package {PACKAGE} is not installed")
    out, data = tmp_path / "out", scored_data if base == "tiny" else JOB / "data"
    command = [sys.executable, str(JOB / "train.py"), "--train", str(data), "--test", str(data)]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    environ["PIP_NO_INDEX"] = "1"
    if base == "tiny":
        command += [f"--base_model={tiny_base}", "--epochs=8", "--learning_rate=5e-3", "--bootstrap_resamples=200"]
        environ["OMP_NUM_THREADS"] = "1"
    done = subprocess.run([*command, "--model-dir", str(out)], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads((out / "evaluation.json").read_text())
    assert figures["int8"]["accuracy"] > 0.9 and figures["int8"]["agreement"] >= 0.95
    assert figures["test"]["pearson"] > 0.8
    assert figures["vendored"]["onnxruntime"] is None
    assert figures["vendored"]["note"] in done.stderr and figures["vendored"]["note"] in (out / "README.md").read_text()
