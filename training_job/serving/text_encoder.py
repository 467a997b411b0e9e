"""Texts to padded integer arrays: tokenising, and batching by length so that little of a batch is padding."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from serving.errors import ArtifactError

MAX_ROWS = 16
"""Most texts in one forward pass: bounds memory; larger batches are not faster on a CPU."""
MAX_PADDING = 0.1
"""Largest share of padding in a batch before a new one is begun (0.05 to 0.1 was fastest for MiniLM int8)."""

FEATURES = ("input_ids", "attention_mask", "token_type_ids")
"""Names of the arrays in a batch; a model takes those it has inputs for."""


@dataclass(frozen=True)
class Batch:
    """Texts of similar length, ready for one forward pass."""

    positions: list[int]
    """Where each row belongs in the caller's list."""
    features: dict[str, NDArray[np.int64]]
    """`FEATURES`, each of shape (rows, longest row) int64."""


class TextEncoder:
    """A Hugging Face tokenizer with the artifact's maximum length, cutting longer texts on the right."""

    def __init__(self, tokenizer: Tokenizer, *, max_length: int, pad_token_id: int) -> None:
        # tokenizer.json may carry padding to a fixed length, which would make every request as slow as the longest.
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        self._tokenizer = tokenizer
        self._pad = {"input_ids": pad_token_id, "attention_mask": 0, "token_type_ids": 0}

    @classmethod
    def read(cls, model_dir: Path, *, max_length: int, pad_token_id: int) -> TextEncoder:
        """Load `model_dir/tokenizer.json`; raises ArtifactError when it is missing or not a tokenizer."""
        # One request must not take every core: the number of working threads is the server's decision.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        path = model_dir / "tokenizer.json"
        if not path.is_file():
            raise ArtifactError(path, "the file is missing")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ArtifactError(path, f"cannot be read as a tokenizer ({error})") from error
        return cls(tokenizer, max_length=max_length, pad_token_id=pad_token_id)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenise; an encoding whose `overflowing` is not empty was cut."""
        return self._tokenizer.encode_batch_fast(list(texts))

    def batches(self, encodings: Sequence[Encoding]) -> Iterator[Batch]:
        """Yield every encoding once, grouped by length and padded to the longest of its group."""
        for positions in plan_batches([len(encoding.ids) for encoding in encodings]):
            rows = [encodings[position] for position in positions]
            yield Batch(
                positions,
                {
                    "input_ids": self._padded("input_ids", [row.ids for row in rows]),
                    "attention_mask": self._padded("attention_mask", [row.attention_mask for row in rows]),
                    "token_type_ids": self._padded("token_type_ids", [row.type_ids for row in rows]),
                },
            )

    def _padded(self, name: str, rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
        array = np.full((len(rows), max(len(row) for row in rows)), self._pad[name], dtype=np.int64)
        for index, row in enumerate(rows):
            array[index, : len(row)] = row
        return array


def plan_batches(
    lengths: Sequence[int], *, max_rows: int = MAX_ROWS, max_padding: float = MAX_PADDING
) -> list[list[int]]:
    """Positions of `lengths` (tokens) in batches, shortest first.

    A batch holds at most `max_rows` rows, and of its rows x longest cells at most `max_padding` are padding.
    """
    batches: list[list[int]] = []
    tokens = 0
    for position in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[position]
        if batches:
            rows = len(batches[-1]) + 1
            if rows <= max_rows and tokens + length >= (1 - max_padding) * rows * length:
                batches[-1].append(position)
                tokens += length
                continue
        batches.append([position])
        tokens = length
    return batches
