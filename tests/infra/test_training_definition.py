"""The workflow's definition: valid for Step Functions, and its calls valid for SageMaker.

The expressions are evaluated with the JSONata engine that the local cloud uses too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator
from jsonata import Jsonata

from stacks.components.training_definition import FAILED, INGEST, REGISTER, TRAIN, TrainingRecipe, training_definition
from stacks.config import TrainingConfig

RECIPE = TrainingRecipe(
    partition="aws",
    ingest_function_arn="arn:aws:lambda:us-east-1:111122223333:function:ingest",
    training_image="111122223333.dkr.ecr.us-east-1.amazonaws.com/training:1",
    inference_image="111122223333.dkr.ecr.us-east-1.amazonaws.com/inference:1",
    role_arn="arn:aws:iam::111122223333:role/training",
    settings=TrainingConfig(base_model="some/model", hyperparameters={"epochs": "2", "seed": "1"}),
    output_uri="s3://artifacts/training",
    code_uri="s3://assets/code.tar.gz",
    code_version="0123abc",
    git_revision="",
    environment={},
    model_package_group="text-classifier-dev",
    tags={"project": "text-classifier"},
)
INGESTED = {
    "job_name": "text-classifier-dev-20260101-120000-abcdef",
    "train_uri": "s3://data/datasets/1/train/",
    "test_uri": "s3://data/datasets/1/test/",
    "data_sha256": "f00d",
    "source": 'https://example.com/a?b="c"',
    "fell_back": False,
    "reason": "",
    "hyperparameters": {"epochs": "3"},
}
TRAINED = {
    "TrainingJobName": INGESTED["job_name"],
    "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/training/job/output/model.tar.gz"},
    "FinalMetricDataList": [
        {"MetricName": "test_accuracy", "Value": 0.86901, "Timestamp": 1},
        {"MetricName": "test_f1", "Value": 0.904, "Timestamp": 1},
    ],
}


def evaluate(template: Any, states: dict[str, Any], variables: dict[str, Any]) -> Any:
    """What Step Functions makes of a value with JSONata expressions in it."""
    if isinstance(template, dict):
        return {key: evaluate(value, states, variables) for key, value in template.items()}
    if isinstance(template, list):
        return [evaluate(value, states, variables) for value in template]
    if not (isinstance(template, str) and template.startswith("{%")):
        return template
    expression = Jsonata(template.removeprefix("{%").removesuffix("%}"))
    # Step Functions' addition to JSONata.
    expression.register_lambda("parse", json.loads)
    return expression.evaluate(None, {"states": states, **variables})


def state(name: str) -> dict[str, Any]:
    found: dict[str, Any] = training_definition(RECIPE)["States"][name]
    return found


@pytest.fixture
def variables() -> dict[str, Any]:
    """The workflow's variables after data was ingested."""
    assigned = evaluate(state("Prepare recipe")["Assign"], {}, {})
    return assigned | evaluate(state(INGEST)["Assign"], {"result": {"Payload": INGESTED}}, assigned)


def assert_valid_for_sagemaker(operation: str, request: dict[str, Any]) -> None:
    shape = boto3.client("sagemaker", region_name="us-east-1").meta.service_model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


def test_definition_is_valid_states_language(lint_errors: Callable[[dict[str, Any]], list[str]]) -> None:
    """The definition follows the schema of Amazon States Language, and the linter would notice if it didn't."""
    definition = training_definition(RECIPE)
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": RECIPE.role_arn, "Definition": definition},
    }
    assert lint_errors({"Resources": {"Machine": machine}}) == []
    definition["States"][TRAIN]["Arguemnts"] = {}
    assert lint_errors({"Resources": {"Machine": machine}}) != []


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ({}, {}),
        ({"Comment": "Insert your JSON here"}, {}),
        ({"Comment": "x", "hyperparameters": {"epochs": "1"}}, {"hyperparameters": {"epochs": "1"}}),
    ],
)
def test_execution_starts_with_whatever_the_console_sends(given: dict[str, Any], passed_on: dict[str, Any]) -> None:
    """`{}` is enough, and the console's own comment does not count as an unknown key."""
    assert evaluate(state(INGEST)["Arguments"]["Payload"], {"input": given}, {}) == passed_on


