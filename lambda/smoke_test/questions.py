"""What is asked: sentences that the package answered for the gate, or a few of our own. No AWS in here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from smoke_test.answers import Answer, NotAnAnswer, parse_answer
from smoke_test.errors import EvidenceUnreadable

COUNT = 20
"""Sentences asked; more would only take longer: a wrong model shows in the first few."""

# Between the labels rounding decides, and an endpoint's processor may round otherwise than the transform job's.
_CLEAR = 0.6

_BUILT_IN = (
    "I have used this every day for three months and the battery still lasts a week.",
    "ok",
    "The zip broke on the second day; the seller sent a new one without asking for the old one.",
    "Great!!!",
    "It is smaller than the picture suggests: 12 cm by 8 cm, so measure your shelf first.",
)


@dataclass(frozen=True)
class Question:
    """A request's body and what should come back; None where nobody knows."""

    body: bytes
    expected: Answer | None

    @property
    def text(self) -> str:
        """The sentence, shortened for messages."""
        text = str(json.loads(self.body)["inputs"])
        return text if len(text) <= 60 else f"{text[:57]}..."


def built_in() -> list[Question]:
    """Questions for a package without evidence: only the form of the answers can be checked."""
    return [Question(json.dumps({"inputs": text}).encode(), None) for text in _BUILT_IN]


def from_evidence(sentences: bytes, answers: bytes, source: str) -> list[Question]:
    """Questions that the package has answered before, spread evenly over them all.

    Args:
        sentences: one request body a line.
        answers: the answer to each, as batch transform wrote it.
        source: what an error calls the answers.

    Raises:
        EvidenceUnreadable: the two don't belong together, or an answer is in no known form.
    """
    asked, answered = sentences.splitlines(), answers.splitlines()
    if not asked or len(asked) != len(answered):
        raise EvidenceUnreadable(source, f"has {len(answered)} answers to {len(asked)} sentences")
    questions = [Question(body, _read(line, source)) for body, line in zip(asked, answered, strict=True)]
    clear = [question for question in questions if question.expected and question.expected.confidence > _CLEAR]
    return _spread(clear or questions)


def _read(line: bytes, source: str) -> Answer:
    try:
        return parse_answer(line)
    except NotAnAnswer as error:
        raise EvidenceUnreadable(source, f"holds an answer that {error}") from error


def _spread(questions: Sequence[Question]) -> list[Question]:
    if len(questions) <= COUNT:
        return list(questions)
    return [questions[position * len(questions) // COUNT] for position in range(COUNT)]
