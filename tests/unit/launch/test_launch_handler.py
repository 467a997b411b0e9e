"""The handler, its environment, and what it imports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from launch import handler
from launch.settings import Settings
from shared.errors import InvalidExecutionInputError, MisconfiguredError

ROOT = Path(__file__).resolve().parents[3]
ELSEWHERE = "text-classifier-dev-elsewhere"


@dataclass
class Context:
    """What the logger reads of Lambda's context."""

    function_name: str = "launch"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:launch"
    aws_request_id: str = "request"


def no_client() -> None:
    raise AssertionError("a client was made")


def test_empty_input_becomes_a_whole_request(environment):
    """From {} to everything that the next steps read, without a question to AWS."""
    answer = handler.run({}, environment, no_client)
    name = answer.pop("job_name")
    assert re.fullmatch(r"text-classifier-dev-\d{8}-\d{6}-[0-9a-f]{6}", name)
    assert json.loads(json.dumps(answer)) == {
        "mode": "train",
        "data_source": None,
        "hyperparameters": {"base_model": "distilbert-base-uncased", "seed": "1"},
        "tuning": None,
        "compute": {
            "instance_type": "ml.g4dn.xlarge",
            "instance_count": 1,
            "volume_gb": 30,
            "max_runtime_seconds": 3600,
            "spot": False,
            "max_wait_seconds": None,
        },
        "gate": {"min_accuracy": 0.7, "min_f1": 0.6, "margin": 0.02},
        "approval": "auto",
        "training": None,
    }


def test_a_dry_run_is_checked_like_any_other_input(environment):
    """`dry_run` completes the input and asks for nothing; an input that is wrong is refused with it as without."""
    assert handler.run({"dry_run": True, "approval": "never"}, environment, no_client)["mode"] == "check"
    with pytest.raises(InvalidExecutionInputError, match="approval"):
        handler.run({"dry_run": True, "approval": "yes"}, environment, no_client)


def test_finished_job_is_judged_under_its_own_name(environment, sagemaker, finished):
    """With training_job the request carries that job's name, hyperparameters and results, and the gate's overrides."""
    sagemaker.jobs[ELSEWHERE] = finished
    event = {"training_job": ELSEWHERE, "gate": {"margin": 0.1}, "approval": "manual", "Comment": "x"}
    answer = handler.run(event, environment, lambda: sagemaker)
    assert (answer["mode"], answer["job_name"], answer["approval"]) == ("judge", ELSEWHERE, "manual")
    assert answer["hyperparameters"] == answer["training"]["hyperparameters"]
    assert answer["training"]["job_name"] == ELSEWHERE
    assert answer["gate"]["margin"] == 0.1


def test_wrong_input_is_refused_before_anything_is_asked(environment, sagemaker):
    """A finished job is not described for an input that is wrong elsewhere."""
    with pytest.raises(InvalidExecutionInputError):
        handler.run({"training_job": ELSEWHERE, "gate": {"margin": 2}}, environment, lambda: sagemaker)
    assert sagemaker.asked == []


def test_two_runs_have_two_names(environment):
    """Executions of the same second do not collide."""
    first, second = (handler.run({}, environment, no_client)["job_name"] for _ in range(2))
    assert first != second


def test_longest_prefix_still_gives_a_valid_name(environment):
    """SageMaker's 63 characters suffice for the longest prefix that is accepted."""
    answer = handler.run({}, {**environment, "JOB_NAME_PREFIX": "x" * 40}, no_client)
    assert len(answer["job_name"]) == 63