def test_training_request_is_valid(variables: dict[str, Any]) -> None:
    """The job's request has the shape of SageMaker's API."""
    assert_valid_for_sagemaker("CreateTrainingJob", evaluate(state(TRAIN)["Arguments"], {}, variables))


def test_hyperparameters_of_the_execution_win_over_the_defaults(variables: dict[str, Any]) -> None:
    """Defaults, then the execution's, then what makes the container find the code; all of them texts."""
    assert evaluate(state(TRAIN)["Arguments"]["HyperParameters"], {}, variables) == {
        "base_model": "some/model",
        "epochs": "3",
        "seed": "1",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://assets/code.tar.gz",
    }


def test_entry_point_can_not_be_overridden(variables: dict[str, Any]) -> None:
    """An execution can't make the job run other code."""
    variables["hyperparameters"] = {"sagemaker_submit_directory": "s3://elsewhere/code.tar.gz"}
    made = evaluate(state(TRAIN)["Arguments"]["HyperParameters"], {}, variables)
    assert made["sagemaker_submit_directory"] == RECIPE.code_uri


def test_model_package_request_is_valid(variables: dict[str, Any]) -> None:
    """The package's request has the shape of SageMaker's API and waits for an approval."""
    request = evaluate(state(REGISTER)["Arguments"], {"input": TRAINED}, variables)
    assert_valid_for_sagemaker("CreateModelPackage", request)
    assert request["ModelApprovalStatus"] == "PendingManualApproval"
    (container,) = request["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == TRAINED["ModelArtifacts"]["S3ModelArtifacts"]


def test_model_package_says_where_it_comes_from(variables: dict[str, Any]) -> None:
    """Data, code, hyperparameters and metrics are recorded, in characters that the registry takes."""
    metadata = evaluate(state(REGISTER)["Arguments"]["CustomerMetadataProperties"], {"input": TRAINED}, variables)
    assert metadata == {
        "training_job": INGESTED["job_name"],
        "data_sha256": "f00d",
        "data_source": "https://example.com/a_b=_c_",
        "code_version": "0123abc",
        "hyperparameters": "base_model=some/model epochs=3 seed=1",
        "test_accuracy": "0.869",
        "test_f1": "0.904",
    }
    assert all(re.fullmatch(r"[\w .:/=+@-]{1,256}", value) for value in metadata.values())


def test_job_without_metrics_is_registered_too(variables: dict[str, Any]) -> None:
    """A job whose log held no metric still becomes a package and an output."""
    trained = {key: value for key, value in TRAINED.items() if key != "FinalMetricDataList"}
    metadata = evaluate(state(REGISTER)["Arguments"]["CustomerMetadataProperties"], {"input": trained}, variables)
    assert metadata["training_job"] == INGESTED["job_name"]
    assert evaluate(state(REGISTER)["Output"]["metrics"], {"input": trained}, variables) == {}


def test_output_names_the_package(variables: dict[str, Any]) -> None:
    """An execution ends with the package's ARN and what became of the data."""
    states = {"input": TRAINED, "result": {"ModelPackageArn": "arn:package/1"}}
    assert evaluate(state(REGISTER)["Output"], states, variables) == {
        "model_package_arn": "arn:package/1",
        "training_job": INGESTED["job_name"],
        "model_data": TRAINED["ModelArtifacts"]["S3ModelArtifacts"],
        "data_sha256": "f00d",
        "source": INGESTED["source"],
        "metrics": {"test_accuracy": 0.86901, "test_f1": 0.904},
    }


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ('{"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: no column"}', "AlgorithmError: no column"),
        ('{"errorType": "InvalidInput", "errorMessage": "unknown key"}', "unknown key"),
        ("User is not authorized to perform sagemaker:CreateTrainingJob", None),
        ('{"something": "else"}', None),
    ],
)
@pytest.mark.parametrize("name", [INGEST, TRAIN, REGISTER])
def test_failure_tells_its_reason(name: str, cause: str, told: str | None) -> None:
    """A failed step ends the execution with the reason a person can read, out of whatever it was wrapped in."""
    (catcher,) = state(name)["Catch"]
    caught = evaluate(catcher["Output"], {"errorOutput": {"Error": "States.TaskFailed", "Cause": cause}}, {})
    ended = evaluate({key: state(FAILED)[key] for key in ("Error", "Cause")}, {"input": caught}, {})
    assert catcher["Next"] == FAILED
    assert ended == {"Error": "States.TaskFailed", "Cause": told or cause}
