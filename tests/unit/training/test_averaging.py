"""Several trainings from one start, and the mean of their weights."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

from classifier.model.objective import loss

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def models(tiny_base: Path):
    """Two models of one architecture with different weights."""
    import torch

    from classifier.model.base_model import find_base_model, load_base_model

    torch.manual_seed(3)
    _, first = load_base_model(find_base_model(str(tiny_base)), outputs=1, max_length=16, dropout=0.0)
    second = copy.deepcopy(first)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter += torch.randn_like(parameter) * 0.01
    return first, second


def test_every_weight_is_the_mean(models) -> None:
    """The average lies halfway between the two, tensor by tensor."""
    import torch

    from classifier.training.averaging import average

    first, second = (model.state_dict() for model in models)
    for name, tensor in average(models).state_dict().items():
        assert torch.allclose(tensor, (first[name] + second[name]) / 2, atol=1e-7), name


def test_the_models_themselves_are_not_changed(models) -> None:
    """The best single run is still there to fall back on."""
    import torch

    from classifier.training.averaging import average

    before = copy.deepcopy(models[0].state_dict())
    average(models)
    assert all(torch.equal(before[name], tensor) for name, tensor in models[0].state_dict().items())


def test_the_loss_of_a_regression_is_the_mean_squared_error() -> None:
    """Two rows off by 1 and by 3."""
    assert loss(np.array([[1.0], [5.0]]), np.array([0.0, 2.0]), "regression") == 5.0


def test_the_loss_of_a_classification_is_the_cross_entropy() -> None:
    """Equal logits are a fair coin; very large ones do not overflow."""
    assert loss(np.zeros((3, 2)), np.array([0, 1, 1]), "classification") == pytest.approx(np.log(2))
    assert loss(np.array([[1000.0, 0.0]]), np.array([0]), "classification") == pytest.approx(0.0)
