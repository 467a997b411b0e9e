"""Preparing a data file: what happens to each row."""

from __future__ import annotations

import hashlib
import json
import math

import pytest

from classifier.data.columns import Columns
from classifier.data.prepare import find_data_file, prepare
from classifier.errors import DataError

GOOD = {"sentence": "The hinge broke.", "helpful": 1.6, "product_title": "Lamp", "asin": "SYN1"}
BAD = {"sentence": "For my nephew.", "helpful": 0.3, "product_title": "Lamp", "asin": "SYN1"}
LABELLED = Columns(text_column="text", label_column="label")


def reasons(path):
    return [(row["line"], row["kind"]) for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())]


def test_rows_become_a_table(data_file):
    """Each row has text, label, score, title, product and family."""
    frame = prepare(data_file(GOOD, BAD)).frame
    known = {"product_title": "Lamp", "product": "SYN1", "family": ""}
    assert frame.to_dict("records") == [
        {"text": "The hinge broke.", "label": 1, "score": 1.6, **known},
        {"text": "For my nephew.", "label": 0, "score": 0.3, **known},
    ]


@pytest.mark.parametrize(("score", "label"), [(0, 0), (0.99, 0), (1, 1), (1.0, 1), (2, 1), ("0.5", 0), ("1.5", 1)])
def test_label_rule(data_file, score, label):
    """A score below 1 is label 0, from 1 on it is label 1; a number written as a string counts as one."""
    rows = [GOOD, BAD, {"sentence": "This one.", "helpful": score}]
    assert prepare(data_file(*rows)).frame["label"].iloc[2] == label


def test_threshold_is_configurable(data_file):
    """Stars from 1 to 5 with a threshold of 4 work like scores."""
    rows = [{"review": f"Number {stars}", "stars": stars} for stars in (1, 3, 4, 5)]
    columns = Columns(text_column="review", score_column="stars", score_threshold=4)
    assert list(prepare(data_file(*rows), columns).frame["label"]) == [0, 0, 1, 1]


def test_the_family_is_read_from_the_column_that_is_named(data_file):
    """It is product_family by default; a row without it has none."""
    rows = [{**GOOD, "product_family": " home ", "kind": 7}, BAD]
    assert list(prepare(data_file(*rows)).frame["family"]) == ["home", ""]
    assert list(prepare(data_file(*rows), Columns(family_column="kind")).frame["family"]) == ["7", ""]


def test_title_and_product_are_optional(data_file):
    """Without these columns the table has empty strings."""
    rows = [{"sentence": "a b", "helpful": 2}, {"sentence": "c d", "helpful": 0, "product_title": None}]
    frame = prepare(data_file(*rows)).frame
    assert list(frame["product_title"]) == list(frame["product"]) == ["", ""]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('{"sentence": "", "helpful": 1}', "empty"),
        ('{"sentence": " \\t", "helpful": 1}', "empty"),
        ('{"sentence": null, "helpful": 1}', "empty"),
        ("not json", "malformed"),
        ('{"sentence": "cut o', "malformed"),
        ("[1, 2]", "malformed"),
        ('"text"', "malformed"),
        ("[" * 100_000, "malformed"),
        ('{"sentence": "no score"}', "malformed"),
        ('{"helpful": 1}', "malformed"),
        ('{"sentence": 5, "helpful": 1}', "malformed"),
        ('{"sentence": "x", "helpful": null}', "malformed"),
        ('{"sentence": "x", "helpful": true}', "malformed"),
        ('{"sentence": "x", "helpful": "much"}', "malformed"),
        ('{"sentence": "x", "helpful": [1]}', "malformed"),
        ('{"sentence": "x", "helpful": NaN}', "malformed"),
        ('{"sentence": "x", "helpful": 1e999}', "malformed"),
        ('{"sentence": "x", "helpful": 1%s}' % ("0" * 400), "malformed"),
        ('{"sentence": "half \\ud83d pair", "helpful": 1}', "malformed"),
        (json.dumps(GOOD), "duplicate"),
        ('{"sentence": " The hinge broke. ", "helpful": 1.60}', "duplicate"),
    ],
)
def test_unusable_row_is_set_aside(data_file, tmp_path, line, kind):
    """An unusable row is counted by kind and written to the quarantine with its line number; the others are kept."""
    prepared = prepare(data_file(GOOD, line, BAD), quarantine_path=tmp_path / "q.jsonl")
    counted = {name: count for name, count in prepared.counts.items() if count}
    assert counted == {"read": 3, "kept": 2, kind: 1}
    assert reasons(tmp_path / "q.jsonl") == [(2, kind)]


