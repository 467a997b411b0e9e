"""What a model answered to the test sentences, as batch transform left it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gate.evidence.job_output import JobOutput
from gate.evidence.json_lines import lines_of
from shared.answers import InvalidAnswerError, parse_answer
from shared.errors import EvidenceError
from shared.storage import ObjectStore, Recorded, StorageError
from shared.words import shown


@dataclass(frozen=True)
class Answer:
    """A model's answer to one text, with the id of the most probable label and its probability.

    `several` has the ids of the given labels of a model for several labels; None of any other.
    """

    label: int
    confidence: float
    score: float | None = None
    several: frozenset[int] | None = None

    @property
    def labels(self) -> frozenset[int]:
        """The given labels: one, or any number from a model for several labels."""
        return frozenset((self.label,)) if self.several is None else self.several


class OtherLabelError(EvidenceError):
    """A model answers with a label that the data does not have."""


@dataclass(frozen=True)
class Answers:
    """All answers of a model: `given` has one for each test row, and is None where there are none.

    `problem` then says why, or is None where none were wanted. `asked`: whether the model had the chance to answer.
    """

    given: Sequence[Answer] | None = None
    problem: str | None = None
    asked: bool = True

    @property
    def labels(self) -> list[frozenset[int]]:
        """The given labels of each row."""
        return [answer.labels for answer in self.given or ()]


def read_answers(store: ObjectStore, recorded: Recorded | None, output: JobOutput) -> Answers:
    """Read the recorded answers. Where they are missing or others, `problem` says why. Raises StorageError."""
    if recorded is None:
        return Answers(problem="its answers were not asked for")
    uri = recorded["uri"]
    try:
        content = store.read_recorded(recorded)
        labels, rows = output.labels, len(output.rows)
        return Answers(parse_answers(content, labels=labels, rows=rows, source=uri, multilabel=output.multilabel))
    except OtherLabelError as error:  # a model for other data, as when the labels changed: no file is at fault
        return Answers(problem=error.problem)
    except EvidenceError as error:
        return Answers(problem=str(error))
    except StorageError as error:
        if error.missing:
            return Answers(problem=f"it left no answers at {uri}")
        raise


def parse_answers(
    content: bytes, *, labels: Sequence[str], rows: int, source: str, multilabel: bool = False
) -> list[Answer]:
    """Parse a `.out` file of batch transform; `labels` are their names by their ids, errors call the file `source`.

    Raises EvidenceError: a line is not an answer, a label is none of the data's, or the file has not one line for each
    of the `rows` sentences.
    """
    lines = list(lines_of(content, source))
    if len(lines) != rows:
        raise EvidenceError(source, f"has {len(lines)} answers to {rows} sentences")
    ids = {name: number for number, name in enumerate(labels)}
    return [_answer(line, ids, place, multilabel) for place, line in lines]


def _answer(line: bytes, ids: Mapping[str, int], place: str, multilabel: bool) -> Answer:
    try:
        given = parse_answer(line, texts=1).predictions[0]
    except InvalidAnswerError as error:
        raise EvidenceError(place, str(error)) from error
    if multilabel != (given.labels is not None):
        one, several = "one label a text", "several labels a text"
        said, wanted = (one, several) if multilabel else (several, one)
        raise EvidenceError(place, f"is an answer of a model for {said}; the data has {wanted}")
    for name in (given.label, *given.given):
        if name not in ids:
            known = f" ({' and '.join(map(shown, ids))})" if len(ids) == 2 else ""
            problem = f"it answers {shown(name)}, which is none of the data's {len(ids)} labels{known}"
            raise OtherLabelError(place, problem)
    several_ids = frozenset(ids[name] for name in given.given) if multilabel else None
    return Answer(ids[given.label], given.confidence, given.score, several_ids)
