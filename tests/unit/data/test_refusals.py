"""Files that are refused as a whole: the message says what is wrong, what is allowed and what to do next."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from classifier.data.columns import Columns
from classifier.data.prepare import prepare
from classifier.errors import DataError

EMPTY = "has no row with a text in it"
MALFORMED = "cannot be read; at most half may be malformed"

GOOD = {"sentence": "The hinge broke.", "helpful": 1.6}
BAD = {"sentence": "For my nephew.", "helpful": 0.3}


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("train.json", "{}")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", EMPTY),
        (b"\n\n  \n", EMPTY),
        (b'{"sentence": "", "helpful": 1}\n', EMPTY),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file; "),
        (gzip.compress(b'{"sentence": "a"}\n', mtime=0), "is a gzip file; "),
        (zipped(), "is a zip file; "),
        ('{"sentence": "a"}\n'.encode("utf-16"), "is text in UTF-16; UTF-8 is allowed"),
        (b"just some prose\nover two lines\n", MALFORMED),
        (b"[\n" + b'{"sentence": "a", "helpful": 1},\n' * 3 + b"]\n", MALFORMED),
        (b'{"review": "a", "helpful": 1}\n', "no column 'sentence'"),
        (b'{"sentence": "a", "stars": 1}\n', "no column 'helpful'"),
        (b'{"sentence": "a", "helpful": 1}\n{"sentence": "b", "helpful": 2}\n', "of one class, 'helpful'"),
    ],
)
def test_refused_json(data_file, content, said):
    """Each kind of unusable JSON Lines file has its own message, which names the file and the next step."""
    with pytest.raises(DataError) as caught:
        prepare(data_file(content=content))
    assert said in caught.value.message
    assert "train.json" in caught.value.message
    assert caught.value.hint in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", EMPTY),
        (b"sentence,helpful\n", EMPTY),
        (b"\x00\x01\x02\x03", "is a binary file; "),
        (b"\xe9\xe8\xff,\xc3\n", "header of train.csv is not text in UTF-8"),
        (b"text,helpful\na,1\n", "no column 'sentence'"),
        (b"sentence,helpful\na,b,c\nd\ne,1\n", MALFORMED),
    ],
)
def test_refused_csv(data_file, content, said):
    """The same for CSV."""
    with pytest.raises(DataError) as caught:
        prepare(data_file(content=content, name="train.csv"))
    assert said in caught.value.message


def test_missing_column_lists_the_columns_there_are(data_file):
    """The message has the wanted name and those found, so that the right one can be chosen."""
    with pytest.raises(DataError, match="no column 'sentence'; its columns are: review, stars"):
        prepare(data_file({"review": "a", "stars": 1}))


def test_half_malformed_is_still_accepted(data_file):
    """The limit is more than half."""
    assert prepare(data_file(GOOD, "broken", BAD, "broken too")).counts["malformed"] == 2


def test_mostly_malformed_states_counts_and_keeps_the_rows(data_file, tmp_path):
    """The refusal says how many rows of how many, and where they were written."""
    quarantine = tmp_path / "q.jsonl"
    with pytest.raises(DataError, match=r"3 of 5 rows.*line 2.*q\.jsonl"):
        prepare(data_file(GOOD, "x", "y", BAD, "z"), quarantine_path=quarantine)
    assert len(quarantine.read_text().splitlines()) == 3


def test_blank_lines_do_not_make_a_file_malformed(data_file):
    """Blank rows do not count for the limit, in either direction."""
    assert prepare(data_file(GOOD, BAD, *[""] * 50)).counts["empty"] == 50
    with pytest.raises(DataError, match="2 of 3 rows"):
        prepare(data_file(GOOD, "x", "y", *[""] * 50))


def test_json_array_is_recognised(data_file):
    """A file that is one JSON array gets the advice that fits it."""
    with pytest.raises(DataError, match=MALFORMED) as caught:
        prepare(data_file(content=b'[{"sentence": "a", "helpful": 1}, {"sentence": "b", "helpful": 0}]'))
    assert "one JSON array" in caught.value.hint


def test_one_class_names_the_class(data_file):
    """All scores on one side of the threshold: the error says which side."""
    with pytest.raises(DataError, match="of one class, 'not_helpful'"):
        prepare(data_file(BAD, {"sentence": "Hi.", "helpful": 0}))


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"]])
def test_labels_must_be_two(data_file, labels):
    """One label or three are refused with the labels found."""
    rows = [{"text": f"row {number}", "label": label} for number, label in enumerate(labels)]
    with pytest.raises(DataError, match=rf"{len(labels)} distinct labels \({', '.join(labels)}\)"):
        prepare(data_file(*rows), Columns(text_column="text", label_column="label"))


def test_unknown_ending_is_refused(data_file):
    """The file's name decides how it is read; the message lists the endings."""
    with pytest.raises(DataError, match=r"\.jsonl"):
        prepare(data_file(GOOD, name="train.txt"))


def test_missing_file_is_refused(tmp_path):
    """A missing file is a DataError, not a traceback."""
    with pytest.raises(DataError, match="No such file"):
        prepare(tmp_path / "train.json")
