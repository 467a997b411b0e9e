"""What a classifier gains from sentence embeddings, the means of token vectors that its base model was trained for.

A classifier of transformers reads the first token's vector instead. With few rows a class, a linear layer on the
embeddings teaches the classifier to answer as it does, also on texts crossed from the rows. With many classes, a second
loss pulls the embeddings of a class together. Source: docs/decisions/0015.
"""

import copy
import json
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from torch import nn
from torch.nn.functional import cross_entropy, normalize
from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils.hub import cached_file

from classifier.model.base_model import BaseModel
from classifier.model.encoding import batches
from classifier.model.heads import last_layer

CONTRAST, TEMPERATURE = 0.3, 0.1
"""Weight of the second loss, and the divisor of its similarities."""

PENALTY, LENGTH = 1 / 60, 5.0
"""Weight of the linear layer's squares in a sum over rows; length of a first token's vector, where means have 1."""


def _dense(model: PreTrainedModel) -> Any:
    """Find the layer before the last one, in the families of BERT and RoBERTa."""
    names = ("pooler.dense", "classifier.dense")
    return next((module for name, module in model.named_modules() if name.endswith(names)), None)


def can_be_taught(model: PreTrainedModel, base: BaseModel) -> bool:
    """Return whether `base` says that it is made for means of token vectors, and `model` has the layers to start at."""
    missing = {f"_raise_exceptions_for_{what}": False for what in ("missing_entries", "connection_errors")}
    pooling = cached_file(base.location, "1_Pooling/config.json", revision=base.revision or "main", **missing)
    if pooling is None or last_layer(model) is None or _dense(model) is None:
        return False
    return bool(json.loads(Path(pooling).read_text(encoding="utf-8")).get("pooling_mode_mean_tokens"))


def embeddings(tokens: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Average token vectors, (rows, tokens, dimensions), to embeddings of length 1, (rows, dimensions)."""
    return normalize((tokens * attention_mask.unsqueeze(-1).to(tokens.dtype)).sum(dim=1), dim=1)


class EmbeddingTeacher(nn.Module):
    """A copy of the base model inside a classifier, and a linear layer on its embeddings."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.body = copy.deepcopy(model.base_model).eval()
        self.head = nn.Linear(model.config.hidden_size, model.config.num_labels)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> SequenceClassifierOutput:
        """Answer a batch. No hidden states: the classifier is free to change them."""
        tokens = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return SequenceClassifierOutput(logits=self.head(embeddings(tokens, attention_mask)))

    def fit(self, tokenizer: PreTrainedTokenizerBase, train: Dataset, weights: tuple[float, ...] | None) -> None:
        """Fit the linear layer to encoded rows: logistic regression, with `weights` of the classes or equal ones."""
        vectors = torch.zeros(len(train), self.head.in_features)
        with torch.no_grad():
            for rows, inputs in batches(tokenizer, train, 64):
                given = {name: torch.from_numpy(values) for name, values in inputs.items()}
                vectors[rows] = embeddings(self.body(**given).last_hidden_state, given["attention_mask"])
        labels, weighed = torch.tensor(train["labels"]), torch.tensor(weights or [1.0] * self.head.out_features)
        optimizer = torch.optim.LBFGS(self.head.parameters(), max_iter=500, line_search_fn="strong_wolfe")

        def loss() -> torch.Tensor:
            optimizer.zero_grad()
            total = cross_entropy(self.head(vectors), labels, weight=weighed, reduction="sum")
            total = total + PENALTY * self.head.weight.square().sum()
            total.backward()  # type: ignore[no-untyped-call]
            return total

        optimizer.step(loss)  # type: ignore[no-untyped-call]

    def start(self, model: PreTrainedModel) -> None:
        """Let `model` read its first token as this reads the mean; leave its word vectors as they are."""
        dense, last = _dense(model), cast(nn.Linear, last_layer(model))
        with torch.no_grad():
            nn.init.eye_(dense.weight)
            nn.init.zeros_(dense.bias)
            last.weight.copy_(self.head.weight / LENGTH)
            last.bias.copy_(self.head.bias)
        model.get_input_embeddings().requires_grad_(False)


class ContrastTrainer(Trainer):
    """Train with a second loss, `contrast`, on the embeddings of a batch. Evaluation is without it."""

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Compute the loss of a batch, with the outputs if `return_outputs`."""
        if not model.training:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        wanted = {**inputs, "output_hidden_states": True}
        loss, outputs = super().compute_loss(model, wanted, True, num_items_in_batch)
        found = embeddings(outputs["hidden_states"][-1].float(), inputs["attention_mask"])
        loss = loss + CONTRAST * contrast(found, inputs["labels"])
        return (loss, outputs) if return_outputs else loss


def contrast(found: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Supervised contrastive loss (Khosla et al., 2020) of embeddings, (rows, dimensions), with labels (rows,)."""
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    near = (found @ found.T / TEMPERATURE).float().masked_fill(itself, -1e9)
    same = (labels[:, None] == labels) & ~itself
    wrong = torch.logsumexp(near, dim=1) - (near * same).sum(dim=1) / same.sum(dim=1).clamp_min(1)
    return wrong[same.any(dim=1)].sum() / same.any(dim=1).sum().clamp_min(1)
