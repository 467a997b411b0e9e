"""Training, export and serving with the versions of AWS's containers: Python 3.12, NumPy 1, pandas 2, older torch.

`tests/support/containers/*.txt` hold them. scikit-learn is not among them: whether the image has it is not published.
AWS's toolkit starts the training as it does in the container. Nothing here needs the local cloud.
"""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from benchmarks.stock.environment import find_python
from classifier.job.hyperparameter_rules import encoded
from local_project import ROOT
from small_model import PACKAGE, write_small_model
from tools.setup import UV

pytestmark = [pytest.mark.e2e, pytest.mark.nightly(part="containers")]

JOB = ROOT / "training_job"
PINS = ROOT / "tests" / "support" / "containers"
WORDS = (
    "lamp",
    "kettle",
    "scarf",
    "tent",
    "drill",
    "guitar",
    "carpet",
    "bicycle",
    "camera",
    "mattress",
    "plant",
    "clock",
)
ASK = """
import json, sys
folder = sys.argv[1]
sys.path.insert(0, folder + "/code")
import inference
model = inference.model_fn(folder)
body = json.dumps({"inputs": json.loads(sys.argv[2])})
print(inference.transform_fn(model, body, "application/json", "application/json"))
"""
TRACK = """
import logging, os
from importlib.metadata import entry_points
from classifier.report.tracking import tracked
with tracked({**os.environ, "TRAINING_JOB_NAME": "a-job"}, {"seed": 1}, {}):
    logging.getLogger("classifier").warning("epoch=1.00 step=5/5 loss=0.5000 eta=0s")
print([one.name for one in entry_points(group="mlflow.tracking_store")])
"""


@pytest.fixture(scope="session")
def container() -> Callable[[str], Path]:
    """The interpreter of an environment with a container's versions, installed once below `.local`."""

    def install(name: str) -> Path:
        python = find_python((3, 12))
        if python is None:
            pytest.skip("no Python 3.12, which the containers have: install it, on the PATH or with pyenv")
        pins = PINS / f"{name}.txt"
        folder = ROOT / ".local" / f"container-{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
        interpreter = folder / "bin" / "python"
        if not (folder / ".ready").exists():
            install = [UV, "pip", "install", "--quiet", "--system-certs", "--no-deps", "--require-hashes"]
            install += ["--python", interpreter]
            subprocess.run([UV, "venv", "--quiet", "--clear", "--python", python, folder], check=True)
            subprocess.run([*install, "-r", pins], check=True)
            (folder / ".ready").touch()
        return interpreter

    return install


def scored(folder: Path) -> tuple[Path, dict[str, str], list[str]]:
    """The bundled sentences with their score, a small base model, and texts to ask about."""
    base = write_small_model(folder / "base")
    return JOB / "data", {"base_model": str(base)}, ["The zoom is sharp up to 200 mm.", "This was a gift."]


def few_rows(folder: Path) -> tuple[Path, dict[str, str], list[str]]:
    """Twelve rows of each of twelve classes, in cp1252 with semicolons: the recipe for few rows."""
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None and found.origin is not None
    starts = ("The", "My new", "A friend's", "Our café's", "This green", "Her old", "That", "His", "An odd", "One more")
    ends = ("broke after a week", "is a joy to use", "came without instructions", "was cheaper elsewhere")
    rows = [(f"{a} {word} {b}.", word) for word in WORDS for a, b in list(itertools.product(starts, ends))[::3]]
    (folder / "data").mkdir()
    frame = pandas.DataFrame(rows, columns=["text", "article"])
    frame.to_csv(folder / "data" / "few.csv", sep=";", index=False, encoding="cp1252")
    base = Path(found.origin).parent / "model"
    return (
        folder / "data" / "few.csv",
        {"base_model": str(base), "label_column": "article"},
        ["A very loud guitar.", "My tent leaks."],
    )


def several(folder: Path) -> tuple[Path, dict[str, str], list[str]]:
    """Texts with one or two labels, as Excel writes them."""
    base = write_small_model(folder / "base")
    subjects = ("the invoice", "the parcel", "the app")
    problems = ("is wrong", "is late", "is broken", "was a surprise", "made me angry", "was not what I asked for")
    singles = [
        (f"{start} {s} {p}", s) for start in ("Hello,", "Again", "Since May") for s in subjects for p in problems
    ]
    pairs = [(f"{a} and {b}", f"{x}|{y}") for (a, x), (b, y) in itertools.product(singles, singles) if x < y]
    (folder / "data").mkdir()
    frame = pandas.DataFrame([*singles, *pairs[::2]], columns=["text", "labels"])
    frame.to_csv(folder / "data" / "several.csv", index=False)
    values = {"base_model": str(base), "label_separator": "|"}
    return folder / "data" / "several.csv", values, ["Hello, the invoice is wrong and the parcel is late"]


