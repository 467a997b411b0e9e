"""Environment variables and payloads: what is wrong with them is named."""

from __future__ import annotations

from typing import Any

import pytest

from gate.errors import Misconfigured, WrongPayload
from gate.payloads import JudgeRequest, PlanRequest
from gate.settings import MAX_PREFIX, Settings

ENVIRONMENT = {"ARTIFACTS_BUCKET": "artifacts", "SERVING_STACK": "p-serving", "PREFIX": "p"}


def test_folders_follow_from_the_settings() -> None:
    """Evidence by the data's hash and the artifact, the evaluation beside the artifact."""
    settings = Settings.from_environment({**ENVIRONMENT, "EVIDENCE_PREFIX": "/proof/"})
    assert settings.evidence_uri("abc") == "s3://artifacts/proof/abc/"
    assert settings.evidence_uri("abc", "12") == "s3://artifacts/proof/abc/12/"
    assert settings.evaluation_uri("job-1", "0ab") == "s3://artifacts/training/job-1/evaluation/0ab/"
    assert Settings.from_environment(ENVIRONMENT).evidence_prefix == "evidence"


@pytest.mark.parametrize("variable", list(ENVIRONMENT))
def test_a_missing_variable_is_named(variable: str) -> None:
    """Blank is missing too."""
    for value in ("", "  "):
        with pytest.raises(Misconfigured) as caught:
            Settings.from_environment({**ENVIRONMENT, variable: value})
        assert caught.value.variable == variable


@pytest.mark.parametrize("prefix", ["a" * (MAX_PREFIX + 1), "a_b", "-a", "a-"])
def test_a_prefix_that_makes_no_job_name_is_refused(prefix: str) -> None:
    """SageMaker would refuse the model, minutes later."""
    with pytest.raises(Misconfigured, match="PREFIX"):
        Settings.from_environment({**ENVIRONMENT, "PREFIX": prefix})


@pytest.mark.parametrize("field", ["job_name", "model_data", "output_uri", "image"])
def test_a_plan_payload_without_a_field_is_refused(field: str) -> None:
    """By the field's name."""
    payload = {"job_name": "j", "model_data": "m", "output_uri": "o", "image": "i", field: None}
    with pytest.raises(WrongPayload) as caught:
        PlanRequest.parse(payload)
    assert caught.value.field == field


def judge_payload() -> dict[str, Any]:
    return {
        "request": {"mode": "train", "gate": {"min_accuracy": 0.8, "min_f1": 0, "margin": 0.02}, "approval": "auto"},
        "plan": {"token": "0ab", "rows": 0, "champion": None, "challenger": {"evidence_uri": None}},
        "scores": [],
        "training": {"job_name": "j", "output_uri": "o"},
        "data": None,
    }


def test_a_judge_payload_is_read() -> None:
    """Whoever has an error of null answered."""
    payload = judge_payload()
    payload["scores"] = [{"who": "challenger", "error": None}, {"who": "champion", "error": ""}]
    assert JudgeRequest.parse(payload).errors == {"champion": "no reason was given"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("request.approval", "maybe"),
        ("request.gate.margin", "0.02"),
        ("request.gate.margin", True),
        ("request.gate.min_f1", 1.5),
        ("plan.rows", None),
        ("plan.challenger", None),
        ("plan", None),
        ("training.job_name", ""),
        ("data", 3),
    ],
)
def test_a_wrong_judge_payload_is_refused(path: str, value: Any) -> None:
    """By the field's path."""
    payload = judge_payload()
    *folders, name = path.split(".")
    place = payload
    for folder in folders:
        place = place[folder]
    place[name] = value
    with pytest.raises(WrongPayload) as caught:
        JudgeRequest.parse(payload)
    assert caught.value.field == path
