"""tables: the field files and real data sets that may be beside the project, each with its right value."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tables import ReadSettings, Table, TableError, read_table

SHARED = Path(__file__).parents[4] / "shared"
FIELD, DATA = SHARED / "field", SHARED / "data"

READ: dict[str, tuple[str, dict[str, int]]] = {
    "encoding/pound_cp1252.csv": ("v1", {"spam": 180, "ham": 180}),
    "encoding/german_cp1252.csv": ("Hilfreich", {"ja": 44, "nein": 36}),
    "encoding/chinese_gb18030.csv": ("label", {"0": 70, "1": 70}),
    "quoting/tab_quotes_are_text.tsv": ("label", {"positive": 100, "negative": 100}),
    "quoting/semicolon_apostrophe.csv": ("label", {"Wirtschaft": 26, "Sport": 24}),
    "header/line_break_in_name.csv": ("Happy?", {"No": 30, "Yes": 30}),
    "header/two_marks.csv": ("label", {"positive": 30, "negative": 30}),
    "header/cr_line_ends.csv": ("label", {"positive": 46, "negative": 44}),
    "header/none_two_columns.csv": ("column_1", {"1": 39, "2": 41}),
    "labels/other_words_train.csv": ("label", {"ok": 52, "toxic": 48}),
    "labels/other_words_test.csv": ("label", {"toxic": 34, "valid": 26}),
    "labels/zero_one.csv": ("label", {"0": 58, "1": 62}),
    "labels/big_numbers.csv": ("label", {"9007199254740992": 40, "9007199254740993": 40}),
    "labels/six_classes.csv": (
        "emotion",
        {"sadness": 30, "love": 29, "fear": 27, "anger": 24, "surprise": 21, "joy": 19},
    ),
    "split/leak_train.jsonl": ("label", {"negative": 53, "positive": 52}),
    "split/leak_test.jsonl": ("label", {"negative": 31, "positive": 29}),
    "names/names_with_blanks.csv": ("Final Label", {"not spam / ham": 40, "spam & scam; etc.": 40}),
    "scores/decimal_comma.csv": ("Hilfreich", {"ja": 44, "nein": 36}),
    "json/columns.json": ("label", {"positive": 33, "negative": 27}),
}
ENCODINGS = {"encoding/pound_cp1252.csv": "cp1252", "encoding/german_cp1252.csv": "cp1252"}


def read(path: Path, settings: ReadSettings | None = None) -> Table:
    """The table of a shared file."""
    if not path.exists():
        pytest.skip(f"{path.relative_to(SHARED)} is not beside the project")
    return read_table(path, settings)


@pytest.mark.parametrize("name", READ)
def test_a_field_file_has_its_rows_and_classes(name: str) -> None:
    """And nothing is set aside."""
    column, counts = READ[name]
    table = read(FIELD / name)
    assert Counter(row.values[column] for row in table.rows if row.values is not None) == counts
    assert [row.problem for row in table.rows if row.problem] == []
    assert table.how.encoding == ENCODINGS.get(name, table.how.encoding)
    assert not any("\ufffd" in str(row.values) for row in table.rows)


def test_quotes_as_text_are_in_the_texts() -> None:
    """40 of the 200 texts hold one, as they stand in the file."""
    table = read(FIELD / "quoting" / "tab_quotes_are_text.tsv")
    lines = (FIELD / "quoting" / "tab_quotes_are_text.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert ["\t".join(map(str, row.values.values())) for row in table.rows if row.values] == lines
    assert sum('"' in line for line in lines) == 40


def test_a_name_that_occurs_twice_is_refused() -> None:
    """By its name."""
    with pytest.raises(TableError, match="'label' twice"):
        read(FIELD / "header" / "name_twice.csv")


def test_the_clients_files() -> None:
    """Ragged rows are reported, tabs are found."""
    ragged = read(FIELD / "client" / "ragged.csv")
    assert [(row.line, bool(row.problem)) for row in ragged.rows] == [(2, False), (3, True), (4, False), (5, True)]
    assert [row.values["id"] for row in read(FIELD / "client" / "tab.tsv").rows if row.values] == [
        str(n) for n in range(20)
    ]


@pytest.mark.parametrize(("split", "count"), [("train", 43_410), ("test", 2_714)])
def test_goemotions_is_read_with_every_text_unchanged(split: str, count: int) -> None:
    """Tabs, no header, and quotes are characters; that they stand around 1,097 texts is said."""
    path = DATA / "goemotions" / f"{split}.tsv"
    table = read(path)
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    assert len(lines) == count
    assert ["\t".join(map(str, row.values.values())) for row in table.rows if row.values] == lines
    assert table.columns == ("column_1", "column_2", "column_3")
    assert any("quote=double" in note for note in table.notes)


@pytest.mark.parametrize(("split", "count"), [("train", 10_003), ("test", 1_540)])
def test_banking77_is_read_with_line_breaks_within_texts(split: str, count: int) -> None:
    """77 classes, nothing set aside."""
    table = read(DATA / "banking77" / f"{split}.csv")
    rows = [row.values for row in table.rows if row.values is not None]
    assert (len(rows), len({row["category"] for row in rows})) == (count, 77)
    assert [row.problem for row in table.rows if row.problem] == []
