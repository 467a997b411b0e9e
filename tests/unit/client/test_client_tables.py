"""text_classifier.tables: rows in, the same rows with what the API said out."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from text_classifier import FileError, Outcome, Prediction, Refusal, Score, UsageError
from text_classifier.tables import ADDED_COLUMNS, Layout, Row, Rows, Writer, form_of, open_rows

SCRATCH = tempfile.mkdtemp()
GOOD = Prediction("helpful", 0.75, 1.5, False, "3")
BAD = Refusal("empty", "It has 0 characters; 1 to 20000 are allowed.")


def opened(content: str | bytes, form: str = "auto", **options: Any) -> Rows:
    """The rows of a file with this content."""
    path = Path(tempfile.mkdtemp(dir=SCRATCH)) / "in"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_rows(path, Layout(format=form, **options))


def read(content: str | bytes, form: str = "auto", **options: Any) -> list[Row]:
    """All rows of this content."""
    return list(opened(content, form, **options))


@pytest.fixture(scope="module", autouse=True)
def scratch() -> Iterator[None]:
    """The folder of the files, which goes with the last test."""
    yield
    shutil.rmtree(SCRATCH)


def written(rows: list[Row] | Rows, outcomes: list[Outcome], **options: Any) -> str:
    """What a writer makes of these rows."""
    file = io.StringIO(newline="")
    writer = Writer(file, Layout(**options), rows if isinstance(rows, Rows) else None)
    for row, outcome in zip(rows, outcomes, strict=True):
        writer.write(row, outcome)
    writer.flush()
    return file.getvalue()


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(deadline=None)
@given(
    rows=st.lists(
        st.lists(CELL, min_size=2, max_size=2).filter(lambda row: any(map(str.strip, row))), min_size=1, max_size=8
    )
)
@example(rows=[["\r", "\ue00d"]])
def test_csv_comes_out_as_it_went_in_with_columns_added(rows: list[list[str]]) -> None:
    """Quotes, delimiters and line breaks within fields survive."""
    source = io.StringIO(newline="")
    csv.writer(source).writerows([["id", "text"], *rows])
    found = read(source.getvalue(), "csv", encoding="utf-8", delimiter=",", quote="double", header="yes")
    assert [row.text for row in found] == [text for _, text in rows]
    result = list(csv.DictReader(io.StringIO(written(found, [GOOD] * len(found), safe=False), newline="")))
    assert [[row["id"], row["text"]] for row in result] == rows
    assert all([row[name] for name in ADDED_COLUMNS] == ["helpful", "0.75", "1.5", "false", "3", ""] for row in result)


@pytest.mark.parametrize(
    "cell", ["=1+1", "=5", "+A1", "-A1", "@SUM(A1)", "\t=1", "\n=1", "＝1+1", "－A1", "-1+cmd|' /C calc'!A0"]
)
def test_no_cell_is_a_formula(cell: str) -> None:
    """Texts, names of columns and labels of the server; as they are where that is asked for, or in JSON."""
    rows = [Row({cell: cell, "n": "-1.5"}, cell)]
    outcome = Prediction(cell, 0.75, None, False, "3")
    names, values = csv.reader(io.StringIO(written(rows, [outcome]), newline=""))
    assert (names[0], values[0], values[2]) == (f"'{cell}",) * 3
    assert values[1] == "-1.5"
    assert written(rows, [outcome], safe=False).count(f"'{cell}") == 0
    assert json.loads(written(rows, [outcome], as_json=True))["label"] == cell


SCORES = (Score("spam", 0.7), Score("ham", 0.3))
MANY = Prediction("joy", 0.9, None, False, "3", ("joy", "love"), (Score("joy", 0.9), Score("love", 0.8)))


def test_every_class_has_a_column() -> None:
    """In one order, whichever is the most probable; a row without a prediction has empty ones."""
    turned = Prediction("ham", 0.6, None, False, "3", None, (Score("ham", 0.6), Score("spam", 0.4)))
    rows = read("text\na\nb\nc\n")
    outcomes = [BAD, Prediction("spam", 0.7, None, False, "3", None, SCORES), turned]
    lines = list(csv.DictReader(io.StringIO(written(rows, outcomes, every_class=True, prefix="p_"))))
    assert list(lines[0]) == ["text", *(f"p_{name}" for name in ADDED_COLUMNS), "p_confidence_ham", "p_confidence_spam"]
    found = [(line["p_confidence_ham"], line["p_confidence_spam"]) for line in lines]
    assert found == [("", ""), ("0.3", "0.7"), ("0.6", "0.4")]


def test_the_first_ranks_have_columns() -> None:
    """Which classes are the most probable differs from row to row."""
    rows = read("text\na\n")
    (line,) = csv.DictReader(io.StringIO(written(rows, [MANY])))
    assert list(line)[-5:] == ["labels", "label_1", "confidence_1", "label_2", "confidence_2"]
    assert (line["labels"], line["label_2"], line["confidence_2"]) == ("joy|love", "love", "0.8")


def test_json_has_labels_and_scores_as_the_api_has() -> None:
    """And neither where the API sends none."""
    rows = read("text\na\nb\n")
    first, second = map(json.loads, written(rows, [MANY, GOOD], as_json=True, prefix="p_").splitlines())
    assert first["p_labels"] == ["joy", "love"]
    assert first["p_scores"] == [{"label": "joy", "confidence": 0.9}, {"label": "love", "confidence": 0.8}]
    assert not {"p_labels", "p_scores"} & second.keys()


def test_other_classes_than_at_the_start_are_an_error() -> None:
    """A model that was released meanwhile does not fit the columns of a stream."""
    other = Prediction("x", 1.0, None, False, "4", None, (Score("x", 1.0),))
    outcomes = [Prediction("spam", 0.7, None, False, "3", None, SCORES), other]
    with pytest.raises(FileError, match="another one was released"):
        written(read("text\na\nb\n"), outcomes, every_class=True)


def test_a_class_column_that_exists_is_an_error() -> None:
    """It would be overwritten."""
    rows = read("text,confidence_ham\na,1\n")
    with pytest.raises(FileError, match="confidence_ham"):
        written(rows, [Prediction("spam", 0.7, None, False, "3", None, SCORES)], every_class=True)


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None), max_size=10),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(values=st.lists(VALUE, min_size=1, max_size=6))
def test_json_lines_keep_values_of_any_type(values: list[Any]) -> None:
    """Half surrogate pairs, too, once the file escapes what UTF-8 cannot hold."""
    content = "".join(json.dumps({"text": "t", "value": value}) + "\n" for value in values)
    out = written(opened(content, "jsonl"), [GOOD] * len(values))
    lines = out.encode("utf-8", "backslashreplace").decode().split("\n")[:-1]
    assert [json.loads(line)["value"] for line in lines] == values
    assert json.loads(lines[0])["confidence"] == 0.75


def test_a_refused_row_has_its_error_and_nothing_else() -> None:
    """In CSV as in JSON."""
    rows = read("text\nfirst\n")
    assert written(rows, [BAD]).splitlines()[1] == f"first,,,,,,{BAD}"
    assert json.loads(written(rows, [BAD], as_json=True)) == {
        "text": "first",
        **dict.fromkeys(ADDED_COLUMNS),
        "error": str(BAD),
    }


def test_plain_text_is_one_text_a_line_and_becomes_csv() -> None:
    """Blank lines are no rows."""
    rows = read("one\r\n\n  \ntwo, three\nfour", "text")
    assert [row.text for row in rows] == ["one", "two, three", "four"]
    assert [row.text for row in read("one\rtwo\r", "text")] == ["one", "two"]
    assert written(rows[:1], [GOOD]) == (
        "text,label,confidence,score,truncated,model_version,error\r\none,helpful,0.75,1.5,false,3,\r\n"
    )


def test_a_model_without_a_score_leaves_it_empty() -> None:
    """And so does a container that does not tell about truncation."""
    line = written(read("text\na\n"), [Prediction("x", 0.5, None, None, None)]).splitlines()[1]
    assert line == "a,x,0.5,,,,"


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("anything", "anything"),
        ("id,text", "text"),
        ("id,Review,stars", "Review"),
        ("comment,sentence", "sentence"),
        ("id, Text ", "Text"),
    ],
)
def test_the_column_is_the_only_one_or_the_likely_one(header: str, column: str) -> None:
    """Names are compared without case and blanks; the list decides among several."""
    names = [name.strip() for name in header.split(",")]
    (row,) = read(f"{header}\n{','.join(map(str, range(len(names))))}\n")
    assert row.text == str(names.index(column))


def test_a_column_can_be_named() -> None:
    """Even where another is likelier."""
    assert [row.text for row in read("text,other\na,b\n", column="other")] == ["b"]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("id,note\n1,a\n", {}, "'id', 'note'"),
        ("id,text\n1,a\n", {"column": "review"}, "no column 'review'"),
        ("text,label\na,b\n", {}, "label"),
        ("text,predicted_score\na,b\n", {"prefix": "predicted_"}, "predicted_score"),
        ('{"text": "a"}\n{"text": "a", "error": 1}\n', {"form": "jsonl"}, "added ones: error"),
        ("text,text\na,b\n", {}, "'text' twice"),
        ("{}\n", {"form": "jsonl"}, "Which column"),
        ("5\tone text that is long.\n4\tanother text.\n5\tmore.\n", {}, "'column_1', 'column_2'"),
    ],
)
def test_what_cannot_be_read_is_named(content: str, options: dict[str, Any], words: str) -> None:
    """With the line or the columns, and the next step."""
    with pytest.raises(FileError) as caught:
        read(content, **options)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_missing_value_is_no_text() -> None:
    """A JSON line may lack the key, or hold what is no JSON; NaN is nothing."""
    assert [row.text for row in read('{"text": "a"}\n{"id": 1}\n{"text": NaN}\n')] == ["a", None, None]


MALFORMED = {
    "ragged": (
        "id,text\n1,a\n2,b, c\n3\n",
        ["a", "Line 3: 3 fields, the header has 2.", "Line 4: 1 field, the header has 2."],
    ),
    "a quote that is not closed": (
        'text,id\n"a, b",1\n"c, d",2\n"never closed,3\n',
        ["a, b", "c, d", "Line 4: a quote is opened"],
    ),
    "not JSON": ('{"text": "a"}\n{"text"\n["b"]\n', ["a", "Line 2: not JSON: Expecting", "Line 3: a JSON array"]),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_row_is_a_row_with_its_error(kind: str) -> None:
    """The others are scored all the same."""
    content, expected = MALFORMED[kind]
    rows = read(content)
    assert len(rows) == len(expected)
    for row, words in zip(rows, expected, strict=True):
        assert row.text == words or (row.text.code == "malformed" and row.text.detail.startswith(words))


def test_a_ragged_row_keeps_its_fields_in_the_output() -> None:
    """So that it can be found again."""
    rows = opened("id,text\n1,a\n2,b, c\n3\n")
    lines = written(rows, [GOOD, *(row.text for row in rows if isinstance(row.text, Refusal))]).splitlines()
    assert lines[2] == '2,"b, c",,,,,,"malformed: Line 3: 3 fields, the header has 2."'
    assert lines[3].startswith("3,,,")


def test_another_encoding_is_read_and_said() -> None:
    """Latin-1 is not read as something else in silence."""
    rows = opened("text\nGröße\n".encode("latin-1"))
    assert [row.text for row in rows] == ["Größe"]
    assert "encoding cp1252" in rows.read_as[0]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_that_was_read_is_written(delimiter: str) -> None:
    """Found in the content."""
    rows = opened("id;text\n1;a,b\n".replace(";", delimiter))
    assert written(rows, [GOOD]).splitlines()[1] == "1;a,b;helpful;0.75;1.5;false;3;".replace(";", delimiter)


@pytest.mark.parametrize("delimiter", [";;", '"', "\n"])
def test_a_delimiter_that_cannot_be_is_refused(delimiter: str) -> None:
    """Before the file is opened."""
    with pytest.raises(UsageError, match="delimiter"):
        Layout(format="csv", delimiter=delimiter)


def test_a_txt_file_is_one_text_a_line() -> None:
    """Other endings say nothing."""
    assert [form_of(Path(name)) for name in ("a.CSV", "a.jsonl", "a.b.txt")] == ["auto", "auto", "text"]
