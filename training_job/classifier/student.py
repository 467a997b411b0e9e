"""A smaller model that learns from the trained one: some of its layers, taught by its answers.

Half the layers take about half the time to answer, and cost one to two points of accuracy (see
``docs/decisions/0007-inference-speed.md``).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from classifier.encoding import model_logits
from classifier.errors import BaseModelUnsuitable, HyperparameterInvalid

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LABEL_SHARE = 0.3
"""Share of the data's own targets in the loss; the rest is the full model's answer. Source: docs/decisions/0007."""


def kept_layers(wanted: int, total: int) -> list[int]:
    """Numbers of the ``wanted`` layers that a student keeps of ``total``, evenly spaced, first and last among them.

    Raises:
        HyperparameterInvalid: there are not more layers than that.
    """
    if wanted >= total:
        raise HyperparameterInvalid(
            f"student_layers={wanted} is not allowed: the base model has {total} layers, a student has fewer.",
            name="student_layers",
            value=wanted,
            allowed=f"at most {total - 1} for this base model",
            hint="Leave student_layers out to keep the whole model.",
        )
    return [int(layer) for layer in np.linspace(0, total - 1, wanted).round()]


def cut_layers(model: PreTrainedModel, keep: list[int]) -> PreTrainedModel:
    """A copy of ``model`` with the layers ``keep`` alone.

    Raises:
        BaseModelUnsuitable: its layers are not in one list.
    """
    student = copy.deepcopy(model)
    places = [
        (module, name, child)
        for module in student.modules()
        for name, child in module.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == model.config.num_hidden_layers
    ]
    if len(places) != 1:
        raise BaseModelUnsuitable(
            f"The layers of {type(model).__name__} are not in one list; no student can be cut from it.",
            base_model=str(getattr(model.config, "name_or_path", "")),
            hint="Leave student_layers out, or take an encoder model such as distilbert-base-uncased.",
        )
    module, name, layers = places[0]
    setattr(module, name, torch.nn.ModuleList(layers[number] for number in keep))
    student.config.num_hidden_layers = len(keep)
    return student


def taught(teacher: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, encoded: Dataset, batch_size: int) -> Dataset:
    """``encoded`` with labels for ``distillation_loss``: the answers of ``teacher``, then the data's own target.

    Returns:
        Rows whose ``labels`` are (outputs + 1,) floats.
    """
    answers = model_logits(teacher, tokenizer, encoded, batch_size)
    own = np.asarray(encoded["labels"], dtype=np.float32)[:, None]
    return encoded.remove_columns("labels").add_column("labels", np.hstack([answers, own]).tolist())


def distillation_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    """Distance from the teacher's answers (mean squared error of the logits), and from the data's own targets.

    Args:
        outputs: of the model; ``logits`` (rows, outputs).
        labels: (rows, outputs + 1) as ``taught`` gives them.
        num_items_in_batch: given by the Trainer and not needed: the loss is a mean over the rows of a step.
    """
    logits = outputs["logits"]
    answers, own = labels[:, :-1], labels[:, -1]
    if logits.shape[1] == 1:
        data = torch.nn.functional.mse_loss(logits[:, 0], own)
    else:
        data = torch.nn.functional.cross_entropy(logits, own.long())
    return (1 - LABEL_SHARE) * torch.nn.functional.mse_loss(logits, answers) + LABEL_SHARE * data
