"""A real training: the base model of the package, on the bundled data set."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from small_model import PACKAGE, write_small_model

JOB = Path(__file__).parents[3] / "training_job"


@pytest.mark.e2e
@pytest.mark.parametrize("base", ["small", pytest.param("default", marks=pytest.mark.nightly(part="real-data"))])
@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason=f"the package {PACKAGE} is not installed")
def test_the_bundled_data_is_learned_with_two_paths_and_no_network(tmp_path: Path, base: str) -> None:
    """`train.py --train … --test … --model-dir …` makes a model whose int8 form is right nine times out of ten."""
    out = tmp_path / "out"
    command = [sys.executable, str(JOB / "train.py"), "--train", str(JOB / "data"), "--test", str(JOB / "data")]
    if base == "small":
        command += ["--base_model", str(write_small_model(tmp_path / "small"))]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    environ["PIP_NO_INDEX"] = "1"
    done = subprocess.run([*command, "--model-dir", str(out)], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads((out / "evaluation.json").read_text())
    assert figures["int8"]["accuracy"] > 0.9 and figures["int8"]["agreement"] >= 0.95
    assert figures["test"]["pearson"] > 0.8
    assert figures["vendored"]["onnxruntime"] is None
    assert figures["vendored"]["note"] in done.stderr and figures["vendored"]["note"] in (out / "README.md").read_text()
