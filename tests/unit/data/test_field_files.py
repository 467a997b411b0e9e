"""Files as people have them: every one that concerns the data package, with its right value."""

from __future__ import annotations

import shutil

import pytest

FIELD = [
    ("encoding/pound_cp1252.csv", {}, {"ham": 180, "spam": 180}),
    ("encoding/pound_cp1252.csv", {"text_column": "v2", "label_column": "v1"}, {"ham": 180, "spam": 180}),
    ("encoding/german_cp1252.csv", {}, {"ja": 44, "nein": 36}),
    ("encoding/chinese_gb18030.csv", {}, {"0": 70, "1": 70}),
    ("quoting/tab_quotes_are_text.tsv", {}, {"negative": 100, "positive": 100}),
    ("quoting/semicolon_apostrophe.csv", {}, {"Sport": 24, "Wirtschaft": 26}),
    ("header/line_break_in_name.csv", {"text_column": "Comment", "label_column": "Happy?"}, {"No": 30, "Yes": 30}),
    ("header/two_marks.csv", {}, {"negative": 30, "positive": 30}),
    ("header/cr_line_ends.csv", {}, {"negative": 44, "positive": 46}),
    ("header/none_two_columns.csv", {}, {"1": 39, "2": 41}),
    ("labels/zero_one.csv", {}, {"0": 58, "1": 62}),
    ("labels/zero_one.csv", {"label_names": "negative,positive"}, {"negative": 58, "positive": 62}),
    ("labels/big_numbers.csv", {}, {"9007199254740992": 40, "9007199254740993": 40}),
    (
        "labels/six_classes.csv",
        {},
        {"anger": 24, "fear": 27, "joy": 19, "love": 29, "sadness": 30, "surprise": 21},
    ),
    ("names/names_with_blanks.csv", {}, {"not spam / ham": 40, "spam & scam; etc.": 40}),
    ("scores/decimal_comma.csv", {}, {"ja": 44, "nein": 36}),
    (
        "scores/decimal_comma.csv",
        {"text_column": "Text", "score_column": "Bewertung", "score_threshold": 3},
        {"low": 36, "high": 44},
    ),
    ("json/columns.json", {}, {"negative": 27, "positive": 33}),
]


@pytest.mark.parametrize(("name", "settings", "classes"), FIELD)
def test_a_file_is_read_with_all_its_rows(shared, load, name, settings, classes):
    """Every row is used, the classes have their counts and one order, and nothing is set aside."""
    data = load(shared / "field" / name, **settings)
    assert data.manifest["splits"]["train"]["labels"] == classes
    assert list(data.manifest["splits"]["train"]["labels"]) == list(data.label_names) == list(classes)
    assert sum(data.set_aside["train"].values()) == 0


def test_two_columns_of_one_name_are_refused(shared, refused):
    """Two annotators differ in a quarter of the rows; neither is taken without a word."""
    assert "has 'label' twice" in refused(shared / "field/header/name_twice.csv")


def test_a_label_of_the_test_file_only_is_refused_by_name(shared, refused):
    """A class would otherwise be taken for another one."""
    folder = shared / "field" / "labels"
    said = refused(folder / "other_words_train.csv", folder / "other_words_test.csv")
    assert "other_words_test.csv has the label valid" in said and "it has ok, toxic" in said


def test_what_leaks_is_counted(shared, load):
    """Texts count as the same whatever their capitals and blanks."""
    folder = shared / "field" / "split"
    data = load(folder / "leak_train.jsonl", folder / "leak_test.jsonl")
    assert (len(data.splits["train"]), len(data.splits["test"])) == (105, 60)
    assert "30 of 60 test texts are in the training data" in data.summary()
    assert "5 texts of the train data have two labels" in data.summary()


def test_banking77(shared, load):
    """77 classes in one order; the summary stays short."""
    data = load(shared / "data" / "banking77")
    splits = data.manifest["splits"]
    assert (splits["train"]["rows"], splits["test"]["rows"], len(data.label_names)) == (9_999, 1_540, 77)
    assert data.set_aside["train"]["duplicate"] == 4 and data.label_names == tuple(sorted(data.label_names))
    assert "9,999 rows, 77 classes, from card_payment_fee_charged 187" in data.summary()[0]
    assert max(map(len, data.summary())) < 400


@pytest.mark.parametrize("rows", [4_341, pytest.param(43_410, marks=pytest.mark.nightly(part="real-data"))])
def test_goemotions(shared, load, tmp_path, rows):
    """Without a header, with numbers of labels in a cell and their names in a file beside the data."""
    folder = shutil.copytree(shared / "data" / "goemotions", tmp_path / "goemotions")
    lines = (folder / "train.tsv").read_bytes().splitlines(keepends=True)
    (folder / "train.tsv").write_bytes(b"".join(lines[:rows]))
    data = load(folder)
    assert data.objective == "multilabel"
    assert data.label_names == tuple((folder / "labels.txt").read_text().split())
    raw = [line.split("\t") for line in (folder / "train.tsv").read_text(encoding="utf-8").split("\n")[:-1]]
    by_line = {row.line: row for row in data.splits["train"]}
    ids = dict(zip(by_line, data.ids("train"), strict=True))
    assert len(raw) == rows == len(by_line) + data.set_aside["train"]["duplicate"]
    assert all(by_line[line].text == raw[line - 1][0].strip() for line in by_line)
    assert all(sorted(ids[line]) == sorted(map(int, raw[line - 1][1].split(","))) for line in by_line)
    assert any("labels.txt" in line for line in data.summary())


def test_helpful_sentences(shared, load):
    """The shipped example's form needs no setting."""
    data = load(shared / "data" / "helpful-sentences")
    assert data.objective == "regression" and data.score_threshold == 1.0
    assert (len(data.splits["train"]), len(data.splits["test"])) == (20_000, 1_000)
    assert len({row.group for row in data.splits["train"]}) == 123
