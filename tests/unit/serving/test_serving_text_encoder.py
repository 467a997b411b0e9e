"""serving.text_encoder: batches by length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from serving.text_encoder import TextEncoder, plan_batches

LENGTHS = st.lists(st.integers(1, 200), max_size=60)


@given(LENGTHS)
def test_every_position_is_in_exactly_one_batch(lengths: list[int]) -> None:
    """No text is lost and none is answered twice."""
    positions = [position for batch in plan_batches(lengths) for position in batch]
    assert sorted(positions) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 8), st.sampled_from([0.0, 0.1, 0.5]))
def test_batches_keep_both_bounds(lengths: list[int], rows: int, padding: float) -> None:
    """No batch has more rows or a larger share of padding than allowed."""
    for batch in plan_batches(lengths, max_rows=rows, max_padding=padding):
        tokens = [lengths[position] for position in batch]
        assert len(batch) <= rows
        assert sum(tokens) >= (1 - padding) * len(batch) * max(tokens) - 1e-9


def test_texts_of_one_length_share_a_batch() -> None:
    """Equal lengths are not split before the row limit."""
    assert plan_batches([7] * 16) == [list(range(16))]


def test_padding_is_hidden_and_uses_the_artifacts_id(tiny_artifact: Path) -> None:
    """A shorter row ends in the padding id under a mask of 0, and only as long as the longest row of its batch."""
    encoder = TextEncoder.read(tiny_artifact, max_length=32, pad_token_id=9)
    short, long = "so " * 18, "so " * 20
    (batch,) = encoder.batches(encoder.encode([long, short]))
    assert batch.positions == [1, 0]
    assert batch.features["input_ids"].shape == (2, 22)
    assert batch.features["input_ids"][0, -2:].tolist() == [9, 9]
    assert batch.features["attention_mask"].sum(axis=1).tolist() == [20, 22]


def test_arrays_are_what_onnx_models_take(tiny_artifact: Path) -> None:
    """Every feature is an int64 array of the same shape."""
    encoder = TextEncoder.read(tiny_artifact, max_length=8, pad_token_id=0)
    (batch,) = encoder.batches(encoder.encode(["good"]))
    assert {(array.dtype, array.shape) for array in batch.features.values()} == {(np.dtype("int64"), (1, 3))}
