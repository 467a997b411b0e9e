"""Texts as token numbers, made once, and put into batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MODEL_INPUTS = ["input_ids", "attention_mask"]
"""What the model reads. Without token types: a single text has only one, which is every model's default."""


def encode(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], targets: Sequence[float] | None = None) -> Dataset:
    """``texts`` tokenised and cut off at the tokenizer's limit, with their length in tokens.

    Args:
        tokenizer: its ``model_max_length`` is the limit.
        texts: (rows,).
        targets: (rows,) what the model shall learn: floats for a score, integers for a label.

    Returns:
        Rows of ``input_ids``, ``attention_mask``, ``length`` and, with targets, ``labels``.
    """
    from datasets import Dataset

    encoded = tokenizer(list(texts), truncation=True, return_token_type_ids=False)
    columns: dict[str, Any] = {name: encoded[name] for name in MODEL_INPUTS}
    columns["length"] = [len(row) for row in encoded["input_ids"]]
    if targets is not None:
        columns["labels"] = list(targets)
    return Dataset.from_dict(columns)


def batches(
    tokenizer: PreTrainedTokenizerBase, encoded: Dataset, size: int
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Batches of rows of similar length, padded to the longest of each.

    Yields:
        Row numbers (batch,), and ``input_ids`` and ``attention_mask``, each (batch, tokens) int64.
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
    """What ``model`` (on the processor, in float32) answers without dropout.

    Returns:
        logits: (rows, outputs) float32, in the order of ``encoded``.
    """
    import torch

    outputs = np.zeros((len(encoded), model.config.num_labels), dtype=np.float32)
    model.eval()
    with torch.inference_mode():
        for rows, inputs in batches(tokenizer, encoded, batch_size):
            tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
            outputs[rows] = model(**tensors).logits.numpy()
    return outputs
