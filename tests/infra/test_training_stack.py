"""Training: the workflow, its functions, the code it runs and the registry it fills."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Match
from classifier.hyperparameters import Hyperparameters

from stacks.components.ingest_function import HYPERPARAMETERS
from stacks.components.project_sources import ProjectSources
from stacks.components.training_definition import METRICS
from stacks.errors import MissingAssetError

if TYPE_CHECKING:
    from conftest import Assemblies


def definition(assemblies: Assemblies, env: str) -> dict[str, Any]:
    """The state machine's definition, references written as `<…>`."""
    (machine,) = assemblies.resources(env, "training", "AWS::StepFunctions::StateMachine")
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else f"<{json.dumps(part)}>".replace('"', "'") for part in parts)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_executions_are_logged_and_traced(assemblies: Assemblies) -> None:
    """Each execution leaves a log with its data, and a trace."""
    assemblies.assertions("dev", "training").has_resource_properties(
        "AWS::StepFunctions::StateMachine",
        Match.object_like(
            {
                "StateMachineName": "text-classifier-dev-training",
                "LoggingConfiguration": {"Level": "ALL", "IncludeExecutionData": True},
                "TracingConfiguration": {"Enabled": True},
            }
        ),
    )


@pytest.mark.parametrize(("env", "environment"), [("local", {"HF_HUB_OFFLINE": "1"}), ("dev", {})])
def test_hub_is_off_only_where_there_is_none(assemblies: Assemblies, env: str, environment: dict[str, str]) -> None:
    """A job on AWS may reach the hub; a local one is told that there is none."""
    assert definition(assemblies, env)["States"]["Train"]["Arguments"]["Environment"] == environment


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_code_uri_ends_as_the_toolkit_wants_it(assemblies: Assemblies, env: str) -> None:
    """The submit directory is a `.tar.gz` (the toolkit takes anything else for a folder), and what operations get."""
    uri = definition(assemblies, env)["States"]["Prepare recipe"]["Assign"]["fixed"]["sagemaker_submit_directory"]
    assert uri.startswith("s3://") and uri.endswith(".tar.gz")
    assert uri.rpartition("/")[2] in json.dumps(assemblies.template(env, "training")["Outputs"]["TrainingCodeUri"])


def test_tarball_holds_the_job_and_is_named_by_its_content(assemblies: Assemblies) -> None:
    """What is uploaded has train.py at its root, and its key is the hash of what is inside."""
    manifest = json.loads((assemblies.folder / "dev" / "text-classifier-dev-training.assets.json").read_text())
    (asset,) = [file for file in manifest["files"].values() if file["source"]["path"].endswith(".tar.gz")]
    tarball = assemblies.folder / "dev" / asset["source"]["path"]
    with tarfile.open(tarball) as archive:
        assert {"train.py", "requirements.txt", "classifier/collect.py"} <= set(archive.getnames())
    content = hashlib.sha256(gzip.decompress(tarball.read_bytes())).hexdigest()
    assert {destination["objectKey"] for destination in asset["destinations"].values()} == {f"{content}.tar.gz"}


def test_environments_share_one_tarball(assemblies: Assemblies) -> None:
    """The same source gives the same code version in every environment."""
    versions = {
        env: definition(assemblies, env)["States"]["Prepare recipe"]["Assign"]["fixed"]["sagemaker_submit_directory"]
        for env in ("local", "dev", "prod")
    }
    assert len({uri.rpartition("/")[2] for uri in versions.values()}) == 1


@pytest.mark.parametrize(("env", "allowed"), [("local", "true"), ("dev", "true"), ("prod", "false")])
def test_ingest_knows_its_source_and_fallback(assemblies: Assemblies, env: str, allowed: str) -> None:
    """The ingest function is told the configured source and whether the bundled data may stand in."""
    assemblies.assertions(env, "training").has_resource_properties(
        "AWS::Lambda::Function",
        Match.object_like(
            {
                "Handler": "ingest.handler.handler",
                "Environment": {
                    "Variables": {
                        "ALLOW_BUNDLED_DATA": allowed,
                        "DATA_SOURCE_URL": "https://helpful-sentences-from-reviews.s3.amazonaws.com",
                        "JOB_NAME_PREFIX": f"text-classifier-{env}",
                    }
                },
            }
        ),
    )


