"""What looks wrong with data is counted and told, without a text in it."""

from __future__ import annotations

import json

import pytest

SUBJECTS = ("lamp", "kettle", "pump", "jacket", "clock", "mug", "bag", "hose", "grinder", "keyboard")
GOOD = ("works very well", "is a great joy", "was good value", "runs quiet and quick")
BAD = ("broke at the hinge", "leaks and rattles badly", "was a bad waste", "is loud and slow")


def reviews(count, *, prefix="my"):
    """Texts of two classes, as the words say."""
    return [
        {
            "text": f"{prefix} {SUBJECTS[n % 10]} {(GOOD if n % 2 else BAD)[n // 2 % 4]} after {n} days",
            "label": "good" if n % 2 else "bad",
        }
        for n in range(count)
    ]


def findings(data):
    return {entry["kind"]: (entry["rows"], entry["message"]) for entry in data.manifest["findings"]}


def test_clean_data_has_no_finding(data_file, load):
    """Nothing is told that is not so."""
    train, test = data_file(*reviews(60)), data_file(*reviews(20, prefix="the new red"), name="test.json")
    assert findings(load(train, test).inspect()) == {}


def test_few_rows_and_imbalance(data_file, load):
    """Labels are named with their counts."""
    rows = [{"text": f"row {n} of some", "label": "much" if n >= 8 else "few"} for n in range(300)]
    found = findings(load(data_file(*rows)))
    assert found["few_rows"] == (8, "few training rows for 1 of 2 labels: few 8 (add rows)")
    assert found["imbalance"] == (8, "much has 292 training rows, few 8")


def test_overlap_exact_and_near(data_file, load):
    """Capitals and blanks do not make another text; one changed word makes nearly the same."""
    base = "it was the first day of a long and wet winter and the old {} in our kitchen leaked again number"
    train = [{"text": f"{base.format('pipe')} {n} {n + 1} {n + 2}", "label": n % 2} for n in range(40)]
    same = [{"text": train[n]["text"].upper().replace(" ", "  "), "label": n % 2} for n in range(4)]
    near = [{"text": f"{train[n]['text']} indeed", "label": n % 2} for n in range(4, 10)]
    new = [{"text": f"something else entirely is said here {n}", "label": n % 2} for n in range(10)]
    found = findings(load(data_file(*train), data_file(*same, *near, *new, name="test.json")))
    assert found["overlap"] == (4, "4 of 20 test texts are in the training data")
    assert found["near_overlap"] == (6, "6 more test texts are nearly the same as a training text")


def test_texts_with_two_labels(data_file, load):
    """Of several raters, say; for scores it is usual and not told."""
    rows = reviews(60)
    found = findings(load(data_file(*rows, {**rows[0], "label": "good"})))
    assert found["two_labels"] == (1, "1 text of the train data has two labels")


def test_lengths_and_scripts(data_file, load):
    """Texts of a letter, of a book, and in letters that an English model does not know."""
    odd = [("x", "good"), ("word " * 2000, "bad"), ("лампа работает хорошо", "good"), ("这盏灯很好用", "good")]
    found = findings(load(data_file(*reviews(60), *({"text": text, "label": label} for text, label in odd))))
    assert (found["short_texts"][0], found["long_texts"][0], found["scripts"][0]) == (1, 1, 2)


def test_likely_label_errors(data_file, load, tmp_path):
    """Rows whose label was swapped are found by line; the list has no text."""
    rows = [{**row, "text": row["text"].split(" after")[0] + f" {n}"} for n, row in enumerate(reviews(200))]
    for n in (10, 51):
        rows[n]["label"] = "bad" if rows[n]["label"] == "good" else "good"
    path = tmp_path / "out" / "suspects.jsonl"
    found = findings(load(data_file(*rows)).inspect(suspects=path))
    listed = [json.loads(line) for line in path.read_text().splitlines()]
    assert listed == [
        {"split": "train", "line": 11, "label": "good", "likely": "bad"},
        {"split": "train", "line": 52, "label": "bad", "likely": "good"},
    ]
    assert found["label_errors"][0] == 2 and "good that reads like bad 1" in found["label_errors"][1]
    assert "suspects.jsonl" in found["label_errors"][1]


def test_texts_of_unknown_parts(data_file, load, shared):
    """Asked of the tokenizer itself."""
    tokenizer = shared / "field" / "models" / "m8_truncates_left" / "tokenizer.json"
    rows = [{"text": f"☃ ☂ ☄ {n}" if n < 9 else "the lamp", "label": n % 2, "id": n} for n in range(40)]
    found = findings(load(data_file(*rows), text_column="text").inspect(tokenizer=tokenizer))
    assert found["unknown_tokens"][0] >= 9


@pytest.mark.parametrize("names", [("extra.csv",), ()])
def test_unused_files_are_told(data_file, load, names, tmp_path):
    """A file that is not read is named."""
    data_file(*reviews(60), name="d/train.jsonl")
    for name in names:
        (tmp_path / "d" / name).write_text("text,label\na,b\n")
    said = load(tmp_path / "d").summary()
    assert [line for line in said if "is not used" in line] == [f"{name} is not used" for name in names]


def test_a_test_file_that_was_read_otherwise_is_told(data_file, load):
    """Its encoding, say; a file that was read in the same way needs no word."""
    table = "text,label\n" + "".join(f"a café number {n},{'ab'[n % 2]}\n" for n in range(40))
    train = data_file(content=table.encode(), name="train.csv")
    other = table.replace("number", "n").replace("a café", "the café")
    same = load(train, data_file(content=other.encode(), name="same/test.csv"))
    assert not any("was read as" in line for line in same.summary())
    data = load(train, data_file(content=other.encode("utf-16"), name="other/test.csv"))
    (line,) = (line for line in data.summary() if "was read as" in line)
    assert line.startswith("test.csv was read as a table") and "utf-16" in line.lower()


def test_test_rows_in_the_validation_file_are_counted(data_file, load, tmp_path):
    """The same rows in another order and form: what chose the model would measure it."""
    rows = reviews(30, prefix="the new red")
    data_file(*reviews(60), name="all/train.json")
    data_file(*rows, name="all/dev.json")
    data_file(*rows[::-1], name="all/test.json")
    message = "30 of 30 test texts are in the validation data"
    assert findings(load(tmp_path / "all"))["overlap"] == (30, message)
