"""Cuts a validation split off the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from classifier.errors import TooFewRows

MIN_PRODUCTS = 5
"""With fewer products than this, holding one out would say more about that product than about the model."""


@dataclass(frozen=True)
class Split:
    """Two disjoint tables with fresh indices; ``held_out`` says whether whole products or single rows were drawn."""

    train: pd.DataFrame
    validation: pd.DataFrame
    held_out: Literal["products", "rows"]


def split_validation(frame: pd.DataFrame, fraction: float = 0.1, *, seed: int = 0) -> Split:
    """Holds out about ``fraction`` of the rows for every choice that must not be made on the test split.

    Whole products are held out where they are known (column ``product``), so that no product is on both sides: texts
    about one product resemble each other. Otherwise, or when that would leave a side without one of the classes, rows
    are drawn from each class in proportion. The same rows and seed always give the same split.

    Args:
        frame: rows as ``prepare`` gives them; ``label`` and, for products, ``product`` are read.
        fraction: share of rows to hold out, between 0 and 1, both excluded.
        seed: of the draw.

    Raises:
        TooFewRows: a class has fewer than two rows, so it cannot be on both sides.
        ValueError: ``fraction`` is outside its range.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}; a number between 0 and 1 is allowed")
    rng = np.random.default_rng(seed)
    mask = _product_mask(frame, fraction, rng)
    if mask is not None:
        return _split(frame, mask, "products")
    return _split(frame, _row_mask(frame, fraction, rng), "rows")


def _split(frame: pd.DataFrame, mask: np.ndarray, held_out: Literal["products", "rows"]) -> Split:
    return Split(frame[~mask].reset_index(drop=True), frame[mask].reset_index(drop=True), held_out)


def _product_mask(frame: pd.DataFrame, fraction: float, rng: np.random.Generator) -> np.ndarray | None:
    """Which rows to hold out, (rows,) bool; None if products are not known or too few, or a class would be missing."""
    if "product" not in frame or not frame["product"].astype(bool).all():
        return None
    sizes = frame.groupby("product", sort=True).size()
    if len(sizes) < MIN_PRODUCTS:
        return None
    wanted = fraction * len(frame)
    chosen: list[str] = []
    rows = 0
    for product in rng.permutation(sizes.index.to_numpy(dtype=object)):
        size = int(sizes[product])
        # A product that would bring the total further from the target than it is now is passed over.
        if abs(rows + size - wanted) < abs(rows - wanted):
            chosen.append(product)
            rows += size
    mask = frame["product"].isin(chosen).to_numpy()
    both_sides = all(set(frame["label"][side]) == set(frame["label"]) for side in (mask, ~mask))
    return mask if both_sides else None


def _row_mask(frame: pd.DataFrame, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Which rows to hold out, (rows,) bool, drawn from each class in proportion, at least one from each."""
    mask = np.zeros(len(frame), dtype=bool)
    for label, positions in frame.reset_index(drop=True).groupby("label", sort=True).groups.items():
        if len(positions) < 2:
            raise TooFewRows(
                f"class {label} has {len(positions)} row; at least 2 of each class are needed to hold some out.",
                hint="Add rows of that class, or give a validation file of your own.",
            )
        count = min(max(round(fraction * len(positions)), 1), len(positions) - 1)
        mask[rng.permutation(np.asarray(positions))[:count]] = True
    return mask
