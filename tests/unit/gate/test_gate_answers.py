"""Reading a model's answers: an error names the line that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from gate.evidence.answers import Answer, parse_answers
from gate.evidence.json_lines import lines_of
from shared.errors import EvidenceError

LABELS = ("not helpful", "helpful")


def parse(content: bytes, rows: int = 2) -> list[Answer]:
    return parse_answers(content, labels=LABELS, rows=rows, source="x.out")


def answer(**changes: object) -> str:
    return json.dumps(
        {"predictions": [{"label": "helpful", "confidence": 0.9, "score": 1.5, **changes}], "model": {"version": "7"}}
    )


def test_answers_become_labels_and_probabilities(lines: Callable[[Sequence[int]], bytes]) -> None:
    """The confidence is that of the answered label."""
    assert [one.label for one in parse(lines([0, 1]))] == [0, 1]
    assert [one.confidence for one in parse(lines([0, 1]))] == [0.9, 0.9]
    assert parse(lines([0, 1]).rstrip(b"\n")) == parse(lines([0, 1]))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_answers_is_told(lines: Callable[[Sequence[int]], bytes], count: int) -> None:
    """The message gives both numbers and names no line."""
    with pytest.raises(EvidenceError, match=f"^x.out: has {count} answers to 2 sentences"):
        parse(lines([1] * count))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<html>", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('"text"', "is a string without predictions"),
        ('{"error": {"type": "model_error"}}', "is an object without predictions"),
        ('{"predictions": []}', "has 0 predictions"),
        ('{"predictions": [1]}', "has a prediction that is a number"),
        ('{"predictions": [{"confidence": 1}]}', "has no label"),
        (answer(label="LABEL_1"), '"LABEL_1", which is none of the data\'s 2 labels ("not helpful" and "helpful")'),
        (answer(label=["helpful"]), "has no label"),
        (answer(confidence=1.5), "has a confidence of 1.5"),
        (answer(confidence=None), "has a confidence that is no number"),
        (answer(score="high"), "has a score that is no number"),
    ],
)
def test_a_wrong_answer_is_named(line: str, said: str) -> None:
    """The message gives the line's number and what is wrong, without the content, which may be a customer's text."""
    with pytest.raises(EvidenceError) as caught:
        parse(f"{answer()}\n{line}\n".encode())
    assert str(caught.value).startswith("x.out, line 2: ") and said in str(caught.value)
    assert len(str(caught.value)) < 200


def test_lines_count_with_and_without_a_last_line_end() -> None:
    """Batch transform may write either form."""
    assert [len(list(lines_of(content, "a file"))) for content in (b"", b"a", b"a\n", b"a\nb")] == [0, 1, 1, 2]


def test_several_labels_become_ids() -> None:
    """Any number of labels, also none; the confidence stays that of the most probable one."""
    content = "".join(answer(labels=given) + "\n" for given in ([], ["helpful", "not helpful"])).encode()
    found = parse_answers(content, labels=LABELS, rows=2, source="x.out", multilabel=True)
    assert [(one.label, one.labels) for one in found] == [(1, frozenset()), (1, {0, 1})]


def test_an_answer_of_the_other_kind_is_told() -> None:
    """A champion for one label cannot be compared on data with several, nor the other way round."""
    for content, multilabel in ((answer(labels=["helpful"]), False), (answer(), True)):
        with pytest.raises(EvidenceError, match="is an answer of a model for"):
            parse_answers(content.encode(), labels=LABELS, rows=1, source="x.out", multilabel=multilabel)


def test_a_foreign_label_among_many_is_told_briefly() -> None:
    """The message counts the labels instead of listing them."""
    labels = [f"label {number}" for number in range(77)]
    with pytest.raises(EvidenceError, match=r'answers "helpful", which is none of the data.s 77 labels\.$'):
        parse_answers(answer().encode(), labels=labels, rows=1, source="x.out")