def train(python: Path, data: Path, values: dict[str, str], base: Path) -> subprocess.CompletedProcess[str]:
    """Start train.py as the container does; `base` stands for /opt/ml."""
    for name in ("input/config", "input/data", "model", "output/data"):
        (base / name).mkdir(parents=True)
    (base / "code").symlink_to(JOB)
    channels = ("train",) if data.is_file() else ("train", "test")
    for channel in channels:
        (base / "input" / "data" / channel).symlink_to(data.parent if data.is_file() else data)
    given = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://b/code.tar.gz"}
    host = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
    config = {
        "hyperparameters": encoded(values) | given,
        "inputdataconfig": {channel: {} for channel in channels},
        "resourceconfig": host,
    }
    for name, content in config.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(content))
    environ = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))} | {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "HOME": str(base / "home"),
        "PYTHONPATH": str(ROOT / "build" / "toolkit"),
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
        "SM_STUDIO_LOCAL_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "LC_ALL": "C.UTF-8",
    }
    command = [python, "-P", "-m", "sagemaker_training.cli.train"]
    return subprocess.run(command, env=environ, cwd=base, capture_output=True, text=True)


def ask(python: Path | str, model: Path, texts: list[str]) -> list[dict[str, Any]]:
    """The predictions of the artifact's own hooks, in that interpreter."""
    command = [python, "-I", "-c", ASK, model, json.dumps(texts)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    predictions: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["predictions"]
    return predictions


@pytest.mark.parametrize("case", [scored, few_rows, several], ids=lambda case: case.__name__)
@pytest.mark.parametrize("vendored", ["yes", "no"])
def test_what_trains_here_trains_and_serves_there(
    case: Callable[[Path], tuple[Path, dict[str, str], list[str]]],
    vendored: str,
    container: Callable[[str], Path],
    tmp_path: Path,
    tell: Callable[[str], None],
) -> None:
    """The training container's versions train and export; the inference container's and this folder's answer alike.

    Once with the onnxruntime that the job brings along for Python 3.12, and once without: then torch 2.6 answers there.
    """
    training, inference = container("training"), container("inference")
    data, values, texts = case(tmp_path)
    done = train(
        training, data, {**values, "vendor_onnxruntime": vendored, "bootstrap_resamples": "200"}, tmp_path / "ml"
    )
    failure = tmp_path / "ml" / "output" / "failure"
    assert done.returncode == 0, failure.read_text() if failure.exists() else (done.stdout + done.stderr)[-4000:]
    model = tmp_path / "ml" / "model"
    figures = json.loads((model / "evaluation.json").read_text())
    assert "scikit-learn is not installed" in done.stdout + done.stderr
    there, here = ask(inference, model, texts), ask(sys.executable, model, texts)
    brought, macro = figures["vendored"]["onnxruntime"], figures["test"]["macro_f1"]["value"]
    tell(f"{case.__name__}: onnxruntime {brought}, macro F1 {macro:.3f}")
    assert (brought is None) == (vendored == "no")
    assert [one["label"] for one in there] == [one["label"] for one in here]
    for one, other in zip(there, here, strict=True):
        assert one["confidence"] == pytest.approx(other["confidence"], abs=0.03)


def test_a_job_brings_mlflow_along(container: Callable[[str], Path], tmp_path: Path) -> None:
    """The training container lacks it. With what it has, the wheels of `tracking.txt` report a run to a server.

    They are deleted at the end; those of SageMaker's server are among them.
    """
    started = [sys.executable, ROOT / "tests" / "support" / "tracking_server.py", tmp_path]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as server:
        assert server.stdout
        port, python = server.stdout.readline().strip(), container("training")
        environ = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        environ |= {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}", "PYTHONPATH": str(JOB), "TMPDIR": str(tmp_path)}
        done = subprocess.run([python, "-c", TRACK], env=environ, cwd=tmp_path, capture_output=True, text=True)
        server.kill()
        assert (done.returncode, done.stdout.strip()) == (0, "['arn']"), done.stderr[-3000:]
        assert "not tracked" not in done.stderr
        assert "POST /api/2.0/mlflow/runs/log-batch" in server.stdout.read()
    assert not list(tmp_path.glob("mlflow-*"))
