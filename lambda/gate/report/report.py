"""What the report shows, in the gate's own types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from classifier.evaluation.figures import Figures, measure
from gate.decision.decision import Decision
from gate.evidence.evidence import AnsweredRow, Evidence
from shared.words import shorten

_LABEL_LIMIT = 24
"""Characters of a label's name, which has to fit on an axis."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the challenger comes from, with `created` as the time of the decision in ISO 8601.

    None means unknown, and the report says so. `test_sha256` is the digest of the test sentences as they were sent
    to the model; `image` is the serving image that answered them. `tuning` names the tuning job and lists its trials.
    """

    job_name: str
    package_group: str
    created: str
    data_source: str | None = None
    data_sha256: str | None = None
    test_sha256: str | None = None
    code_version: str | None = None
    image: str | None = None
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    tuning: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the report shows. Texts in it may hold anything; they are escaped and shortened."""

    decision: Decision
    summary: str
    evidence: Evidence
    provenance: Provenance

    @cached_property
    def rows(self) -> list[AnsweredRow]:
        """The answered test rows; empty if the challenger could not be measured."""
        return self.evidence.answered_rows()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels by their ids, short enough for an axis."""
        return tuple(shorten(name, _LABEL_LIMIT) for name in self.evidence.output.labels)

    @property
    def binary(self) -> bool:
        """Whether there are two classes, of which label 1 is the positive one."""
        return len(self.evidence.output.labels) == 2 and not self.evidence.output.multilabel

    @cached_property
    def figures(self) -> Figures:
        """The figures of the answered test rows, at least one."""
        output = self.evidence.output
        truth, answers = [one.row.labels for one in self.rows], [one.answer.labels for one in self.rows]
        return measure(truth, answers, labels=len(output.labels), multilabel=output.multilabel)

    def named(self, labels: Iterable[int]) -> str:
        """Write labels of a row."""
        return ", ".join(self.labels[label] for label in sorted(labels)) or "no label"
