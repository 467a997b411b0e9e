"""Hold validation rows out of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from classifier.errors import DataError

MIN_PRODUCTS = 5
"""With fewer products, a held-out one would say more about that product than about the model."""


@dataclass(frozen=True)
class HoldOut:
    """Two disjoint tables with fresh indices, and whether whole products or single rows were drawn."""

    train: pd.DataFrame
    validation: pd.DataFrame
    drawn: Literal["products", "rows"]


def hold_out(frame: pd.DataFrame, fraction: float = 0.1, *, seed: int = 0) -> HoldOut:
    """Hold out about `fraction` of the rows, for the choices that must not be made on the test split.

    Texts about one product resemble each other, so whole products are drawn where they are known. Otherwise, or when
    that would leave a side without one of the classes, rows are drawn from each class in proportion. The same rows and
    seed always give the same result.

    Args:
        frame: as `prepare` makes it; the columns `label` and, where there is one, `product` are read.
        fraction: share of rows to hold out, between 0 and 1, both excluded.

    Raises:
        DataError: a class has fewer than two rows, so it cannot be on both sides.
        ValueError: `fraction` is outside its range.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction is {fraction}; a number between 0 and 1 is allowed")
    rng = np.random.default_rng(seed)
    mask = _product_mask(frame, fraction, rng)
    drawn: Literal["products", "rows"] = "rows" if mask is None else "products"
    if mask is None:
        mask = _row_mask(frame, fraction, rng)
    return HoldOut(frame[~mask].reset_index(drop=True), frame[mask].reset_index(drop=True), drawn)


def _product_mask(frame: pd.DataFrame, fraction: float, rng: np.random.Generator) -> np.ndarray | None:
    """Draw products. Return (rows,) bool, or None if products are unknown or too few, or a class would be missing."""
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
        # Skip a product that would bring the total further from the target than it is now.
        if abs(rows + size - wanted) < abs(rows - wanted):
            chosen.append(product)
            rows += size
    mask: np.ndarray = frame["product"].isin(chosen).to_numpy()
    both_sides = all(set(frame["label"][side]) == set(frame["label"]) for side in (mask, ~mask))
    return mask if both_sides else None


def _row_mask(frame: pd.DataFrame, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Draw rows from each class in proportion, at least one from each. Return (rows,) bool."""
    mask = np.zeros(len(frame), dtype=bool)
    for label, positions in frame.reset_index(drop=True).groupby("label", sort=True).groups.items():
        if len(positions) < 2:
            raise DataError(
                f"Class {label} has {len(positions)} row; at least 2 of each class are needed to hold some out.",
                hint="Add rows of that class.",
            )
        count = min(max(round(fraction * len(positions)), 1), len(positions) - 1)
        mask[rng.permutation(np.asarray(positions))[:count]] = True
    return mask
