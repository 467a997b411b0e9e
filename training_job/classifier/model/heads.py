"""The last layer of a classifier: where it starts, and how sure it answers.

A head for several labels starts at their shares: otherwise most of the training is spent on learning that most labels
do not apply. The answers of a head for one label are made as sure as they are right, by one factor (temperature).
"""

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

HOTTEST = 20.0
"""Largest factor, up or down, between trained and calibrated logits."""


def last_layer(model: PreTrainedModel) -> nn.Linear | None:
    """Find the linear layer that computes the logits; None if there is none with a bias."""
    fitting = [
        module
        for module in model.modules()
        if isinstance(module, nn.Linear) and module.out_features == model.config.num_labels
    ]
    return fitting[-1] if fitting and fitting[-1].bias is not None else None


def start_at_shares(model: PreTrainedModel, truth: np.ndarray) -> bool:
    """Start each output at the logit of its label's share of the training rows; return whether there is such a layer.

    `truth`: (rows, labels) bool. A label counts half a row more on either side, so that no logit is infinite.
    """
    layer = last_layer(model)
    if layer is None:
        return False
    with_label = truth.sum(axis=0) + 0.5
    logits = np.log(with_label / (len(truth) + 1.0 - with_label))
    with torch.no_grad():
        layer.bias.copy_(torch.from_numpy(logits))
    return True


def best_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Find the divisor of the logits with the smallest log loss, by bisection: the loss is convex in its inverse.

    `logits`: (rows, classes) of the validation rows. `labels`: (rows,) ids.
    """
    values = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    wanted = values[np.arange(len(values)), labels].mean()
    low, high = 1 / HOTTEST, HOTTEST
    for _ in range(40):
        middle = (low + high) / 2
        powers = np.exp(middle * values)
        slope = ((powers * values).sum(axis=1) / powers.sum(axis=1)).mean() - wanted
        low, high = (middle, high) if slope < 0 else (low, middle)
    return 2 / (low + high)


def cool(model: PreTrainedModel, temperature: float) -> None:
    """Divide the logits of `model` by `temperature`, where there is a layer for it; no label changes."""
    if layer := last_layer(model):
        with torch.no_grad():
            layer.weight.div_(temperature)
            layer.bias.div_(temperature)
