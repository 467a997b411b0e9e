"""All that is known about a challenger when it is judged."""

import itertools
from dataclasses import dataclass, field
from typing import NamedTuple

from gate.evidence.answers import Answer, Answers
from gate.evidence.job_output import JobOutput, Row


class AnsweredRow(NamedTuple):
    """A test row with the challenger's answer and, where there is one, the champion's."""

    row: Row
    answer: Answer
    champion: Answer | None

    @property
    def right(self) -> bool:
        """Whether the challenger gives exactly the true labels."""
        return self.answer.labels == self.row.labels


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The training job's output, and what both models answered to its test sentences.

    The champion has no answers, no problem and no version where nothing serves. `own_rows`: the job brought test rows,
    or labels, that the champion was not judged on.
    """

    output: JobOutput
    challenger: Answers = field(default_factory=Answers)
    champion: Answers = field(default_factory=Answers)
    champion_version: str | None = None
    own_rows: bool = False

    def answered_rows(self) -> list[AnsweredRow]:
        """Return the test rows with their answers, in file order; empty where the challenger gave none."""
        if self.challenger.given is None:
            return []
        champion = self.champion.given or itertools.repeat(None)
        return list(map(AnsweredRow, self.output.rows, self.challenger.given, champion))
