"""The questions: test sentences that the package answered for the gate, or built-in ones. No AWS in here."""

import json
from dataclasses import dataclass

from shared.answers import InvalidAnswerError, Prediction, parse_answer
from shared.errors import EvidenceError

COUNT = 20
"""Sentences to ask. A wrong model shows in the first few, so more would only take longer."""

CLEAR = 0.6
"""Below this confidence, rounding may decide on the label: the endpoint's CPU may round otherwise than the transform
job's."""

_BUILT_IN = (
    "I have used this every day for three months and the battery still lasts a week.",
    "ok",
    "The zip broke on the second day; the seller sent a new one without asking for the old one.",
    "Great!!!",
    "It is smaller than the picture suggests: 12 cm by 8 cm, so measure your shelf first.",
)


@dataclass(frozen=True)
class Question:
    """A request's body, the expected prediction or None, and a name for messages, which hold no customer's text."""

    body: bytes
    expected: Prediction | None
    name: str


def built_in() -> list[Question]:
    """Return questions for a package without evidence, whose answers can be checked for their form only."""
    return [Question(json.dumps({"inputs": text}).encode(), None, f'"{text}"') for text in _BUILT_IN]


def from_evidence(sentences: bytes, answers: bytes, source: str) -> list[Question]:
    """Choose among the questions that the package answered before, spread evenly over all of them.

    `sentences`: One request body a line. `answers`: The answer to each, as batch transform wrote it. `source`: Name of
    the answers in an error. Raises EvidenceError: The two do not belong together, or an answer has no known form.
    """
    asked, answered = sentences.splitlines(), answers.splitlines()
    if not asked or len(asked) != len(answered):
        raise EvidenceError(source, f"has {len(answered)} answers to {len(asked)} sentences")
    try:
        expected = [parse_answer(line, texts=1).predictions[0] for line in answered]
    except InvalidAnswerError as error:
        raise EvidenceError(source, f"holds an answer that {error}") from error
    if sum(one.confidence > CLEAR for one in expected) >= COUNT:
        least = CLEAR
    else:  # a model of many classes may be sure of few texts: ask those of which it is most sure
        least = sorted((one.confidence for one in expected), reverse=True)[:COUNT][-1] - 1e-9
    known = map(Question, asked, expected, (f"sentence {line}" for line in range(1, len(asked) + 1)))
    clear = [one for one in known if one.expected and one.expected.confidence > least]
    count = min(COUNT, len(clear))
    return [clear[place * len(clear) // count] for place in range(count)]
