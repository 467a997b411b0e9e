"""What the state machine sends to the functions and gets from them, as it stands in the JSON."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from gate.decision.decision import Approval
from shared.storage import Recorded

Contender = Literal["challenger", "champion"]


class PlanEvent(TypedDict):
    """The challenger, and where its training job's output lies."""

    execution: str
    job_name: str
    output_uri: str
    image: str
    model_data: str
    environment: Mapping[str, str] | None


class PlannedChampion(TypedDict):
    """The champion; it can't be asked where there is a `problem`.

    `evidence`: its recorded answers to the same sentences, where its package names them; then it is not asked again.
    """

    package_arn: str
    version: str
    evidence: Recorded | None
    problem: str | None
    rows_sha256: str | None


class Plan(TypedDict):
    """Which answers are wanted.

    `challenger` has the `image`; `to_score` lists the batch transform jobs that are missing, and `token` keeps the
    names of two runs apart.
    """

    test_sha256: str | None
    rows_sha256: str | None
    rows: int
    sentences_uri: str | None
    champion: PlannedChampion | None
    challenger: dict[str, str]
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

    `asked` is False where it never had the chance. `evidence` is what it answered.
    """

    who: Contender
    error: str | None
    evidence: NotRequired[Recorded]
    asked: NotRequired[bool]


class JudgeEvent(TypedDict):
    """Everything about a run; `data` is None for a job that was trained elsewhere."""

    request: GateRequest
    plan: Plan
    scores: list[Score] | None
    training: Mapping[str, Any]
    data: Mapping[str, Any] | None