def test_handler_raises_for_step_functions_and_logs_why(environment, monkeypatch, caplog):
    """Lambda's entry point lets the named error through; the log line says which error and why."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidExecutionInputError, match="unknown_key"):
        handler.handler({"unknown_key": 1}, Context())
    assert caplog.records[-1].__dict__["error"] == "InvalidExecutionInputError"
    assert "unknown_key is not known" in caplog.records[-1].__dict__["reason"]


def test_handler_answers(environment, monkeypatch):
    """Lambda's entry point gives the request."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert handler.handler({}, Context())["mode"] == "train"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("JOB_NAME_PREFIX", ""),
        ("JOB_NAME_PREFIX", "under_score"),
        ("JOB_NAME_PREFIX", "x" * 41),
        ("ARTIFACTS_URI", ""),
        ("ARTIFACTS_URI", "s3://bucket"),
        ("ARTIFACTS_URI", "s3://bucket/"),
        ("ARTIFACTS_URI", "/folder"),
        ("DEFAULTS", ""),
        ("DEFAULTS", "{"),
        ("DEFAULTS", "[]"),
        ("DEFAULTS", "{}"),
    ],
)
def test_wrong_environment_is_named(environment, variable, value):
    """A mistake of the deployment names the variable."""
    with pytest.raises(MisconfiguredError) as caught:
        Settings.from_environment({**environment, variable: value})
    assert caught.value.variable == variable


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("gate", "margin", None, "gate.margin is null. Allowed: a number from 0 to 0.5"),
        ("gate", "margin", 5, "gate.margin is 5. Allowed: a number from 0 to 0.5"),
        ("compute", "volume_gb", 1, "volume_gb is 1"),
        ("hyperparameters", "seed", -1, "hyperparameters.seed is"),
        ("hyperparameters", "sede", 1, "did you mean seed"),
        ("compute", "spot", ..., "lacks 'spot'"),
        ("gate", "min_accuracy", "high", 'gate.min_accuracy is "high". Allowed: auto, or a number'),
        ("gate", "min_f1", ..., "lacks 'min_f1'"),
    ],
)
def test_defaults_are_held_to_the_same_rules(environment, part, key, value, message):
    """A configured value that an execution could not give is a mistake of the deployment."""
    document = json.loads(environment["DEFAULTS"])
    document[part][key] = value
    if value is ...:
        del document[part][key]
    with pytest.raises(MisconfiguredError, match=re.escape(message)):
        Settings.from_environment({**environment, "DEFAULTS": json.dumps(document)})


def test_slash_at_the_end_of_the_artifacts_folder_means_nothing(environment):
    """The folder can be written either way."""
    settings = Settings.from_environment({**environment, "ARTIFACTS_URI": "s3://artifacts/training/"})
    assert settings.artifacts_uri == "s3://artifacts/training"


def test_handler_needs_only_what_a_lambda_has(tmp_path, environment):
    """It runs from its own folder and one of the classifier, with nothing but boto3 and the layer's packages."""
    for name in ("launch", "shared"):
        shutil.copytree(ROOT / "lambda" / name, tmp_path / name)
    shutil.copytree(ROOT / "training_job" / "classifier" / "job", tmp_path / "classifier" / "job")
    shutil.copy(ROOT / "training_job" / "classifier" / "errors.py", tmp_path / "classifier")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import os, launch.handler as handler\n"
        "answer = handler.run({'instance_type': 'ml.m5.xlarge'}, os.environ, lambda: handler.client('sagemaker'))\n"
        "assert answer['compute']['instance_type'] == 'ml.m5.xlarge'\n"
        "print('\\n'.join(sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names)))\n"
        "print('\\n'.join(sorted(n for n in sys.modules if n.startswith('classifier.'))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**environment, "AWS_DEFAULT_REGION": "us-east-1"},
    )
    assert done.returncode == 0, done.stderr
    imported = {name for name in done.stdout.split() if not name.startswith("__")}
    ours = {"launch", "shared", "classifier", "classifier.errors", "classifier.job"}
    ours |= {f"classifier.job.{name}" for name in ("hyperparameters", "hyperparameter_rules")}
    runtime = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six"}
    runtime |= {"certifi", "backports"}  # botocore and urllib3 look for them, and take them if they are there
    layer = {"aws_lambda_powertools", "fastjsonschema", "typing_extensions"}
    assert ours <= imported
    assert not {"numpy", "pandas", "torch", "transformers", "requests"} & imported
    strays = {name for name in imported - ours - runtime - layer if not name.startswith("_")}
    assert not strays
