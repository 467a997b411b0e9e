"""Holding out a validation split."""

from __future__ import annotations

import pandas as pd
import pytest
from classifier.data.prepare import prepare

from classifier.data.holdout import hold_out
from classifier.errors import DataError


def table(products: int, rows: int, label=lambda product, row: row % 2) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"text": f"{product}/{row}", "label": label(product, row), "product": f"P{product}"}
            for product in range(products)
            for row in range(rows)
        ]
    )


def test_no_product_is_on_both_sides(bundled):
    """Whole products are held out, about a tenth of the rows."""
    frame = prepare(bundled / "train.json").frame
    split = hold_out(frame, 0.1, seed=1)
    assert split.drawn == "products"
    assert not set(split.train["product"]) & set(split.validation["product"])
    assert 0.06 < len(split.validation) / len(frame) < 0.14


def test_every_row_is_on_exactly_one_side(bundled):
    """No row is lost or duplicated."""
    frame = prepare(bundled / "train.json").frame
    split = hold_out(frame, 0.2)
    assert sorted([*split.train["text"], *split.validation["text"]]) == sorted(frame["text"])


def test_same_seed_same_split(bundled):
    """The same rows and seed give the same split; another seed gives another one."""
    frame = prepare(bundled / "train.json").frame
    first, again, other = (hold_out(frame, seed=seed).validation for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert list(first["text"]) != list(other["text"])


@pytest.mark.parametrize("frame", [table(3, 40), table(40, 5).drop(columns="product"), table(40, 5).assign(product="")])
def test_rows_are_drawn_where_products_are_few_or_unknown(frame):
    """Both sides then have the classes in the same proportion."""
    split = hold_out(frame, 0.1, seed=2)
    assert split.drawn == "rows"
    assert split.validation["label"].mean() == pytest.approx(frame["label"].mean(), abs=0.05)
    assert len(split.validation) == pytest.approx(0.1 * len(frame), abs=1)


def test_products_of_one_class_do_not_empty_a_side():
    """If products decide the class, whole products could leave a side without one: rows are drawn instead."""
    frame = table(5, 10, label=lambda product, row: int(product == 0))
    split = hold_out(frame, 0.2)
    assert split.drawn == "rows"
    assert set(split.validation["label"]) == set(split.train["label"]) == {0, 1}


def test_each_class_is_on_both_sides_however_rare():
    """Of two rows of a class, each side gets one."""
    frame = table(1, 100, label=lambda product, row: int(row < 2))
    split = hold_out(frame, 0.01)
    assert (split.train["label"].sum(), split.validation["label"].sum()) == (1, 1)


def test_class_with_a_single_row_is_refused():
    """A single row cannot be on both sides."""
    with pytest.raises(DataError, match="Class 1 has 1 row"):
        hold_out(table(1, 50, label=lambda product, row: int(row == 0)))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fraction_out_of_range(fraction):
    """A fraction outside of 0 to 1 is the caller's mistake."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        hold_out(table(10, 10), fraction)


def test_real_set_is_split_by_product(real_set):
    """The real set's 123 products are told apart by their asin."""
    split = hold_out(prepare(real_set / "train.json").frame, 0.1)
    assert split.drawn == "products"
    assert len(split.validation) == pytest.approx(2000, abs=150)
