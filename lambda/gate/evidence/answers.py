"""What a model answered to the test sentences, as batch transform left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gate.evidence.job_output import JobOutput
from gate.evidence.json_lines import count_lines, lines_of, quote
from shared.answers import InvalidAnswerError, parse_answer
from shared.errors import EvidenceError
from shared.storage import ObjectStore, StorageError


@dataclass(frozen=True)
class Answer:
    """A model's answer to one sentence: label 0 or 1, the probability of label 1, and its score if it has one."""

    label: int
    probability: float
    score: float | None

    @property
    def confidence(self) -> float:
        """The probability of the label that was answered."""
        return self.probability if self.label == 1 else 1 - self.probability


@dataclass(frozen=True)
class Answers:
    """All answers of a model.

    Attributes:
        given: one for each test row; None where there are none.
        problem: why there are none, or None where no answers were wanted.
        asked: whether the model had the chance to answer.
    """

    given: Sequence[Answer] | None = None
    problem: str | None = None
    asked: bool = True

    @property
    def labels(self) -> list[int]:
        """The answered labels."""
        return [answer.label for answer in self.given or ()]


def read_answers(store: ObjectStore, uri: str | None, output: JobOutput) -> Answers:
    """Read the answers at `uri`. Where they are missing or unusable, `problem` says why.

    Raises:
        StorageError: the file may not be read.
    """
    if uri is None:
        return Answers(problem="its answers were not asked for")
    try:
        return Answers(parse_answers(store.read(uri), labels=output.labels, rows=len(output.rows), source=uri))
    except EvidenceError as error:
        return Answers(problem=str(error))
    except StorageError as error:
        if error.missing:
            return Answers(problem=f"it left no answers at {uri}")
        raise


def parse_answers(content: bytes, *, labels: tuple[str, str], rows: int, source: str) -> list[Answer]:
    """Parse a `.out` file of batch transform.

    Args:
        content: the file.
        labels: names of label 0 and label 1.
        rows: number of sentences that were asked.
        source: what an error calls the file.

    Raises:
        EvidenceError: a line is not an answer, or the file has not one line for each sentence.
    """
    lines = count_lines(content)
    if lines != rows:
        raise EvidenceError(source, f"has {lines} answers to {rows} sentences")
    return [_answer(line, labels, place) for place, line in lines_of(content, source)]


def _answer(line: bytes, labels: tuple[str, str], place: str) -> Answer:
    try:
        given = parse_answer(line, texts=1).predictions[0]
    except InvalidAnswerError as error:
        raise EvidenceError(place, str(error)) from error
    if given.label not in labels:
        raise EvidenceError(place, f"label is {quote(given.label)}; the data has {' and '.join(labels)}")
    label = labels.index(given.label)
    return Answer(label, given.confidence if label else 1 - given.confidence, given.score)
