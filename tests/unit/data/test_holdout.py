"""Holding rows out."""

from __future__ import annotations

import pytest

from classifier.data.holdout import hold_out
from classifier.data.rows import Example


def table(groups: int, rows: int, label=lambda group, row: row % 2):
    """Rows and their ids."""
    made = [(group, row) for group in range(groups) for row in range(rows)]
    examples = [Example(f"{group}/{row}", group=f"G{group}") for group, row in made]
    return examples, [(label(group, row),) for group, row in made]


def without_groups(examples):
    return [Example(row.text) for row in examples]


def share(cut, examples, ids, label):
    """The label's share of the held-out rows."""
    of = dict(zip((row.text for row in examples), ids, strict=True))
    return sum(label in of[row.text] for row in cut.held) / len(cut.held)


def test_no_group_is_on_both_sides():
    """Whole groups are held out, about a tenth of the rows."""
    examples, ids = table(100, 7)
    cut = hold_out(examples, ids, 0.1, seed=1)
    assert cut.drawn == "groups"
    assert not {row.group for row in cut.kept} & {row.group for row in cut.held}
    assert 0.06 < len(cut.held) / len(examples) < 0.14


def test_every_row_is_on_exactly_one_side_in_its_order():
    """No row is lost or duplicated."""
    examples, ids = table(40, 5)
    cut = hold_out(examples, ids, 0.2, seed=0)
    assert sorted([*cut.kept, *cut.held], key=examples.index) == examples
    assert cut.held == sorted(cut.held, key=examples.index)


def test_same_seed_same_split():
    """The same rows and seed give the same split; another seed gives another one."""
    first, again, other = (hold_out(*table(40, 5), 0.1, seed=seed).held for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize("grouped", [True, False])
def test_rows_are_drawn_where_groups_are_few_or_unknown(grouped):
    """Both sides then have the labels in the same proportion."""
    examples, ids = table(3, 40, label=lambda group, row: int(row % 4 == 0))
    examples = examples if grouped else without_groups(examples)
    cut = hold_out(examples, ids, 0.1, seed=2)
    assert cut.drawn == "rows" and len(cut.held) == 12
    assert share(cut, examples, ids, 1) == pytest.approx(0.25)


def test_groups_of_one_label_do_not_empty_a_side():
    """If groups decide the label, whole groups could leave a side without one: rows are drawn instead."""
    examples, ids = table(5, 10, label=lambda group, row: int(group == 0))
    cut = hold_out(examples, ids, 0.2, seed=0)
    assert cut.drawn == "rows" and share(cut, examples, ids, 1) == pytest.approx(0.2)


@pytest.mark.parametrize(("rare", "keep", "held"), [(1, 1, 0), (2, 1, 1), (2, 2, 0), (3, 2, 1)])
def test_rare_labels_keep_the_rows_they_need(rare, keep, held):
    """A label is on both sides if it has rows for both; else its rows stay."""
    examples, ids = table(1, 100, label=lambda group, row: int(row < rare))
    cut = hold_out(examples, ids, 0.1, seed=0, keep=keep)
    assert round(share(cut, examples, ids, 1) * len(cut.held)) == held


def test_of_several_labels_the_rarest_decides():
    """Each label has its share on the held-out side, also the rare ones; rows without a label are drawn too."""
    examples = [Example(f"text {n}") for n in range(400)]
    ids = [tuple(k for k, every in enumerate((2, 5, 40)) if n % every == 0) for n in range(400)]
    cut = hold_out(examples, ids, 0.2, seed=0)
    assert [round(share(cut, examples, ids, k) * len(cut.held)) for k in range(3)][2] == 2
    assert 30 <= round(share(cut, examples, ids, 0) * len(cut.held)) <= 50
    of = dict(zip((row.text for row in examples), ids, strict=True))
    assert any(not of[row.text] for row in cut.held)


def test_a_thousand_labels_are_each_on_both_sides():
    """Two of ten rows each."""
    examples, ids = table(1000, 10, label=lambda group, row: group)
    cut = hold_out(without_groups(examples), ids, 0.2, seed=0)
    assert len(cut.held) == 2000 and len({row.text.split("/")[0] for row in cut.held}) == 1000


def test_texts_that_differ_in_capitals_and_blanks_stay_together():
    """A text that was learned tells nothing when it is tested, whatever its label there."""
    examples = [Example(text) for n in range(60) for text in (f"some text {n}", f"SOME  text {n} ")]
    ids = [(n % 2,) for n in range(120)]
    cut = hold_out(examples, ids, 0.2, seed=0)
    sides = [{" ".join(row.text.lower().split()) for row in side} for side in (cut.kept, cut.held)]
    assert not sides[0] & sides[1] and 18 <= len(cut.held) <= 30


def test_real_set_is_split_by_product(real_set, load):
    """The real set's 123 products are told apart by their asin."""
    data = load(real_set / "train.json")
    cut = hold_out(data.splits["train"], data.ids("train"), 0.1, seed=0)
    assert cut.drawn == "groups" and not {row.group for row in cut.kept} & {row.group for row in cut.held}
    assert 0.08 < len(cut.held) / 20_000 < 0.12


def test_a_test_part_is_held_out_of_one_file_and_told(data_file, load):
    """A fifth of each label, by the seed; none where a test file is given or none is wanted."""
    path = data_file(*({"text": f"text {n} of many", "label": "abc"[n % 3]} for n in range(150)))
    data = load(path, test_fraction=0.2, seed=3)
    assert data.manifest["splits"]["test"]["labels"] == {"a": 10, "b": 10, "c": 10}
    assert data.manifest["held_out"] | {"how": ""} == {"split": "test", "fraction": 0.2, "seed": 3, "how": ""}
    assert "test: 30 of these rows held out (rows of each label in proportion, seed 3)" in data.summary()
    assert "150 rows, 3 classes a 50 b 50 c 50" in data.summary()[0]
    assert set(load(path, test_fraction=0.0).splits) == {"train"}


def test_groups_stay_together_in_the_test_part(data_file, load):
    """It is told as well."""
    rows = [{"user_id": f"u{n % 40}", "text": f"text {n} of many", "label": "ab"[n // 40 % 2]} for n in range(400)]
    data = load(data_file(*rows), test_fraction=0.2)
    train, test = ({row.group for row in data.splits[split]} for split in ("train", "test"))
    assert not train & test and len(train | test) == 40
    assert any("held out (whole groups, seed 42)" in line for line in data.summary())


def test_rows_without_a_group_do_not_part_the_others():
    """A blank cell is a group by itself."""
    examples, ids = table(40, 5)
    examples[3] = Example(examples[3].text)
    examples[77] = Example(examples[77].text)
    cut = hold_out(examples, ids, 0.2, seed=0)
    assert cut.drawn == "groups" and 30 <= len(cut.held) <= 50
    assert not {row.group for row in cut.kept if row.group} & {row.group for row in cut.held if row.group}
