"""What a model answered to the test sentences, as batch transform left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gate.evidence.job_output import JobOutput
from gate.evidence.json_lines import EvidenceError, count_lines, is_number, number_or_none, quote, read_objects
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
    return [_answer(value, labels, place) for place, value in read_objects(content, source)]


def _answer(value: dict[str, Any], labels: tuple[str, str], place: str) -> Answer:
    predictions = value.get("predictions")
    if not isinstance(predictions, list):
        raise EvidenceError(place, f"has no predictions: {quote(value)}")
    if len(predictions) != 1 or not isinstance(predictions[0], dict):
        raise EvidenceError(place, f"has {len(predictions)} predictions; one is expected")
    prediction = predictions[0]
    if "label" not in prediction:
        raise EvidenceError(place, f"has no label: {quote(prediction)}")
    name, confidence = prediction["label"], prediction.get("confidence")
    if name not in labels:
        raise EvidenceError(place, f"label is {quote(name)}; the data has {' and '.join(labels)}")
    if not (is_number(confidence) and 0 <= confidence <= 1):
        raise EvidenceError(place, f"confidence is {quote(confidence)}; 0 to 1 is expected")
    label = labels.index(name)
    return Answer(label, confidence if label else 1 - confidence, number_or_none(prediction, "score", place))
