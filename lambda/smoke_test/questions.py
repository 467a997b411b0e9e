"""The questions: test sentences that the package answered for the gate, or built-in ones. No AWS in here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.answers import InvalidAnswerError, Prediction, parse_answer
from shared.errors import EvidenceError

COUNT = 20
"""Sentences to ask. A wrong model shows in the first few, so more would only take longer."""

# Below this confidence, rounding may decide on the label, and the endpoint's CPU may round otherwise than the
# transform job's.
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
    """A request's body and the expected prediction, or None where no prediction is known."""

    body: bytes
    expected: Prediction | None

    @property
    def text(self) -> str:
        """The sentence, shortened for messages."""
        text = str(json.loads(self.body)["inputs"])
        return text if len(text) <= 60 else f"{text[:57]}..."


def built_in() -> list[Question]:
    """Return questions for a package without evidence, whose answers can be checked for their form only."""
    return [Question(json.dumps({"inputs": text}).encode(), None) for text in _BUILT_IN]


def from_evidence(sentences: bytes, answers: bytes, source: str) -> list[Question]:
    """Choose among the questions that the package answered before, spread evenly over all of them.

    Args:
        sentences: One request body a line.
        answers: The answer to each, as batch transform wrote it.
        source: Name of the answers in an error.

    Raises:
        EvidenceError: The two do not belong together, or an answer has no known form.
    """
    asked, answered = sentences.splitlines(), answers.splitlines()
    if not asked or len(asked) != len(answered):
        raise EvidenceError(source, f"has {len(answered)} answers to {len(asked)} sentences")
    try:
        expected = [parse_answer(line, texts=1).predictions[0] for line in answered]
    except InvalidAnswerError as error:
        raise EvidenceError(source, f"holds an answer that {error}") from error
    questions = [Question(body, prediction) for body, prediction in zip(asked, expected, strict=True)]
    return _spread([each for each in questions if each.expected and each.expected.confidence > _CLEAR] or questions)


def _spread(questions: Sequence[Question]) -> list[Question]:
    if len(questions) <= COUNT:
        return list(questions)
    return [questions[position * len(questions) // COUNT] for position in range(COUNT)]
