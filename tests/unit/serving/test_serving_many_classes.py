"""The slim server with 77 classes answers as fast as with two: the same network but for its last layer."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from operations.local_cloud.images import serving_images
from operations.sizing.http_load import load
from operations.sizing.server import ImageServer

pytestmark = [pytest.mark.integration, pytest.mark.nightly(part="client")]
ROOT = Path(__file__).resolve().parents[3]
CLASSES = (2, 77)
ROUNDS, REQUESTS = 9, 150
MOST = 1.05
SENTENCES = [json.loads(line)["sentence"] for line in (ROOT / "training_job/data/test.json").read_text().splitlines()]


def artifact(folder: Path, classes: int) -> Path:
    """Train the default base model on a few rows of so many labels, which one sentence each tells apart."""
    folder.mkdir()
    rows = [{"text": f"{SENTENCES[row % classes]} {row}", "label": f"n {row % classes}"} for row in range(12 * classes)]
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    given = {"train": folder / "data.jsonl", "model-dir": folder / "model"}
    options = [str(part) for name, value in given.items() for part in (f"--{name}", value)]
    command = [sys.executable, str(ROOT / "training_job" / "train.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder / "model"


def test_77_classes_take_as_long_as_two(tmp_path: Path, tell: Callable[[str], None]) -> None:
    """One text a request, in turns; the medians of the rounds. Both servers have the first core."""
    bodies = [json.dumps({"inputs": sentence}).encode() for sentence in SENTENCES[:50]]
    medians: dict[int, list[float]] = {classes: [] for classes in CLASSES}
    image = serving_images()["slim"]
    with ExitStack() as running:
        servers = {}
        for classes in CLASSES:
            model = artifact(tmp_path / str(classes), classes)
            servers[classes] = running.enter_context(ImageServer(image, model, core=0))
            servers[classes].await_answer(SENTENCES[0])
        for _ in range(ROUNDS):
            for classes, server in servers.items():
                found = load(server.port, bodies, connections=1, requests=REQUESTS, seconds=60)
                medians[classes].append(found.milliseconds(0.5))
    two, many = (statistics.median(medians[classes]) for classes in CLASSES)
    tell(f"median of {ROUNDS} rounds: {two:.2f} ms with 2 classes, {many:.2f} ms with 77: {many / two:.3f} times")
    assert many <= MOST * two, medians