def test_same_text_with_another_score_is_no_duplicate(data_file):
    """Two raters who disagree about a text are two rows."""
    assert prepare(data_file(GOOD, BAD, {**GOOD, "helpful": 1.2})).counts["kept"] == 3


def test_quarantine_holds_reason_and_raw_text(data_file, tmp_path):
    """The quarantine file has all that is needed to correct the rows."""
    prepare(data_file(GOOD, BAD, '{"sentence": "ü"}'), quarantine_path=tmp_path / "q" / "q.jsonl")
    (row,) = map(json.loads, (tmp_path / "q" / "q.jsonl").read_text(encoding="utf-8").splitlines())
    assert row == {"line": 3, "kind": "malformed", "reason": "no column helpful", "raw": '{"sentence": "ü"}'}


def test_long_raw_text_is_cut(data_file, tmp_path):
    """A broken line of megabytes does not make a quarantine of megabytes."""
    prepare(data_file(GOOD, BAD, "x" * 1_000_000), quarantine_path=tmp_path / "q.jsonl")
    assert (tmp_path / "q.jsonl").stat().st_size < 5000


def test_clean_file_leaves_no_quarantine(data_file, tmp_path):
    """If every row is used, there is no file, and one of an earlier run is deleted."""
    (tmp_path / "q.jsonl").write_text("earlier")
    prepare(data_file(GOOD, BAD), quarantine_path=tmp_path / "q.jsonl")
    assert not (tmp_path / "q.jsonl").exists()
    assert not (tmp_path / "q.jsonl").exists()


def test_invalid_utf8_costs_one_row(data_file):
    """A line in another encoding is malformed; its neighbours are read."""
    lines = [json.dumps(GOOD).encode(), '{"sentence": "für", "helpful": 1}'.encode("latin-1"), json.dumps(BAD).encode()]
    counts = prepare(data_file(content=b"\n".join(lines))).counts
    assert (counts["kept"], counts["malformed"]) == (2, 1)


def test_byte_order_mark_and_windows_line_ends(data_file):
    """A file saved by a Windows editor reads like any other."""
    content = b"\xef\xbb\xbf" + b"\r\n".join(json.dumps(row).encode() for row in (GOOD, BAD)) + b"\r\n"
    prepared = prepare(data_file(content=content))
    assert (prepared.counts["read"], prepared.counts["kept"]) == (2, 2)


