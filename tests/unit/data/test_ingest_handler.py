"""The handler and its environment."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from ingest import handler
from ingest.errors import InvalidExecutionInput, Misconfigured
from ingest.settings import Settings


@dataclass
class Context:
    """What the logger reads of Lambda's context."""

    function_name: str = "ingest"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:ingest"
    aws_request_id: str = "request"


@pytest.fixture
def environment(bundled):
    return {
        "DATA_BUCKET": "data",
        "JOB_NAME_PREFIX": "text-classifier-dev",
        "ALLOW_BUNDLED_DATA": "true",
        "BUNDLED_DATA_DIR": str(bundled),
        "ALLOWED_HYPERPARAMETERS": "epochs, seed",
    }


def test_whole_step(environment, fake_s3):
    """From {} to an answer whose job name SageMaker accepts, with the data in the bucket."""
    answer = handler.run({}, environment, fake_s3)
    assert re.fullmatch(r"text-classifier-dev-\d{8}-\d{6}-[0-9a-f]{6}", answer["job_name"])
    assert len(fake_s3.written) == 3


def test_two_runs_have_two_names(environment, fake_s3):
    """Executions of the same second do not collide."""
    first, second = (handler.run({}, environment, fake_s3)["job_name"] for _ in range(2))
    assert first != second


def test_names_of_the_environment_are_enforced(environment, fake_s3):
    """ALLOWED_HYPERPARAMETERS decides which names an execution may override."""
    assert handler.run({"hyperparameters": {"seed": 7}}, environment, fake_s3)["hyperparameters"] == {"seed": "7"}
    with pytest.raises(InvalidExecutionInput, match=r"Allowed: epochs, seed\."):
        handler.run({"hyperparameters": {"sed": 7}}, environment, fake_s3)


def test_handler_raises_for_step_functions(environment, monkeypatch):
    """Lambda's entry point lets the named error through and asks AWS for nothing before the input is checked."""
    for name, value in {**environment, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidExecutionInput, match="unknown_key"):
        handler.handler({"unknown_key": 1}, Context())


def test_log_of_a_failure_has_its_name_and_reason(environment, monkeypatch, caplog):
    """The log line of a refusal says which error and why."""
    for name, value in {**environment, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidExecutionInput):
        handler.handler([], Context())
    assert caplog.records[-1].__dict__["error"] == "InvalidExecutionInput"
    assert "a JSON object" in caplog.records[-1].__dict__["reason"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATA_BUCKET", ""),
        ("JOB_NAME_PREFIX", ""),
        ("JOB_NAME_PREFIX", "under_score"),
        ("JOB_NAME_PREFIX", "x" * 41),
        ("ALLOW_BUNDLED_DATA", "yes"),
        ("BUNDLED_DATA_DIR", "/nowhere"),
    ],
)
def test_wrong_environment_is_named(environment, variable, value):
    """A mistake of the deployment names the variable."""
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment({**environment, variable: value})
    assert caught.value.variable == variable


def test_longest_prefix_still_gives_a_valid_name(environment, fake_s3):
    """SageMaker's 63 characters suffice for the longest prefix that is accepted."""
    answer = handler.run({}, {**environment, "JOB_NAME_PREFIX": "x" * 40}, fake_s3)
    assert len(answer["job_name"]) == 63


def test_bundled_data_lies_in_the_task_root(environment, bundled):
    """Without a folder of its own the bundled set is `data` in Lambda's task root."""
    del environment["BUNDLED_DATA_DIR"]
    settings = Settings.from_environment({**environment, "LAMBDA_TASK_ROOT": str(bundled.parent)})
    assert settings.bundled_data == bundled


def test_bundled_data_is_off_by_default(environment):
    """Only an explicit `true` lets the synthetic set stand in."""
    del environment["ALLOW_BUNDLED_DATA"]
    assert Settings.from_environment(environment).bundled_data is None
