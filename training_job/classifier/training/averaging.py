"""One model from several trainings: their weights averaged.

Trainings that begin with the same weights, the new head included, and see the batches in different order end close
enough to each other for the mean of their weights to be a good model: it answers like the ensemble of all, in the time
of one (Wortsman et al., "Model soups", 2022).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def average(models: Sequence[PreTrainedModel]) -> PreTrainedModel:
    """A model whose weights are the mean of those of ``models``, which have the same architecture."""
    import torch

    states = [model.state_dict() for model in models]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(dim=0) if tensor.is_floating_point() else tensor
        for name, tensor in states[0].items()
    }
    averaged = copy.deepcopy(models[0])
    averaged.load_state_dict(mean)
    return averaged.eval()
