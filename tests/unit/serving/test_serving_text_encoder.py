"""serving.text_encoder: batches by length."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.text_encoder import FEATURES, TextEncoder, plan_batches

LENGTHS = st.lists(st.integers(1, 200), max_size=60)


@given(LENGTHS)
def test_every_position_is_in_exactly_one_batch(lengths: list[int]) -> None:
    """No text is lost and none is answered twice."""
    positions = [position for batch in plan_batches(lengths) for position in batch]
    assert sorted(positions) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 8))
def test_batches_keep_the_bound_on_rows(lengths: list[int], rows: int) -> None:
    """Memory depends on the rows of a pass."""
    assert all(len(batch) <= rows for batch in plan_batches(lengths, max_rows=rows))


def cost(lengths: list[int], batches: list[list[int]], pass_tokens: int) -> int:
    """Return the cost of the passes, in cells."""
    return sum(pass_tokens + len(batch) * max(lengths[position] for position in batch) for batch in batches)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=7), st.integers(0, 40), st.integers(2, 4))
def test_no_other_division_is_cheaper(lengths: list[int], pass_tokens: int, rows: int) -> None:
    """It is compared with every division of the sorted texts."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    least = min(
        cost(lengths, batches, pass_tokens)
        for cuts in itertools.product([False, True], repeat=len(order) - 1)
        if max(map(len, batches := divided(order, cuts))) <= rows
    )
    assert cost(lengths, plan_batches(lengths, max_rows=rows, pass_tokens=pass_tokens), pass_tokens) == least


def divided(order: list[int], cuts: tuple[bool, ...]) -> list[list[int]]:
    """Cut `order` after each of the places in `cuts`."""
    batches = [[order[0]]]
    for position, cut in zip(order[1:], cuts, strict=True):
        if cut:
            batches.append([])
        batches[-1].append(position)
    return batches


def test_texts_of_one_length_share_a_batch() -> None:
    """Equal lengths are not split before the row limit."""
    assert plan_batches([7] * 16) == [list(range(16))]


def test_padding_is_hidden_and_uses_the_artifacts_id(tiny_artifact: Path) -> None:
    """A shorter row ends in the padding id under a mask of 0, and only as long as the longest row of its batch."""
    encoder = TextEncoder.read(tiny_artifact, max_length=32, pad_token_id=9)
    short, long = "so " * 18, "so " * 20
    (batch,) = encoder.batches(encoder.encode([long, short]), FEATURES)
    assert batch.positions == [1, 0]
    assert batch.features["input_ids"].shape == (2, 22)
    assert batch.features["input_ids"][0, -2:].tolist() == [9, 9]
    assert batch.features["attention_mask"].sum(axis=1).tolist() == [20, 22]


def test_arrays_are_what_onnx_models_take(tiny_artifact: Path) -> None:
    """Every feature that was asked for is an int64 array of the same shape, for one text as for two."""
    encoder = TextEncoder.read(tiny_artifact, max_length=8, pad_token_id=0)
    for texts in (["good"], ["good", "bad"]):
        (batch,) = encoder.batches(encoder.encode(texts), ["input_ids", "attention_mask"])
        shapes = {name: (array.dtype, array.shape) for name, array in batch.features.items()}
        assert shapes == dict.fromkeys(["input_ids", "attention_mask"], (np.dtype("int64"), (len(texts), 3)))


def test_the_side_that_is_cut_off_is_the_artifacts(tiny_artifact: Path) -> None:
    """Of a long text the beginning is kept, or its end; either way it is reported as truncated."""
    words = "good bad so so so so so so bad"
    for side, kept in (("right", [4, 5, 6]), ("left", [6, 6, 5])):
        encoder = TextEncoder.read(tiny_artifact, max_length=5, pad_token_id=0, truncation_side=side)
        (encoding,) = encoder.encode([words])
        assert (encoding.ids[1:-1], bool(encoding.overflowing)) == (kept, True)