def test_hash_is_that_of_the_file(data_file):
    """The hash is that of the bytes in the file."""
    path = data_file(GOOD, BAD)
    assert prepare(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_csv_with_quotes_and_line_breaks(data_file, tmp_path):
    """Quoted fields may hold delimiters, quotes and line breaks; line numbers are those of the file."""
    content = b'sentence,helpful\n"one, ""two""\nthree",1.5\nshort\nfour,0.5\n'
    prepared = prepare(data_file(content=content, name="train.csv"), quarantine_path=tmp_path / "q.jsonl")
    assert list(prepared.frame["text"]) == ['one, "two"\nthree', "four"]
    assert reasons(tmp_path / "q.jsonl") == [(4, "malformed")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_delimiters(data_file, delimiter):
    """The usual delimiters are recognised by the header."""
    lines = ["id,sentence,helpful", "1,good,1.5", "2,bad,0.5"]
    content = "\n".join(line.replace(",", delimiter) for line in lines).encode()
    assert prepare(data_file(content=content, name="train.csv")).counts["kept"] == 2


def test_csv_with_broken_quotes_goes_on(data_file):
    """A row with stray quotes is malformed, and the next one is read."""
    content = b'sentence,helpful\nfine,1.5\n"bro"ken,1\nalso fine,0.5\n'
    counts = prepare(data_file(content=content, name="train.csv")).counts
    assert (counts["kept"], counts["malformed"]) == (2, 1)


@pytest.mark.parametrize(
    ("values", "names", "labels"),
    [
        ([0, 1, 1], ("0", "1"), [0, 1, 1]),
        (["1", "10", "1"], ("1", "10"), [0, 1, 0]),
        ([9, 10, 9], ("9", "10"), [0, 1, 0]),
        ([1.0, 2.0, 1], ("1", "2"), [0, 1, 0]),
        (["spam", "ham", "ham"], ("ham", "spam"), [1, 0, 0]),
        ([True, False, True], ("false", "true"), [1, 0, 1]),
    ],
)
def test_labels_only_data(data_file, values, names, labels):
    """Two distinct labels become 0 and 1, numbers by value and words by alphabet; there is no score."""
    rows = [{"text": f"row {number}", "label": value} for number, value in enumerate(values)]
    prepared = prepare(data_file(*rows), LABELLED)
    assert (prepared.label_names, list(prepared.frame["label"])) == (names, labels)
    assert all(math.isnan(score) for score in prepared.frame["score"])
    assert prepared.frame["score"].isna().all()


def test_named_labels_fix_the_order(data_file):
    """Names given by the caller say which one is class 1; other labels are malformed rows."""
    rows = [{"text": f"row {number}", "label": label} for number, label in enumerate(["no", "yes", "maybe", "yes"])]
    columns = Columns(text_column="text", label_column="label", label_names=("yes", "no"))
    prepared = prepare(data_file(*rows), columns)
    assert list(prepared.frame["label"]) == [1, 0, 0]
    assert prepared.counts["malformed"] == 1


def test_scored_data_has_names_too(data_file):
    """Classes made by the threshold have the configured names."""
    columns = Columns(label_names=("bad", "good"))
    assert prepare(data_file(GOOD, BAD)).label_names == ("not_helpful", "helpful")
    assert prepare(data_file(GOOD, BAD), columns).label_names == ("bad", "good")


def test_find_file_of_a_split(tmp_path, data_file):
    """In a folder, the file named after the split is used; the path of a file is used as given."""
    train = data_file(GOOD)
    test = data_file(GOOD, name="test.csv")
    assert find_data_file(tmp_path, "train") == train
    assert find_data_file(tmp_path, "test") == test
    assert find_data_file(test, "train") == test


def test_only_data_file_of_a_folder(tmp_path, data_file):
    """A channel with a single data file of any name needs no renaming."""
    path = data_file(GOOD, name="reviews.jsonl")
    (tmp_path / "README.md").write_text("")
    assert find_data_file(tmp_path, "train") == path


def test_ambiguous_folder_is_refused(tmp_path, data_file):
    """Several files and none named after the split: the message lists them."""
    data_file(GOOD, name="a.json")
    data_file(GOOD, name="b.json")
    with pytest.raises(DataError, match=r"a\.json, b\.json"):
        find_data_file(tmp_path, "train")


def test_real_set_is_read_without_loss(real_set):
    """All 20,000 rows of the real training file are kept, 70.4 % of them with label 1."""
    prepared = prepare(real_set / "train.json")
    assert prepared.counts == {"read": 20000, "kept": 20000, "malformed": 0, "empty": 0, "duplicate": 0}
    assert round(prepared.frame["label"].mean(), 3) == 0.704
