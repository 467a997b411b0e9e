"""What happens to each row of a data file."""

from __future__ import annotations

import json

import pytest

from excel_files import workbook

GOOD = {"sentence": "The hinge broke.", "helpful": 1.6, "product_title": "Lamp", "asin": "SYN1"}
BAD = {"sentence": "For my nephew.", "helpful": 0.3, "product_title": "Lamp", "asin": "SYN1"}

MORE = ({"sentence": "It broke at once.", "helpful": 1.2}, {"sentence": "Nice.", "helpful": 0.2})


def reasons(folder, split="train"):
    lines = (folder / f"quarantine-{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["line"], row["kind"]) for row in map(json.loads, lines)]


def labels(data, split="train"):
    return [ids[0] for ids in data.ids(split)]


def test_rows_become_examples(data_file, load):
    """Each row has its text, score, group and family, and its line."""
    first, second = load(data_file(GOOD, BAD, *MORE), product_column="asin").splits["train"][:2]
    assert (first.text, first.score, first.group, first.family, first.line) == ("The hinge broke.", 1.6, "SYN1", "", 1)
    assert (second.text, second.score, second.line) == ("For my nephew.", 0.3, 2)


@pytest.mark.parametrize(("score", "label"), [(0, 0), (0.99, 0), (1, 1), (1.0, 1), (2, 1), ("0.5", 0), ("1.5", 1)])
def test_label_rule(data_file, load, score, label):
    """A score below 1 is label 0, from 1 on it is label 1; a number written as a string counts as one."""
    rows = [GOOD, BAD, {"sentence": "This one.", "helpful": score}, *MORE]
    assert labels(load(data_file(*rows)))[2] == label


def test_threshold_is_configurable(data_file, load):
    """Stars from 1 to 5 with a threshold of 4 work like scores."""
    rows = [{"review": f"Number {stars}", "stars": stars} for stars in (1, 3, 4, 5)]
    data = load(data_file(*rows), text_column="review", score_column="stars", score_threshold=4)
    assert labels(data) == [0, 0, 1, 1]


def test_a_score_without_a_threshold_is_refused(data_file, load, refused):
    """Nobody knows from which value on five stars are good."""
    rows = [{"review": f"Number {stars}", "stars": stars} for stars in (1.5, 3, 4, 5)]
    assert "lie between 1.5 and 5. Say it: score_threshold" in refused(data_file(*rows))


def test_the_family_is_read_from_the_column_that_is_named(data_file, load):
    """It is product_family by default; a row without it has none."""
    rows = [{**GOOD, "product_family": " home ", "kind": 7}, BAD, *MORE]
    assert [row.family for row in load(data_file(*rows)).splits["train"]] == ["home", "", "", ""]
    assert [row.family for row in load(data_file(*rows), family_column="kind").splits["train"]] == ["7", "", "", ""]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('{"sentence": "", "helpful": 1}', "empty"),
        ('{"sentence": " \\t", "helpful": 1}', "empty"),
        ('{"sentence": "\\u200b", "helpful": 1}', "empty"),
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
def test_unusable_row_is_set_aside(data_file, load, tmp_path, line, kind):
    """An unusable row is counted by kind and written to the quarantine with its line number; the others are kept."""
    more = [{"sentence": f"Number {n}.", "helpful": 1.1} for n in range(30)] + [*MORE]
    data = load(data_file(GOOD, line, BAD, *more), quarantine=tmp_path / "q")
    assert {name: count for name, count in data.set_aside["train"].items() if count} == {kind: 1}
    assert len(data.splits["train"]) == 34
    assert reasons(tmp_path / "q") == [(2, kind)]


def test_same_text_with_another_score_is_no_duplicate(data_file, load):
    """Two raters who disagree about a text are two rows."""
    assert len(load(data_file(GOOD, BAD, {**GOOD, "helpful": 1.2}, *MORE)).splits["train"]) == 5


def test_quarantine_holds_reason_and_raw_text(data_file, load, tmp_path):
    """The quarantine file has all that is needed to correct the rows."""
    load(data_file(GOOD, BAD, '{"sentence": "ü"}', *MORE), quarantine=tmp_path / "q", max_lost_share=0.5)
    (row,) = map(json.loads, (tmp_path / "q" / "quarantine-train.jsonl").read_text(encoding="utf-8").splitlines())
    assert row == {"line": 3, "kind": "malformed", "reason": "no column helpful", "raw": '{"sentence": "ü"}'}


def test_long_raw_text_is_cut(data_file, load, tmp_path):
    """A broken line of megabytes does not make a quarantine of megabytes."""
    load(data_file(GOOD, BAD, "x" * 1_000_000, *MORE), quarantine=tmp_path / "q", max_lost_share=0.5)
    assert (tmp_path / "q" / "quarantine-train.jsonl").stat().st_size < 5000


def test_clean_file_leaves_no_quarantine(data_file, load, tmp_path):
    """If every row is used, there is no file, and one of an earlier run is deleted."""
    (tmp_path / "quarantine-train.jsonl").write_text("earlier")
    load(data_file(GOOD, BAD, *MORE), quarantine=tmp_path)
    assert not (tmp_path / "quarantine-train.jsonl").exists()


def test_csv_with_quotes_and_line_breaks(data_file, load, tmp_path):
    """Quoted fields may hold delimiters, quotes and line breaks; line numbers are those of the file."""
    rows = b"".join(b'"Number %d, ""so"" said",%.1f\n' % (n, n % 2 + 0.5) for n in range(20))
    content = b'sentence,helpful\n"one, ""two""\nthree",1.5\nshort\n' + rows
    data = load(data_file(content=content, name="train.csv"), quarantine=tmp_path / "q")
    assert [row.text for row in data.splits["train"][:2]] == ['one, "two"\nthree', 'Number 0, "so" said']
    assert reasons(tmp_path / "q") == [(4, "malformed")]


def test_more_than_a_small_share_lost_is_refused(data_file, load, refused, tmp_path):
    """The refusal has the counts, the most frequent reason, its first line, the list, and the setting that helps."""
    rows = [{"text": f"Number {n} of many", "label": "ab"[n % 2]} for n in range(90)]
    spoilt = [{**row, "label": ""} for row in rows[:10]]
    said = refused(data_file(*spoilt, *rows), quarantine=tmp_path / "q")
    assert "10 of 100 rows of train.json cannot be used; at most 5 % may be" in said
    assert "(10 rows, the first at line 1): label: the label is blank" in said
    assert "quarantine-train.jsonl" in said and "max_lost_share" in said and "Number" not in said
    assert len((tmp_path / "q" / "quarantine-train.jsonl").read_text().splitlines()) == 10
    assert len(load(data_file(*spoilt, *rows), max_lost_share=0.1).splits["train"]) == 90


def test_blank_rows_and_duplicates_are_no_loss(data_file, load):
    """They may be many."""
    rows = [{"text": f"Number {n} of many", "label": "ab"[n % 2]} for n in range(10)]
    assert load(data_file(*rows, *rows, *[""] * 50)).set_aside["train"] == {
        "malformed": 0,
        "empty": 50,
        "duplicate": 10,
    }


def test_the_reasons_are_told(data_file, load):
    """Whoever does not open the quarantine sees what it holds."""
    rows = [{"text": f"Number {n} of many", "label": "ab"[n % 2]} for n in range(10)]
    (line,) = [line for line in load(data_file(*rows, rows[0], "")).summary() if "not used" in line]
    assert line == "train.json: 2 rows are not used: 1 blank line, 1 same text and label as an earlier row"


def test_real_set_is_read_without_loss(real_set, load):
    """All 20,000 rows of the real training file are kept, 70.4 % of them with label 1, in groups by product."""
    data = load(real_set / "train.json")
    assert data.set_aside["train"] == {"malformed": 0, "empty": 0, "duplicate": 0}
    assert (data.objective, data.label_names, data.score_threshold) == ("regression", ("not_helpful", "helpful"), 1.0)
    assert len(data.splits["train"]) == 20_000 and round(sum(labels(data)) / 20_000, 3) == 0.704
    assert data.manifest["source"]["columns"]["group"] == "asin"


def test_a_label_with_half_a_surrogate_pair_is_set_aside(data_file, load, tmp_path):
    """It could not be written; other labels and the other rows stay."""
    rows = [{"text": f"text {n}", "label": "ab"[n % 2]} for n in range(30)]
    data = load(data_file(*rows, '{"text": "one more", "label": "\\ud83d"}'))
    assert data.label_names == ("a", "b") and data.set_aside["train"]["malformed"] == 1
    data.write(tmp_path / "out")
    assert len(load(tmp_path / "out").splits["train"]) == 30


def test_a_sheet_can_be_named(data_file, load):
    """An Excel file may hold several; the named one is read, and the manifest says so."""
    sheets = {
        year: [["text", "label"], *([f"{year} row {number}", "ab"[number % 2]] for number in range(20))]
        for year in ("2023", "2024")
    }
    file = data_file(content=workbook(sheets), name="train.xlsx")
    for sheet, first in (("", "2023"), ("2024", "2024")):
        data = load(file, sheet=sheet)
        assert {row.text[:4] for row in data.splits["train"]} == {first}
        assert data.manifest["source"]["read_as"]["sheet"] == first
