"""A training that was stopped ends with the weights of one that was not."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from classifier.job.hyperparameters import Hyperparameters
from classifier.job.interruption import StopRequest
from classifier.job.processes import Processes
from classifier.model.base_model import find_base_model, load_base_model
from classifier.model.encoding import encode
from classifier.training.callbacks import Progress
from classifier.training.fit import Fitting
from classifier.training.plan import Plan
from classifier.training.student import StudentTrainer
from tests.unit.training.conftest import WORDS, stopped_at

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("one_thread")]
OUTPUTS = {"regression": 1, "classification": 3, "multilabel": 3}
STEPS = 5
"""In an epoch: 40 rows in batches of 8."""


def rows(tokenizer: Any, objective: str, count: int = 40) -> Any:
    """Make rows of different lengths with random targets."""
    draw = np.random.default_rng(1)
    texts = [" ".join(draw.choice(WORDS, draw.integers(1, 12))) for _ in range(count)]
    targets: dict[str, Any] = {
        "regression": draw.normal(size=count),
        "classification": draw.integers(0, 3, count),
        "multilabel": draw.integers(0, 2, (count, 3)).astype(float),
    }
    return encode(tokenizer, texts, targets[objective].tolist())


def trained(
    base: Path, folder: Path, objective: str, *, student: bool = False, stop: StopRequest | None = None
) -> dict[str, torch.Tensor]:
    """Train for three epochs with dropout, from the checkpoint in `folder` if there is one; return the weights."""

    def load(seed: int) -> Any:
        torch.manual_seed(seed)
        several = objective == "multilabel"
        return load_base_model(
            find_base_model(str(base)), outputs=OUTPUTS[objective], multilabel=several, max_length=16, dropout=0.3
        )

    tokenizer, model = load(0)
    train = rows(tokenizer, objective)
    fitting = Fitting(tokenizer, train, train, lambda *_: {}, folder, stop or StopRequest(), Processes())
    hp = Hyperparameters(precision="fp32", logging_steps=1)
    plan = Plan(epochs=3, learning_rate=5e-3, batch_size=8, seed=3)
    other = {"trainer_type": partial(StudentTrainer, teacher=load(1)[1], special=[0, 2, 3])} if student else {}
    return dict(fitting.fit("full", model, hp, plan, Progress(), **other).model.state_dict())


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether all weights are the same bits."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def straight() -> dict[str, dict[str, torch.Tensor]]:
    """The weights of each objective that was never stopped."""
    return {}


@pytest.mark.parametrize("step", [2, 2 * STEPS - 1, STEPS + 2], ids=["early", "at an epoch's end", "second epoch"])
@pytest.mark.parametrize("objective", [*OUTPUTS, "student"])
def test_a_resumed_training_ends_with_the_same_weights(
    objective: str,
    step: int,
    straight: dict[str, dict[str, torch.Tensor]],
    tiny_base: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Stopped after any step and resumed, all objectives and a student learn from the same batches with one dropout."""
    caplog.set_level(logging.INFO, "classifier")
    train = partial(
        trained, tiny_base, objective=objective.replace("student", "classification"), student=objective == "student"
    )
    with StopRequest().watched() as stop, stopped_at(step):
        train(tmp_path / "stopped", stop=stop)
    assert f"Stopped at step {step + 1};" in caplog.text
    if objective not in straight:
        straight[objective] = train(tmp_path / "straight")
    resumed = train(tmp_path / "stopped")
    assert equal(resumed, straight[objective])
    assert "Resuming" in caplog.text
