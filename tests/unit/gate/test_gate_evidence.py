"""Reading test rows and answers: what is wrong is named with its line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from gate.errors import EvidenceInvalid
from gate.evidence import Answer, Row, count_lines, parse_answers, parse_labels, parse_rows, sentences_file

LABELS = ("not helpful", "helpful")


def parse(content: bytes, rows: int = 2) -> list[Answer]:
    return parse_answers(content, labels=LABELS, rows=rows, source="x.out")


def answer(**changes: object) -> str:
    return json.dumps({"predictions": [{"label": "helpful", "confidence": 0.9, "score": 1.5, **changes}]})


def test_rows_are_read_in_order() -> None:
    """With and without score and family."""
    content = b'{"text":"a","label":1,"score":1.5,"family":"f"}\n{"text":"b","label":0,"score":null,"family":null}\n'
    assert parse_rows(content, "rows") == [Row("a", 1, 1.5, "f"), Row("b", 0)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ("", "is not JSON"),
        ('{"label": 1}', "has no text"),
        ('{"text": "a"}', "label is null"),
        ('{"text": "a", "label": true}', "label is true"),
        ('{"text": "a", "label": 2}', "label is 2"),
        ('{"text": "a", "label": 1, "score": "high"}', "score is"),
        ('{"text": "a", "label": 1, "score": NaN}', "score is NaN"),
        ('{"text": "a", "label": 1, "family": 3}', "family is 3"),
    ],
)
def test_a_wrong_row_is_named(line: str, said: str) -> None:
    """The second line here."""
    with pytest.raises(EvidenceInvalid, match=r"rows, line 2: ") as caught:
        parse_rows(f'{{"text": "a", "label": 1}}\n{line}\n{{"text": "c", "label": 0}}\n'.encode(), "rows")
    assert caught.value.line == 2 and said in str(caught.value)


def test_no_text_breaks_a_line_of_the_sentences() -> None:
    """Batch transform splits at line ends of whatever kind; JSON in ASCII has none."""
    texts = ["a\nb", "c\r\nd", "e\u2028f\u0085g", 'say "h"', "№ \U0001f600"]
    content = sentences_file([Row(text, 1) for text in texts])
    assert len(content.decode().splitlines()) == len(texts)
    assert [json.loads(line) for line in content.splitlines()] == [{"inputs": text} for text in texts]


def test_answers_become_labels_and_probabilities(lines: Callable[[Sequence[int]], bytes]) -> None:
    """The probability is that of label 1, whichever label was given."""
    assert [one.label for one in parse(lines([0, 1]))] == [0, 1]
    assert [one.probability for one in parse(lines([0, 1]))] == pytest.approx([0.1, 0.9])
    assert parse(lines([0, 1]).rstrip(b"\n")) == parse(lines([0, 1]))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_answers_is_told(lines: Callable[[Sequence[int]], bytes], count: int) -> None:
    """Both numbers are in the message, and no line is to blame."""
    with pytest.raises(EvidenceInvalid, match=f"has {count} answers to 2 sentences") as caught:
        parse(lines([1] * count))
    assert caught.value.line is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<html>", "is not JSON: <html>"),
        ("[" * 100_000, "is not JSON"),
        ('"text"', "is not a JSON object"),
        ('{"error": {"type": "model_error"}}', 'has no predictions: {"error"'),
        ('{"predictions": []}', "has 0 predictions"),
        ('{"predictions": [1]}', "has 1 predictions"),
        ('{"predictions": [{"confidence": 1}]}', "has no label"),
        (answer(label="LABEL_1"), 'label is "LABEL_1"; the data has not helpful and helpful'),
        (answer(label=["helpful"]), "label is"),
        (answer(confidence=1.5), "confidence is 1.5"),
        (answer(confidence=None), "confidence is null"),
        (answer(score="high"), 'score is "high"'),
    ],
)
def test_a_wrong_answer_is_named(line: str, said: str) -> None:
    """With the line's number and what stands there, shortened."""
    with pytest.raises(EvidenceInvalid) as caught:
        parse(f"{answer()}\n{line}\n".encode())
    assert str(caught.value).startswith("x.out, line 2: ") and said in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"labels": ["a"]}', b'{"labels": ["a", 1]}', b'{"labels": ["a", "a"]}']
)
def test_two_names_of_labels_are_needed(content: bytes) -> None:
    """Anything else is refused before an answer is held against it."""
    with pytest.raises(EvidenceInvalid):
        parse_labels(content, "evaluation.json")
    assert parse_labels(b'{"labels": ["no", "yes"]}', "evaluation.json") == ("no", "yes")


def test_lines_count_with_and_without_a_last_line_end() -> None:
    """As batch transform may write either."""
    assert [count_lines(content) for content in (b"", b"a", b"a\n", b"a\nb")] == [0, 1, 1, 2]
