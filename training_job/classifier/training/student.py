"""A smaller model that learns from the trained one: some of its layers, trained to compute what it computes.

Half the layers answer in about half the time. Their cost in accuracy, and the other recipes that were tried, are in
`docs/decisions/0007-inference-speed.md`.
"""

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import mse_loss
from transformers import PreTrainedModel, Trainer

from classifier.errors import HyperparameterError, JobError
from classifier.training.plan import Plan

CROSSED_SHARE = 0.5
"""Share of the texts of a batch that get tokens of another one. Source, as for all of these: docs/decisions/0007."""

KEPT_UNITS = 2 / 3
"""Share of the inner units of each feed-forward block that a student keeps."""

EPOCHS_FACTOR = 6
"""The student's epochs, relative to the full model's."""

RATE_FACTOR = 3.0
"""The student's learning rate, relative to the full model's."""


def kept_layers(wanted: int, total: int) -> list[int]:
    """Choose `wanted` of `total` layers, evenly, with the first and the last; raise HyperparameterError for all."""
    if wanted >= total:
        raise HyperparameterError(
            f"student_layers={wanted} is not allowed: the base model has {total} layers; at most {total - 1} for a "
            "student.",
            name="student_layers",
            value=wanted,
            hint="Leave student_layers out to keep the whole model.",
        )
    return [int(layer) for layer in np.linspace(0, total - 1, wanted).round()]


def cut_layers(model: PreTrainedModel, keep: list[int]) -> PreTrainedModel:
    """Copy `model` with the layers `keep` only, and two thirds of their inner units. Freeze the word embeddings.

    Raises JobError: the layers are not in one list.
    """
    student = copy.deepcopy(model)
    places = [
        (module, name, child)
        for module in student.modules()
        for name, child in module.named_children()
        if isinstance(child, torch.nn.ModuleList) and len(child) == model.config.num_hidden_layers
    ]
    if len(places) != 1:
        raise JobError(
            f"The layers of {type(model).__name__} are not in one list; no student can be cut from it.",
            hint="Leave student_layers out, or take an encoder model such as distilbert-base-uncased.",
        )
    module, name, layers = places[0]
    setattr(module, name, torch.nn.ModuleList(layers[number] for number in keep))
    student.config.num_hidden_layers = len(keep)
    narrow(student, KEPT_UNITS)
    student.get_input_embeddings().requires_grad_(False)  # half of the weights; training them gained nothing
    return student


def narrow(model: PreTrainedModel, share: float) -> None:
    """Keep `share` of the inner units of each feed-forward block of `model`: those with the largest weights.

    A block is a pair of linear layers, one up to the configured width and one down from it. Other models stay as they
    are.
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
    """Train a student towards its teacher's answers and, where it has them, hidden states; not the data's targets.

    The teacher answers every batch, so the texts need no labels: in each epoch half of them are new, crossed from two
    texts of the batch.
    """

    def __init__(self, *args: Any, teacher: torch.nn.Module, special: list[int], **kwargs: Any) -> None:
        """Copy the teacher; `special` are the ids of the tokens that are not part of a text, padding included."""
        super().__init__(*args, **kwargs)
        # In bfloat16 as a whole where training is: that takes a third of the time off, and moves its answers by 0.001.
        copied: torch.nn.Module = copy.deepcopy(teacher)
        self._teacher = copied.eval().to(self.args.device, torch.bfloat16 if self.args.bf16 else None)
        self._special = torch.tensor(special, device=self.args.device)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Compute the loss of a batch, with the logits if `return_outputs`. Evaluation crosses no texts."""
        inputs = {name: tensor for name, tensor in inputs.items() if name != "labels"}
        if model.training:
            inputs["input_ids"] = crossed(inputs["input_ids"], self._special)
        with torch.no_grad():
            taught = self._teacher(**inputs, output_hidden_states=True)
        answered = model(**inputs, output_hidden_states=True)
        loss = mse_loss(answered.logits, taught.logits.float())
        if taught.hidden_states is not None:
            loss = loss + hidden_loss(answered.hidden_states, taught.hidden_states, inputs["attention_mask"])
        return (loss, {"logits": answered.logits}) if return_outputs else loss


def crossed(ids: torch.Tensor, special: torch.Tensor) -> torch.Tensor:
    """Replace some tokens in half of the texts of a batch by those of another text in the same places.

    The share is drawn for each text, from none to half of its tokens. Texts of a batch have similar lengths, so most
    places match. `ids`: (rows, tokens) int64, padded. `special`: (ids,) int64; tokens that are neither replaced nor
    copied, padding included.
    """
    other = ids[torch.randperm(len(ids), device=ids.device)]
    share = 0.5 * torch.rand(len(ids), 1, device=ids.device)
    share = share * (torch.rand_like(share) < CROSSED_SHARE)
    replaced = (torch.rand(ids.shape, device=ids.device) < share) & ~torch.isin(ids, special)
    return torch.where(replaced & ~torch.isin(other, special), other, ids)


def hidden_loss(
    student: Sequence[torch.Tensor], teacher: Sequence[torch.Tensor], attention_mask: torch.Tensor
) -> torch.Tensor:
    """Compare hidden states: mean squared distance relative to the teacher's variance, a scalar; 0 if equal.

    Each layer of the student is compared with the teacher's layer at the same relative depth. Both give embeddings and
    the output of each layer, (rows, tokens, dimensions). `attention_mask`: (rows, tokens); padding does not count.
    """
    real = attention_mask.bool()
    layers = len(student) - 1
    losses = []
    for layer in range(1, layers + 1):
        wanted = teacher[round(layer * (len(teacher) - 1) / layers)][real].float()
        spread = wanted.var(dim=0, correction=0).mean().clamp_min(1e-6)
        losses.append(mse_loss(student[layer][real].float(), wanted) / spread)
    return torch.stack(losses).mean()


def student_plan(plan: Plan, *, larger_steps: bool) -> Plan:
    """Derive the student's plan: more epochs, larger steps if they are small enough, batches in another order."""
    return dataclasses.replace(
        plan,
        epochs=min(EPOCHS_FACTOR * plan.epochs, 1000),  # 1000 and 0.1 are the largest values allowed
        learning_rate=min((RATE_FACTOR if larger_steps else 1.0) * plan.learning_rate, 0.1),
        seed=(plan.seed + 1) % 2**32,
    )
