"""One label set over all splits, in one order; names for numbers; the positive class."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.data.values import in_order, label_of
from classifier.errors import HyperparameterError

JOB = Path(__file__).resolve().parents[3] / "training_job"


def rows(*labels, start=0):
    """Four rows of each label."""
    return [{"text": f"row {start + 4 * n + k}", "label": label} for n, label in enumerate(labels) for k in range(4)]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ((1, 0), ("0", "1")),
        (("1", "10", "9"), ("1", "9", "10")),
        ((4, 0), ("0", "4")),
        ((-1, 1), ("-1", "1")),
        ((1.0, 2.0), ("1", "2")),
        ((1.5, "1", 2), ("1", "1.5", "2")),
        ((2**53, 2**53 + 1), ("9007199254740992", "9007199254740993")),
        (("spam", "ham"), ("ham", "spam")),
        ((True, False), ("false", "true")),
        (("True", "False"), ("false", "true")),
        (("007", "7"), ("007", "7")),
        (("ß & <b>", "→", "a;b"), ("a;b", "ß & <b>", "→")),
    ],
)
def test_numbers_by_value_and_words_by_alphabet(data_file, load, labels, names):
    """The order depends on nothing else, and numbers are exact however big."""
    for order in (labels, labels[::-1]):
        data = load(data_file(*rows(*order)), label_column="label", label_separator="none")
        assert data.label_names == names
        assert data.manifest["splits"]["train"]["labels"] == dict.fromkeys(names, 4)


@given(st.lists(st.text(max_size=6) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)))
def test_any_labels_have_one_order(values):
    """Whatever they are, sorting them in any order gives the same."""
    labels = [label_of(value) for value in values]
    assert in_order(labels) == in_order(reversed(labels)) == in_order(in_order(labels))


@given(st.integers())
def test_a_number_is_one_label_in_every_notation(number):
    """1, "1", "1.0" and 1.0 are one label in JSON and in CSV."""
    assert label_of(number) == label_of(str(number)) == label_of(f"{number}.0") == label_of(f" {number}.00 ")
    if abs(number) < 2**53:
        assert label_of(float(number)) == label_of(number)


def test_csv_and_json_agree_about_numbers(data_file, load):
    """A training file of integers and a test file of 1.0 have the same labels."""
    train = data_file(*rows(0, 1), name="train.jsonl")
    test = data_file(content=b"text,label\nan unknown row,1.0\nanother row,0.0\n", name="test.csv")
    data = load(train, test)
    assert data.label_names == ("0", "1") and data.ids("test") == [(1,), (0,)]


def test_the_order_does_not_depend_on_the_hash_seed(tmp_path, data_file):
    """Nothing of what is written depends on PYTHONHASHSEED: labels, splits, files and hash are the same."""
    path = data_file(*rows("Spam", "spam", "ham", "z", "y", "x"), *rows("x ", "x", start=50))
    code = (
        "import sys; from pathlib import Path; from classifier.data.dataset import load_data;"
        "data = load_data(Path(sys.argv[1]), None); data.write(Path(sys.argv[2])); print(data.data_sha256)"
    )
    said = []
    for seed in ("0", "1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(JOB)}
        command = [sys.executable, "-c", code, str(path), str(tmp_path / seed)]
        said.append(subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout)
    assert len(set(said)) == 1
    for file in ("train.jsonl", "test.jsonl", "manifest.json"):
        assert len({(tmp_path / seed / file).read_bytes() for seed in ("0", "1", "2")}) == 1


def test_a_label_that_only_the_test_file_has_is_named(data_file, refused):
    """It could not be learned."""
    train, test = data_file(*rows("a", "b")), data_file(*rows("b", "c", "d", start=50), name="test.json")
    said = refused(train, test)
    assert "The test file test.json has labels c, d" in said and "it has a, b" in said


def test_a_test_file_of_one_class_is_legal(data_file, load):
    """The label set is that of the training data."""
    data = load(data_file(*rows("a", "b")), data_file(*rows("b", start=50), name="test.json"))
    assert data.label_names == ("a", "b") and data.manifest["splits"]["test"]["labels"] == {"a": 0, "b": 4}


def test_differing_case_is_told_and_joined_on_request(data_file, load):
    """Joined, the most frequent spelling is the name."""
    path = data_file(*rows("Positive", "positive", "negative"), *rows("positive", start=20))
    data = load(path)
    assert data.label_names == ("Positive", "negative", "positive")
    assert any("Positive and positive" in line and "join_label_case=yes" in line for line in data.summary())
    joined = load(path, join_label_case="yes")
    assert joined.label_names == ("negative", "positive")
    assert joined.manifest["splits"]["train"]["labels"] == {"negative": 4, "positive": 12}


@pytest.mark.parametrize("variant", ["spam\u200b", "spam ", "\ufeffspam", " spam"])
def test_characters_that_nobody_sees_make_no_other_label(data_file, load, variant):
    """They are joined, and invisible ones are told of."""
    data = load(data_file(*rows("spam", "ham"), *rows("spam", variant, start=20)))
    assert data.label_names == ("ham", "spam")
    assert any("were joined: spam" in line for line in data.summary()) == ("\u200b" in variant or "\ufeff" in variant)


@pytest.mark.parametrize(
    ("label_names", "names", "first"),
    [
        ("negative,positive", ("negative", "positive"), "negative"),
        ("1=yes, 0=no", ("no", "yes"), "no"),
        ("1=yes", ("0", "yes"), "0"),
        ("1,0", ("1", "0"), "0"),
    ],
)
def test_numbers_are_named(data_file, load, label_names, names, first):
    """By their order, or one by one; names that occur themselves give the order."""
    data = load(data_file(*rows(0, 1)), label_names=label_names)
    assert data.label_names == names and data.splits["train"][0].labels == (first,)


def test_names_that_occur_fix_the_order(data_file, load, refused):
    """Rows of other labels are set aside, and are a loss."""
    path = data_file(*rows("no", "yes"), *rows("maybe", start=20)[:1])
    data = load(path, label_names="yes,no", max_lost_share=0.2)
    assert data.label_names == ("yes", "no") and [ids[0] for ids in data.ids("train")] == [1] * 4 + [0] * 4
    assert data.set_aside["train"]["malformed"] == 1
    assert "the label is not among label_names" in refused(path, label_names="yes,no")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"label_names": "a,b,c"}, "these are 3 names for 2 labels: 0, 1"),
        ({"label_names": "2=two"}, "there is no label '2'"),
        ({"label_names": "0=1"}, "two labels would have one name"),
        ({"label_names": "0,x"}, "there is no label 'x'"),
        ({"positive_label": "x"}, "one of 0, 1"),
    ],
)
def test_settings_that_do_not_fit_the_labels(data_file, load, settings, said):
    """The error carries the setting and lists the labels."""
    with pytest.raises(HyperparameterError, match=said) as caught:
        load(data_file(*rows(0, 1)), **settings)
    assert caught.value.name in settings


def test_the_positive_class_can_be_chosen(data_file, load):
    """It becomes label 1; its name or what stands in the file says which."""
    path = data_file(*rows("fraud", "legal"))
    assert load(path).label_names == ("fraud", "legal")
    assert load(path, positive_label="fraud").label_names == ("legal", "fraud")
    numbers = data_file(*rows(0, 1), name="numbers.json")
    assert load(numbers, label_names="bad,good", positive_label="0").label_names == ("good", "bad")
    with pytest.raises(HyperparameterError, match="only two labels have a positive one"):
        load(data_file(*rows("a", "b", "c")), positive_label="a")


@pytest.mark.parametrize(
    ("lines", "labels", "names"),
    [
        ("anger\njoy\nlove\n", (0, 1, 2), ("anger", "joy", "love")),
        ("anger\njoy\nlove\n", (0, 2), ("anger", "love")),
        ("anger\njoy\nlove\n", (1, 2, 3), ("anger", "joy", "love")),
        ("anger\njoy\n", (1, 2, 3), ("1", "2", "3")),
        ("anger\njoy\n", ("a", "b"), ("a", "b")),
    ],
)
def test_names_from_a_file_beside_the_data(tmp_path, data_file, load, lines, labels, names):
    """Line by line where labels are numbers and the lines are enough; either way it is told."""
    (tmp_path / "labels.txt").write_text(lines)
    data = load(data_file(*rows(*labels)))
    assert data.label_names == names
    assert any("labels.txt" in line for line in data.summary()) == (labels != ("a", "b"))


@pytest.mark.parametrize("labels", [("a",), tuple(f"label {n}" for n in range(1001))])
def test_too_few_or_too_many_labels(data_file, refused, labels):
    """2 to 1,000 can be learned."""
    said = refused(data_file(*rows(*labels)), label_column="label")
    assert "of one class, 'a'" in said if len(labels) == 1 else "has 1,001 labels; 2 to 1,000 are allowed" in said


def test_classes_with_one_row_are_named(data_file, load, refused):
    """Of two, it is refused; of many, the row is learned and the class told."""
    assert "Class b has 1 row" in refused(data_file(*rows("a", "b")[:5]))
    data = load(data_file(*rows("a", "c", "b")[:9]))
    assert any("neither validated nor tested: b (add rows" in line for line in data.summary())


def test_a_thousand_labels(data_file, load):
    """Numbers are in the order of their values."""
    data = load(data_file(*rows(*range(1000))), label_column="label")
    assert data.label_names == tuple(map(str, range(1000)))


def test_lines_that_may_be_counted_either_way_name_nothing(tmp_path, data_file, load):
    """Labels 1 and 2 of three lines: the first two, or the last two."""
    (tmp_path / "labels.txt").write_text("anger\njoy\nlove\n")
    data = load(data_file(*rows(1, 2)))
    assert data.label_names == ("1", "2")
    assert any("its 3 lines fit the labels counted from 0 and from 1" in line for line in data.summary())


def test_labels_that_may_be_texts_are_counted_and_not_named(data_file, refused):
    """A text column that was taken for the label has customers' words."""
    train = data_file(*({"text": f"text {n}", "label": f"my secret {n}"} for n in range(40)))
    test = data_file(*({"text": f"other {n}", "label": f"a secret {n}"} for n in range(40)), name="test.json")
    said = refused(train, test, text_column="text", label_column="label")
    assert "has labels (40 distinct values, not shown)" in said and "secret" not in said
