"""The test set in a job's output: the archive is read with a limit, and errors name what is wrong in it."""

from __future__ import annotations

import io
import json
import tarfile

import pytest

from aws_fakes import FakeS3
from gate.evidence.job_output import Baseline, Row, archive_members, parse_evaluation, parse_rows, sentences_file
from shared.errors import EvidenceError
from shared.storage import ObjectStore

URI = "s3://bucket/a folder/file"


def test_rows_are_read_in_order() -> None:
    """With and without score and family."""
    content = b'{"text":"a","label":1,"score":1.5,"family":"f"}\n{"text":"b","label":0,"score":null,"family":null}\n'
    assert parse_rows(content, "rows") == [Row("a", 1, 1.5, "f"), Row("b", 0)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "is an array, not an object"),
        ("", "is not JSON"),
        ('{"label": 1}', "has no text"),
        ('{"text": "a"}', "label is null"),
        ('{"text": "a", "label": true}', "label is true"),
        ('{"text": "a", "label": 2}', "label is 2"),
        ('{"text": "a", "label": 1, "score": "high"}', "score is"),
        ('{"text": "a", "label": 1, "score": NaN}', "score is a number; a finite number"),
        ('{"text": "a", "label": 1, "family": 3}', "family is a number"),
    ],
)
def test_a_wrong_row_is_named(line: str, said: str) -> None:
    """The error names the file and the second line."""
    with pytest.raises(EvidenceError, match=r"rows, line 2: ") as caught:
        parse_rows(f'{{"text": "a", "label": 1}}\n{line}\n{{"text": "c", "label": 0}}\n'.encode(), "rows")
    assert said in str(caught.value)


def test_no_text_breaks_a_line_of_the_sentences() -> None:
    """Batch transform splits at line breaks of every kind, and JSON in ASCII contains none."""
    texts = ["a\nb", "c\r\nd", "e\u2028f\u0085g", 'say "h"', "№ \U0001f600"]
    content = sentences_file([Row(text, 1) for text in texts])
    assert len(content.decode().splitlines()) == len(texts)
    assert [json.loads(line) for line in content.splitlines()] == [{"inputs": text} for text in texts]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"labels": ["a"]}', b'{"labels": ["a", 1]}', b'{"labels": ["a", "a"]}']
)
def test_two_names_of_labels_are_needed(content: bytes) -> None:
    """Anything else is refused before an answer is compared with it."""
    with pytest.raises(EvidenceError):
        parse_evaluation(content, "evaluation.json")
    assert parse_evaluation(b'{"labels": ["no", "yes"]}', "evaluation.json").labels == ("no", "yes")


def test_what_the_evaluation_says_of_the_model() -> None:
    """Objective, thresholds and the baseline's figures on the test rows are optional."""
    content = {
        "labels": ["joy", "anger", "fear"],
        "objective": "multilabel",
        "baseline": {"name": "TF-IDF", "test": {"accuracy": 0.3, "f1": 0.25, "macro_f1": 0.25}},
        "label_thresholds": [0.5, 0.3, 0.2],
        "hyperparameters": {"score_threshold": 1.0},
    }
    found = parse_evaluation(json.dumps(content).encode(), "evaluation.json")
    assert found.multilabel and found.labels == ("joy", "anger", "fear")
    assert found.baseline == Baseline("TF-IDF", 0.3, 0.25)
    assert (found.label_thresholds, found.score_threshold) == ((0.5, 0.3, 0.2), None)
    scored = parse_evaluation(json.dumps({**content, "objective": "regression"}).encode(), "evaluation.json")
    assert scored.score_threshold == 1.0
    bare = parse_evaluation(b'{"labels": ["a", "b"], "baseline": {"name": "x", "test": null}}', "evaluation.json")
    assert (bare.objective, bare.baseline) == ("classification", None)


def test_rows_of_several_labels() -> None:
    """Any number of ids below the number of labels, also none."""
    rows = parse_rows(b'{"text":"a","labels":[0,2]}\n{"text":"b","labels":[]}\n', "rows", 3, multilabel=True)
    assert [row.labels for row in rows] == [{0, 2}, set()]
    for wrong in ('{"text": "a", "label": 1}', '{"text": "a", "labels": [3]}', '{"text": "a", "labels": ["joy"]}'):
        with pytest.raises(EvidenceError, match="a list of 0 to 2 is expected"):
            parse_rows(wrong.encode(), "rows", 3, multilabel=True)


def archive(*members: tuple[str, bytes, bytes]) -> bytes:
    """A `.tar.gz` of names, contents and types."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as file:
        for name, content, kind in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(content), kind
            entry.linkname = "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            file.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_members_are_found_by_name_at_the_root() -> None:
    """They are found with or without `./`; files in a folder and links are not taken for them."""
    s3 = FakeS3()
    regular = tarfile.REGTYPE
    s3.objects[URI] = archive(
        ("./rows", b"1", regular),
        ("folder/labels", b"2", regular),
        ("../labels", b"3", regular),
        ("labels", b"", tarfile.SYMTYPE),
        ("other", b"4", regular),
    )
    assert archive_members(ObjectStore(s3), URI, ("rows", "labels")) == {"rows": b"1"}


def test_a_large_member_is_refused_by_its_announced_size() -> None:
    """A large member that nobody asked for is skipped."""
    s3 = FakeS3()
    s3.objects[URI] = archive(("other", b"123456", tarfile.REGTYPE), ("rows", b"12345", tarfile.REGTYPE))
    assert archive_members(ObjectStore(s3), URI, ["rows"], limit=5) == {"rows": b"12345"}
    with pytest.raises(EvidenceError, match="rows has 5 bytes; 4 are allowed"):
        archive_members(ObjectStore(s3), URI, ["rows"], limit=4)


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", archive(("rows", b"1" * 9000, tarfile.REGTYPE))[:60]],
    ids=["empty", "something else", "cut off"],  # gzip writes the time into its header
)
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    """The file is empty, of another kind, or cut off."""
    s3 = FakeS3()
    s3.objects[URI] = content
    with pytest.raises(EvidenceError, match="cannot be unpacked"):
        archive_members(ObjectStore(s3), URI, ["rows"])
