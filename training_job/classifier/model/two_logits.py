"""From one learned score to an ordinary two-label classifier.

A head with one output makes every Hugging Face tool answer LABEL_0. So the trained output z, the standardised score,
becomes two logits ``[0, a * (score - threshold)]``: a linear change of the last layer. Softmax is then the confidence,
argmax is the threshold, and the score comes back as ``threshold + (l1 - l0) / a``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classifier.errors import BaseModelUnsuitable
from classifier.model.objective import ScoreScale

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

MAX_SHARPNESS = 100.0
"""Largest slope, in logits per unit of z: a separable validation split would ask for infinity."""


def calibrate(scores: np.ndarray, labels: np.ndarray, threshold: float, unit: float) -> float:
    """The slope ``a`` with which ``sigmoid(a * (score - threshold))`` gives the labels the smallest log loss.

    Args:
        scores: (rows,) predicted scores of the validation split.
        labels: (rows,) 0 or 1.
        threshold: score from which on the label is 1.
        unit: of the scores (see ``ScoreScale``), so that the slope's limits suit any scale.

    Returns:
        a > 0, logits per unit of score. Found by bisection of the derivative: the log loss is convex in ``a``.
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
    """A two-label model that answers ``[0, sharpness * (score - threshold)]`` where ``model`` answers z.

    Works for every architecture whose last layer is linear with a bias: the two heads are compared, and the tensors
    that differ in their first dimension are the last layer.

    Args:
        model: trained with one output, the standardised score.
        scale: the standardisation.
        sharpness: ``a`` as ``calibrate`` found it.
        threshold: score from which on the label is 1.

    Raises:
        BaseModelUnsuitable: the last layer has no bias, so the threshold cannot be moved into it.
    """
    import copy

    import torch
    from transformers import AutoModelForSequenceClassification

    config = copy.deepcopy(model.config)
    config.num_labels = 2
    config.problem_type = "single_label_classification"
    two = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    trained = {name: tensor.detach().float().cpu() for name, tensor in model.state_dict().items()}
    state: dict[str, Tensor] = {}
    offset = scale.mean - threshold
    head = [name for name, tensor in two.state_dict().items() if tensor.shape != trained[name].shape]
    if sorted(trained[name].dim() for name in head) != [1, 2]:
        raise BaseModelUnsuitable(
            f"The last layer of {type(model).__name__} is not linear with a bias; a score cannot be learned with it.",
            base_model=str(getattr(model.config, "name_or_path", "")),
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
    return two.eval()


def scores_from_logits(logits: np.ndarray, *, sharpness: float, threshold: float) -> np.ndarray:
    """Scores behind two logits: ``threshold + (l1 - l0) / a``.

    Args:
        logits: (rows, 2) float.

    Returns:
        (rows,) float.
    """
    return threshold + (logits[:, 1] - logits[:, 0]).astype(np.float64) / sharpness
