"""The handler and its environment."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ingest import handler
from ingest.errors import DataUnavailableError
from ingest.settings import Settings
from shared.errors import InvalidExecutionInputError, MisconfiguredError


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
        "ALLOW_BUNDLED_DATA": "true",
        "BUNDLED_DATA_DIR": str(bundled),
    }


def test_whole_step(environment, fake_s3):
    """From the launch step's answer to where the data lies, with the data in the bucket."""
    answer = handler.run({"job_name": "a-job", "data_source": None}, environment, fake_s3)
    assert set(answer) == {"train_uri", "test_uri", "data_sha256", "source", "fell_back", "reason"}
    assert len(fake_s3.written) == 9


def test_named_source_is_taken(environment, fake_s3):
    """The payload's data_source is where the data comes from."""
    for name in ("train.json", "test.json"):
        fake_s3.objects["data", f"mine/{name}"] = b"x"
    answer = handler.run({"job_name": "a-job", "data_source": "s3://data/mine"}, environment, fake_s3)
    assert (answer["source"], answer["fell_back"]) == ("s3://data/mine", False)


def test_handler_raises_for_step_functions_and_logs_why(environment, monkeypatch, caplog):
    """Lambda's entry point lets the named error through; the log line says which error, why, and of which job."""
    for name, value in {**environment, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidExecutionInputError, match="not public"):
        handler.handler({"job_name": "a-job", "data_source": "http://169.254.169.254/latest"}, Context())
    logged = caplog.records[-1].__dict__
    assert logged["error"] == "InvalidExecutionInputError"
    assert "169.254.169.254" in logged["reason"]


def test_unavailable_data_has_its_own_name(environment, fake_s3):
    """A source that is written well and holds nothing is no mistake in the input's form."""
    with pytest.raises(DataUnavailableError):
        handler.run({"job_name": "a-job", "data_source": "s3://data/nothing"}, environment, fake_s3)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATA_BUCKET", ""),
        ("ALLOW_BUNDLED_DATA", "yes"),
        ("BUNDLED_DATA_DIR", "/nowhere"),
    ],
)
def test_wrong_environment_is_named(environment, variable, value):
    """A mistake of the deployment names the variable."""
    with pytest.raises(MisconfiguredError) as caught:
        Settings.from_environment({**environment, variable: value})
    assert caught.value.variable == variable


def test_bundled_data_lies_in_the_task_root(environment, bundled):
    """Without a folder of its own the bundled set is `data` in Lambda's task root."""
    del environment["BUNDLED_DATA_DIR"]
    settings = Settings.from_environment({**environment, "LAMBDA_TASK_ROOT": str(bundled.parent)})
    assert settings.bundled_data == bundled


def test_bundled_data_is_off_by_default(environment):
    """Only an explicit `true` lets the synthetic set stand in."""
    del environment["ALLOW_BUNDLED_DATA"]
    assert Settings.from_environment(environment).bundled_data is None
