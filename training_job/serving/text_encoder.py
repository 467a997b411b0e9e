"""Tokenise texts into padded integer arrays, batched by length so that little of a batch is padding."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from serving.errors import ArtifactError

MAX_ROWS = 16
"""Most texts in one forward pass: limits memory; larger batches are not faster on a CPU."""
PASS_TOKENS = 8
"""Fixed cost of a forward pass, which reads all weights, in cells of its input (rows x longest row)."""

FEATURES = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
"""Names of the model's inputs, of which it may lack some, and the matching attribute of an encoding."""


@dataclass(frozen=True)
class Batch:
    """Texts of similar length, ready for one forward pass."""

    positions: list[int]
    """Position of each row in the caller's list."""
    features: dict[str, NDArray[np.int64]]
    """The requested `FEATURES`, each (rows, longest row) int64."""


class TextEncoder:
    """A Hugging Face tokenizer that truncates texts to the artifact's maximum length."""

    def __init__(
        self, tokenizer: Tokenizer, *, max_length: int, pad_token_id: int, truncation_side: str = "right"
    ) -> None:
        # tokenizer.json may set padding to a fixed length, which would make every request as slow as the longest.
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length, direction=truncation_side)
        self._tokenizer = tokenizer
        self._pad = {"input_ids": pad_token_id, "attention_mask": 0, "token_type_ids": 0}

    @classmethod
    def read(cls, model_dir: Path, *, max_length: int, pad_token_id: int, truncation_side: str = "right") -> Self:
        """Load `model_dir/tokenizer.json`; raise ArtifactError if it is missing or not a tokenizer."""
        # The server decides how many threads work; one request must not use every core.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        path = model_dir / "tokenizer.json"
        if not path.is_file():
            raise ArtifactError(path, "the file is missing")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ArtifactError(path, f"cannot be read as a tokenizer ({error})") from error
        return cls(tokenizer, max_length=max_length, pad_token_id=pad_token_id, truncation_side=truncation_side)

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """Tokenise; an encoding whose `overflowing` is not empty was truncated."""
        encodings: list[Encoding] = self._tokenizer.encode_batch_fast(list(texts))
        return encodings

    def batches(self, encodings: Sequence[Encoding], features: Collection[str]) -> Iterator[Batch]:
        """Yield every encoding once, grouped by length and padded to the longest of its group.

        `features` are the model's inputs.
        """
        if len(encodings) == 1:
            only = encodings[0]
            yield Batch([0], {name: np.array([getattr(only, FEATURES[name])], dtype=np.int64) for name in features})
            return
        for positions in plan_batches([len(encoding.ids) for encoding in encodings]):
            rows = [encodings[position] for position in positions]
            yield Batch(positions, {name: self._padded(name, rows) for name in features})

    def _padded(self, name: str, encodings: Sequence[Encoding]) -> NDArray[np.int64]:
        rows: list[list[int]] = [getattr(encoding, FEATURES[name]) for encoding in encodings]
        array = np.full((len(rows), max(map(len, rows))), self._pad[name], dtype=np.int64)
        for index, row in enumerate(rows):
            array[index, : len(row)] = row
        return array


def plan_batches(
    lengths: Sequence[int], *, max_rows: int = MAX_ROWS, pass_tokens: int = PASS_TOKENS
) -> list[list[int]]:
    """Group the positions of `lengths` (tokens) into batches of at most `max_rows` rows, shortest first.

    Of all divisions of the sorted lengths this is the cheapest. A batch costs rows x longest row, plus `pass_tokens`.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    costs, starts = [0], [0]
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        cost, start = min(
            (costs[start] + pass_tokens + (end - start) * longest, start)
            for start in range(max(0, end - max_rows), end)
        )
        costs.append(cost)
        starts.append(start)
    batches: list[list[int]] = []
    end = len(order)
    while end:
        batches.append(order[starts[end] : end])
        end = starts[end]
    return batches[::-1]
