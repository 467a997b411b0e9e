"""From one learned score to an ordinary two-label classifier.

Every Hugging Face tool answers LABEL_0 for a head with one output. So the trained output z, the standardised score,
becomes two logits `[0, a * (score - threshold)]` by a linear change of the last layer. Softmax then gives the
confidence, argmax decides at the threshold, and the score is `threshold + (l1 - l0) / a`.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from classifier.errors import JobError
from classifier.model.objective import ScoreScale

MAX_SHARPNESS = 100.0
"""Largest slope, in logits per unit of z. For a separable validation split the best slope would be infinite."""


def calibrate(scores: np.ndarray, labels: np.ndarray, threshold: float, unit: float) -> float:
    """Find the slope `a` for which `sigmoid(a * (score - threshold))` has the smallest log loss.

    `scores`: (rows,) predicted scores of the validation split. `labels`: (rows,) 0 or 1. `unit`: of the scores (see
    `ScoreScale`), in which the slope has its limits. Found by bisection of the derivative: the loss is convex in `a`.
    """
    distance = (np.asarray(scores, dtype=np.float64) - threshold) / unit
    sign = np.where(np.asarray(labels) == 1, 1.0, -1.0)
    low, high = 0.1, MAX_SHARPNESS
    for _ in range(60):
        middle = (low + high) / 2
        slope = np.mean(-sign * distance / (1.0 + np.exp(np.clip(sign * distance * middle, -60, 60))))
        low, high = (middle, high) if slope < 0 else (low, middle)
    return (low + high) / 2 / unit


def to_two_logits(model: PreTrainedModel, *, scale: ScoreScale, sharpness: float, threshold: float) -> PreTrainedModel:
    """Make a two-label model that answers `[0, sharpness * (score - threshold)]` where `model` answers z.

    The last layer is found by comparing the two heads: its tensors differ in their first dimension.

    `model`: trained with one output; its last layer is linear with a bias. `sharpness`: `a` from `calibrate`.
    `threshold`: score from which on the label is 1. Raises JobError: the last layer has no bias, which the threshold
    needs.
    """
    config = copy.deepcopy(model.config)
    config.num_labels = 2
    config.problem_type = "single_label_classification"
    make: Callable[..., PreTrainedModel] = AutoModelForSequenceClassification.from_config
    two = make(config, dtype=torch.float32)
    trained = {name: tensor.detach().float().cpu() for name, tensor in model.state_dict().items()}
    state: dict[str, Tensor] = {}
    offset = scale.mean - threshold
    head = [name for name, tensor in two.state_dict().items() if tensor.shape != trained[name].shape]
    if sorted(trained[name].dim() for name in head) != [1, 2]:
        raise JobError(
            f"The last layer of {type(model).__name__} is not linear with a bias; a score cannot be learned with it.",
            hint="Take an encoder model such as distilbert-base-uncased, or objective=classification.",
        )
    for name, tensor in trained.items():
        if name in head:
            shift = offset if tensor.dim() == 1 else 0.0
            row = sharpness * (scale.unit * tensor + shift)
            state[name] = torch.cat([torch.zeros_like(row), row])
        else:
            state[name] = tensor
    two.load_state_dict(state)
    two.train(False)
    return two


def scores_from_logits(logits: np.ndarray, *, sharpness: float, threshold: float) -> np.ndarray:
    """Recover the scores, (rows,) float, from two logits, (rows, 2) float: `threshold + (l1 - l0) / a`."""
    scores: np.ndarray = threshold + (logits[:, 1] - logits[:, 0]).astype(np.float64) / sharpness
    return scores