def test_allowed_hyperparameters_are_the_jobs_own() -> None:
    """The names an execution may override are exactly those that the training job knows."""
    assert set(HYPERPARAMETERS) == {field.name for field in dataclasses.fields(Hyperparameters)}


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_default_hyperparameters_are_valid_for_the_job(assemblies: Assemblies, env: str) -> None:
    """What cdk.json gives a job, the job accepts."""
    output = assemblies.template(env, "training")["Outputs"]["DefaultHyperparameters"]["Value"]
    assert Hyperparameters.parse(json.loads(output)).base_model


def test_metrics_are_found_in_the_jobs_log() -> None:
    """The metric definitions read the job's log lines, and the prefixes of their names don't get mixed up."""
    log = (
        "epoch=1.25 step=120/500 loss=0.1234 eta=95s\n"
        "eval_accuracy=0.8690 eval_f1=0.9040 eval_pearson=0.8720\n"
        "test_accuracy=0.8450 test_f1=0.8810 test_pearson=-0.0150\n"
    )
    found = {name: float(match[-1]) for name, regex in METRICS.items() if (match := re.findall(regex, log))}
    assert found == {
        "train_loss": 0.1234, "eval_accuracy": 0.869, "eval_f1": 0.904, "eval_pearson": 0.872,
        "test_accuracy": 0.845, "test_f1": 0.881, "test_pearson": -0.015,
    }  # fmt: skip


@pytest.mark.parametrize(("env", "policy", "emptied"), [("dev", "Delete", 1), ("prod", "Retain", 0)])
def test_registry_goes_or_stays_as_configured(assemblies: Assemblies, env: str, policy: str, emptied: int) -> None:
    """A removable registry is emptied first, because SageMaker refuses to delete a full one; production's stays."""
    (group,) = assemblies.resources(env, "training", "AWS::SageMaker::ModelPackageGroup")
    assert group["Properties"]["ModelPackageGroupName"] == f"text-classifier-{env}"
    assert group["DeletionPolicy"] == policy
    assert len(assemblies.resources(env, "training", "Custom::EmptyModelPackageGroup")) == emptied


@pytest.mark.parametrize(("env", "days"), [("local", 7), ("dev", 30), ("prod", 90)])
@pytest.mark.parametrize("stack", ["training", "api"])
def test_logs_are_kept_as_long_as_configured(assemblies: Assemblies, env: str, days: int, stack: str) -> None:
    """No log group keeps its lines for ever."""
    groups = assemblies.resources(env, stack, "AWS::Logs::LogGroup")
    assert {group["Properties"].get("RetentionInDays") for group in groups} == {days}


@pytest.mark.parametrize("stack", ["training", "api"])
def test_every_function_has_its_own_log_group(assemblies: Assemblies, stack: str) -> None:
    """Each Lambda writes into a declared group; none leaves one behind that nobody manages."""
    functions = assemblies.resources("prod", stack, "AWS::Lambda::Function")
    assert functions
    assert all("Ref" in function["Properties"]["LoggingConfig"]["LogGroup"] for function in functions)


def test_model_role_comes_with_its_policy(assemblies: Assemblies) -> None:
    """Role and policy are one resource: a model made between the two could not pull its image."""
    assemblies.assertions("dev", "training").has_resource_properties(
        "AWS::IAM::Role",
        Match.object_like(
            {
                "RoleName": "text-classifier-dev-model",
                "Policies": [Match.object_like({"PolicyName": "model"})],
                "AssumeRolePolicyDocument": {
                    "Statement": [Match.object_like({"Principal": {"Service": "sagemaker.amazonaws.com"}})]
                },
            }
        ),
    )


def test_missing_layer_names_the_remedy(tmp_path: Path) -> None:
    """Synthesis before set-up says which command is missing."""
    with pytest.raises(MissingAssetError, match="make setup"):
        _ = ProjectSources(root=tmp_path).lambda_layer
