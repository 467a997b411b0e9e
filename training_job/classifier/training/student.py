"""A smaller model that learns from the trained one: some of its layers, taught to compute what it computes.

Half the layers take about half the time to answer; what they cost in accuracy, and which other recipes were tried, is
in ``docs/decisions/0007-inference-speed.md``.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import mse_loss
from transformers import Trainer

from classifier.errors import BaseModelUnsuitable, HyperparameterInvalid

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from classifier.job.hyperparameters import Hyperparameters

CROSSED_SHARE = 0.5
"""Share of the texts of a batch that are crossed with another one. Source, as for all of these: docs/decisions/0007."""

KEPT_UNITS = 2 / 3
"""Share of the inner units of each feed-forward block that a student keeps."""

PASSES = 6
"""The student's passes over the training rows, in those of the full model."""

RATE = 3.0
"""The student's learning rate, in those of the full model."""


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
    """A copy of ``model`` with the layers ``keep`` alone, and two thirds of the inner units of those.

    Its word embeddings are not trained any further.

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
    narrow(student, KEPT_UNITS)
    student.get_input_embeddings().requires_grad_(False)  # half of the weights, and nothing lost by it
    return student


def narrow(model: PreTrainedModel, share: float) -> None:
    """Leaves ``share`` of the inner units of each feed-forward block of ``model``: those with the largest weights.

    A block is a pair of linear layers, one up to the configured width and one down from it. A model that is not made
    of those stays as it is.
    """
    name = next((name for name in ("intermediate_size", "hidden_dim") if hasattr(model.config, name)), None)
    if name is None:
        return
    wide = getattr(model.config, name)
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    ups = [module for module in linear if module.out_features == wide]
    downs = [module for module in linear if module.in_features == wide]
    if len(ups) != len(downs) or len(ups) != model.config.num_hidden_layers:
        return
    units = int(share * wide)
    with torch.no_grad():
        for up, down in zip(ups, downs, strict=True):
            importance = up.weight.norm(dim=1) * down.weight.norm(dim=0)
            kept = importance.topk(units).indices.sort().values
            up.weight, down.weight = (torch.nn.Parameter(w) for w in (up.weight[kept], down.weight[:, kept]))
            if up.bias is not None:
                up.bias = torch.nn.Parameter(up.bias[kept])
            up.out_features = down.in_features = units
    setattr(model.config, name, units)


class StudentTrainer(Trainer):
    """Trains a student towards the answers and the hidden states of its teacher; the data's targets are not used.

    The teacher answers every batch anew, so half of the texts can be new ones in each epoch: crossed from two of the
    batch.
    """

    def __init__(self, *args: Any, teacher: PreTrainedModel, special: list[int], **kwargs: Any) -> None:
        """As for the Trainer.

        Args:
            teacher: is copied.
            special: numbers of the tokens that are no part of a text, padding among them.
        """
        super().__init__(*args, **kwargs)
        # In bfloat16 as a whole where training is: its answers take two thirds of the time and move by 0.001.
        self._teacher = copy.deepcopy(teacher).eval().to(self.args.device, torch.bfloat16 if self.args.bf16 else None)
        self._special = torch.tensor(special, device=self.args.device)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The loss of a batch, and where ``return_outputs`` the logits; in evaluation no text is crossed."""
        inputs = {name: tensor for name, tensor in inputs.items() if name != "labels"}
        if model.training:
            inputs["input_ids"] = crossed(inputs["input_ids"], self._special)
        with torch.no_grad():
            taught = self._teacher(**inputs, output_hidden_states=True)
        answered = model(**inputs, output_hidden_states=True)
        loss = mse_loss(answered.logits, taught.logits.float())
        loss = loss + hidden_loss(answered.hidden_states, taught.hidden_states, inputs["attention_mask"])
        return (loss, {"logits": answered.logits}) if return_outputs else loss


def crossed(ids: torch.Tensor, special: torch.Tensor) -> torch.Tensor:
    """A batch of which half of the texts have some tokens of another text in the same places.

    How many is drawn for each text, from none to half of them. Batches are of similar length, so most places match.

    Args:
        ids: (rows, tokens) int64, padded.
        special: (numbers,) int64; tokens that neither go nor come, padding among them.
    """
    other = ids[torch.randperm(len(ids), device=ids.device)]
    share = 0.5 * torch.rand(len(ids), 1, device=ids.device)
    share = share * (torch.rand_like(share) < CROSSED_SHARE)
    replaced = (torch.rand(ids.shape, device=ids.device) < share) & ~torch.isin(ids, special)
    return torch.where(replaced & ~torch.isin(other, special), other, ids)


def hidden_loss(
    student: Sequence[torch.Tensor], teacher: Sequence[torch.Tensor], attention_mask: torch.Tensor
) -> torch.Tensor:
    """Distance of the student's hidden states from the teacher's, in shares of the teacher's variance; (), 0 if equal.

    Each of the student's layers is held against the teacher's at the same share of the depth.

    Args:
        student: embeddings and the output of each layer, (rows, tokens, dimensions).
        teacher: the same with more layers.
        attention_mask: (rows, tokens); padding does not count.
    """
    real = attention_mask.bool()
    layers = len(student) - 1
    losses = []
    for layer in range(1, layers + 1):
        wanted = teacher[round(layer * (len(teacher) - 1) / layers)][real].float()
        spread = wanted.var(dim=0, correction=0).mean().clamp_min(1e-6)
        losses.append(mse_loss(student[layer][real].float(), wanted) / spread)
    return torch.stack(losses).mean()


def student_hyperparameters(hp: Hyperparameters, rows: int) -> Hyperparameters:
    """Those of the student's training on ``rows`` rows: it takes more passes, and larger steps, than the full model."""
    epochs, rate = PASSES * hp.passes(rows), RATE * hp.learning_rate
    return dataclasses.replace(hp, epochs=min(epochs, 1000), learning_rate=min(rate, 0.1))  # what is allowed at most
