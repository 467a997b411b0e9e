"""What the state machine sends to the functions and gets from them, as it stands in the JSON."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from gate.decision.decision import Approval

Contender = Literal["challenger", "champion"]


class PlanEvent(TypedDict):
    """The challenger, and where its training job's output lies."""

    job_name: str
    output_uri: str
    image: str
    model_data: str
    environment: Mapping[str, str] | None


class PlannedChallenger(TypedDict):
    """The challenger; `content` is the ETag of its model data, `evidence_uri` None without test rows."""

    evidence_uri: str | None
    image: str
    content: str


class PlannedChampion(TypedDict):
    """The champion; it can't be asked where `evidence_uri` is None, and `problem` then says why."""

    package_arn: str
    version: str
    evidence_uri: str | None
    problem: str | None
    rows_sha256: str | None


class Plan(TypedDict):
    """Which answers are wanted.

    `to_score` lists the batch transform jobs that are missing, and `token` keeps the names of two runs apart.
    """

    test_sha256: str | None
    rows: int
    sentences_uri: str | None
    champion: PlannedChampion | None
    challenger: PlannedChallenger
    to_score: list[dict[str, Any]]
    problem: str | None
    token: str


class GateRequest(TypedDict):
    """The request of the execution, as far as the gate reads it; `mode` is `judge` for a job started elsewhere.

    `gate` holds `min_accuracy`, `min_f1` and `margin`, each a number or `auto`.
    """

    mode: str
    approval: Approval
    gate: Mapping[str, float | str]


class Score(TypedDict):
    """How a batch transform job ended: `error` is None where the model answered.

    `asked` is False where it never had the chance.
    """

    who: Contender
    error: str | None
    asked: NotRequired[bool]


class JudgeEvent(TypedDict):
    """Everything about a run; `data` is None for a job that was trained elsewhere."""

    request: GateRequest
    plan: Plan
    scores: list[Score] | None
    training: Mapping[str, Any]
    data: Mapping[str, Any] | None
