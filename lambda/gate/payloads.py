"""What the state machine sends and gets, as typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gate.artifact import Artifact
from gate.errors import WrongPayload
from gate.verdict import Thresholds

Approval = Literal["auto", "manual", "never"]
Json = Mapping[str, Any]


@dataclass(frozen=True)
class PlanRequest:
    """Payload of the plan function: the challenger and where its job's output lies."""

    job_name: str
    output_uri: str
    artifact: Artifact

    @classmethod
    def parse(cls, event: Any) -> PlanRequest:
        """Raises ``WrongPayload`` where a field is missing."""
        payload = _object(event, "input")
        environment = _object(payload.get("environment") or {}, "environment")
        return cls(
            job_name=_text(payload, "job_name"),
            output_uri=_text(payload, "output_uri"),
            artifact=Artifact(_text(payload, "image"), _text(payload, "model_data"), dict(environment)),
        )


@dataclass(frozen=True)
class PlannedChampion:
    """The champion as the plan found it; without ``evidence_uri`` it can't be scored, and ``problem`` says why."""

    package_arn: str
    version: str
    evidence_uri: str | None
    problem: str | None = None
    rows_sha256: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it stands in the plan."""
        given = {"package_arn": self.package_arn, "version": self.version, "evidence_uri": self.evidence_uri}
        return {**given, "problem": self.problem, "rows_sha256": self.rows_sha256}


@dataclass(frozen=True)
class Plan:
    """What the plan function found out, as far as the verdict needs it."""

    test_sha256: str | None
    rows: int
    challenger_evidence: str | None
    challenger_image: str | None
    champion: PlannedChampion | None
    problem: str | None
    token: str

    @classmethod
    def parse(cls, value: Any) -> Plan:
        """Raises ``WrongPayload`` where a field is missing."""
        plan = _object(value, "plan")
        champion = plan.get("champion")
        challenger = _object(plan.get("challenger"), "plan.challenger")
        rows = plan.get("rows")
        if not isinstance(rows, int):
            raise WrongPayload("plan.rows", "is no number")
        return cls(
            test_sha256=plan.get("test_sha256"),
            rows=rows,
            challenger_evidence=challenger.get("evidence_uri"),
            challenger_image=challenger.get("image"),
            champion=None if champion is None else _champion(_object(champion, "plan.champion")),
            problem=plan.get("problem"),
            token=_text(plan, "token", "plan."),
        )


@dataclass(frozen=True)
class JudgeRequest:
    """Payload of the judge function.

    Attributes:
        approval: the mode.
        thresholds: of the gate.
        plan: what the plan function answered.
        started_elsewhere: the job was not trained by this workflow; its test rows are its own.
        errors: why the challenger or the champion could not answer, by ``who``.
        unasked: those of them who were never asked, through no fault of theirs.
        job_name: the training job.
        output_uri: its output archive.
        training: all that is known of the job.
        data: what was ingested; empty for a job that was trained elsewhere.
    """

    approval: Approval
    thresholds: Thresholds
    plan: Plan
    started_elsewhere: bool
    errors: Mapping[str, str]
    unasked: frozenset[str]
    job_name: str
    output_uri: str
    training: Json
    data: Json

    @classmethod
    def parse(cls, event: Any) -> JudgeRequest:
        """Raises ``WrongPayload`` where a field is missing."""
        payload = _object(event, "input")
        request = _object(payload.get("request"), "request")
        training = _object(payload.get("training"), "training")
        scores = payload.get("scores") or []
        return cls(
            approval=_approval(request.get("approval")),
            thresholds=_thresholds(_object(request.get("gate"), "request.gate")),
            plan=Plan.parse(payload.get("plan")),
            started_elsewhere=_text(request, "mode", "request.") == "judge",
            errors=_errors(scores),
            unasked=frozenset(score["who"] for score in scores if score.get("asked") is False),
            job_name=_text(training, "job_name", "training."),
            output_uri=_text(training, "output_uri", "training."),
            training=training,
            data=_object(payload.get("data") or {}, "data"),
        )


def _champion(value: Json) -> PlannedChampion:
    names = ("package_arn", "version")
    package_arn, version = (_text(value, name, "plan.champion.") for name in names)
    more = (value.get("evidence_uri"), value.get("problem"), value.get("rows_sha256"))
    return PlannedChampion(package_arn, version, *more)


def _approval(value: Any) -> Approval:
    modes: tuple[Approval, ...] = get_args(Approval)
    for mode in modes:
        if value == mode:
            return mode
    raise WrongPayload("request.approval", f"is {value!r}, none of {', '.join(modes)}")


def _thresholds(gate: Json) -> Thresholds:
    values = []
    for name in ("min_accuracy", "min_f1", "margin"):
        value = gate.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise WrongPayload(f"request.gate.{name}", f"is {value!r}, no number from 0 to 1")
        values.append(float(value))
    return Thresholds(*values)


def _errors(scores: Sequence[Any]) -> dict[str, str]:
    found = {}
    for number, score in enumerate(scores):
        given = _object(score, f"scores[{number}]")
        if given.get("error") is not None:
            found[_text(given, "who", f"scores[{number}].")] = str(given["error"]) or "no reason was given"
    return found


def _object(value: Any, field: str) -> Json:
    if not isinstance(value, Mapping):
        raise WrongPayload(field, "is no object")
    return value


def _text(value: Json, name: str, place: str = "") -> str:
    text = value.get(name)
    if not isinstance(text, str) or not text:
        raise WrongPayload(f"{place}{name}", "is missing")
    return text
