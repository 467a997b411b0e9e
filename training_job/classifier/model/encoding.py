"""Tokenise texts once, and batch them by length."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import PreTrainedModel, PreTrainedTokenizerBase

MODEL_INPUTS = ["input_ids", "attention_mask"]
"""Inputs of the model. Token types are left out: a single text has only one, which is every model's default."""


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], targets: Sequence[float] | None = None) -> Dataset:
    """Tokenise `texts`, truncated to the tokenizer's `model_max_length` on its `truncation_side`, as serving does.

    `targets`: (rows,) what to learn: floats for a score, integers for a label. Returns rows of `input_ids`,
    `attention_mask`, `length` (tokens) and, with targets, `labels`.
    """
    encoded = tokenizer(list(texts), truncation=True, return_token_type_ids=False)
    columns: dict[str, Any] = {name: encoded[name] for name in MODEL_INPUTS}
    columns["length"] = [len(row) for row in encoded["input_ids"]]
    if targets is not None:
        columns["labels"] = list(targets)
    return Dataset.from_dict(columns)


def batches(
    tokenizer: PreTrainedTokenizerBase, encoded: Dataset, size: int
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Batch rows of similar length, each batch padded to its longest row.

    Yields row numbers (batch,), and `input_ids` and `attention_mask`, each (batch, tokens) int64.
    """
    order = np.argsort(np.asarray(encoded["length"]), kind="stable")
    columns = {name: encoded[name] for name in MODEL_INPUTS}
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        padded = tokenizer.pad(
            {name: [column[int(row)] for row in rows] for name, column in columns.items()}, return_tensors="np"
        )
        yield rows, {name: padded[name].astype(np.int64) for name in MODEL_INPUTS}


def model_logits(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, encoded: Dataset, batch_size: int
) -> np.ndarray:
    """Run `model`, on the CPU in float32, without dropout: (rows, outputs) float32 in the order of `encoded`."""
    outputs = np.zeros((len(encoded), model.config.num_labels), dtype=np.float32)
    model.train(False)
    with torch.inference_mode():
        for rows, inputs in batches(tokenizer, encoded, batch_size):
            tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
            outputs[rows] = model(**tensors).logits.numpy()
    return outputs
