"""Training: the workflow, its functions, the code it runs and the registry it fills."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template
from policies import Need, allows, missing, statements_of
from states_interpreter import evaluate
from template_values import TemplateValues
from workflow_samples import INGESTED, REQUEST

from classifier.job.hyperparameters import Hyperparameters
from launch.settings import Settings as LaunchSettings
from operations.verbs.model.training import PREFIX as UPLOADED
from stacks.common.project_sources import ProjectSources
from stacks.common.project_stack import ProjectStack
from stacks.config.environment import load_config
from stacks.errors import MissingAssetError
from stacks.training.job.metrics import METRICS
from stacks.training.notifications import notification_topic

if TYPE_CHECKING:
    from conftest import Assemblies


def definition(assemblies: Assemblies, env: str) -> dict[str, Any]:
    """The state machine's definition, references written as `<…>`."""
    machine = assemblies.machine(env, "training")
    loaded: dict[str, Any] = json.loads(joined(machine["Properties"]["DefinitionString"]))
    return loaded


def request(assemblies: Assemblies, env: str) -> dict[str, Any]:
    """The request of a training job as the deployed workflow makes it."""
    arguments = definition(assemblies, env)["States"]["Train"]["Arguments"]
    made: dict[str, Any] = evaluate(arguments, {}, {"request": REQUEST, "data": INGESTED})
    return made


def joined(value: Any) -> str:
    """A template's text, references written as `<…>`."""
    parts = value["Fn::Join"][1] if isinstance(value, dict) and "Fn::Join" in value else [value]
    return "".join(part if isinstance(part, str) else f"<{json.dumps(part)}>".replace('"', "'") for part in parts)


def variables(assemblies: Assemblies, env: str, name: str) -> dict[str, str]:
    """A function's environment variables."""
    functions = assemblies.resources(env, "training", "AWS::Lambda::Function")
    (found,) = [f for f in functions if f["Properties"].get("FunctionName") == f"text-classifier-{env}-{name}"]
    given = found["Properties"]["Environment"]["Variables"]
    return {key: joined(value) for key, value in given.items()}


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
    assert request(assemblies, env)["Environment"] == environment


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_code_uri_ends_as_the_toolkit_wants_it(assemblies: Assemblies, env: str) -> None:
    """The submit directory is a `.tar.gz` (the toolkit takes anything else for a folder), and what operations get."""
    uri = request(assemblies, env)["HyperParameters"]["sagemaker_submit_directory"]
    assert uri.startswith("s3://") and uri.endswith(".tar.gz")
    assert uri.rpartition("/")[2] in json.dumps(assemblies.template(env, "training")["Outputs"]["TrainingCodeUri"])


def test_tarball_holds_the_job_and_is_named_by_its_content(assemblies: Assemblies) -> None:
    """What is uploaded has train.py at its root, and its key is the hash of what is inside."""
    manifest = json.loads((assemblies.folder / "dev" / "text-classifier-dev-training.assets.json").read_text())
    (asset,) = [file for file in manifest["files"].values() if file["source"]["path"].endswith(".tar.gz")]
    tarball = assemblies.folder / "dev" / asset["source"]["path"]
    with tarfile.open(tarball) as archive:
        assert {"train.py", "requirements.txt", "classifier/errors.py"} <= set(archive.getnames())
    content = hashlib.sha256(gzip.decompress(tarball.read_bytes())).hexdigest()
    assert {destination["objectKey"] for destination in asset["destinations"].values()} == {f"{content}.tar.gz"}


def test_environments_share_one_tarball(assemblies: Assemblies) -> None:
    """The same source gives the same code version in every environment."""
    versions = {
        env: request(assemblies, env)["HyperParameters"]["sagemaker_submit_directory"]
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
                    }
                },
            }
        ),
    )


@pytest.mark.parametrize("place", ["source/", UPLOADED])
def test_ingest_reads_where_data_is_uploaded(assemblies: Assemblies, place: str) -> None:
    """Below source/, and where `make train DATA=…` puts its files; the latest set is tidied, nothing else deleted."""
    values = TemplateValues(assemblies.template("dev", "training"), [assemblies.template("dev", "storage")])
    statements = statements_of(values, "arn:aws:iam::111122223333:role/text-classifier-dev-ingest")
    bucket, latest = "arn:aws:s3:::data", "arn:aws:s3:::data/datasets/latest/train/train.csv"
    listing = [Need("s3:ListBucket", bucket, {"s3:prefix": one}) for one in (place, "datasets/latest/train/")]
    assert missing(statements, [*listing, Need("s3:GetObject", f"{bucket}/{place}train.csv")]) == []
    assert allows(statements, Need("s3:DeleteObject", latest))
    assert not allows(statements, Need("s3:DeleteObject", f"{bucket}/{place}train.csv"))
    assert not allows(statements, Need("s3:ListBucket", bucket, {"s3:prefix": ""}))


@pytest.mark.parametrize(
    ("variant", "env", "place", "key"),
    [("slim", "dev", "2026/", "2026/train.csv"), ("instances", "prod", "2026/tickets.csv/", "2026/tickets.csv")],
)
def test_ingest_may_read_a_configured_bucket(
    assemblies: Assemblies, variant: str, env: str, place: str, key: str
) -> None:
    """A configured folder, or a single object, of another bucket can be read and listed, and nothing else there."""
    values = TemplateValues(assemblies.template(variant, "training"), [assemblies.template(variant, "storage")])
    statements = statements_of(values, f"arn:aws:iam::111122223333:role/text-classifier-{env}-ingest")
    bucket = "arn:aws:s3:::example-tickets"
    listing = Need("s3:ListBucket", bucket, {"s3:prefix": place})
    assert missing(statements, [Need("s3:GetObject", f"{bucket}/{key}"), listing]) == []
    assert not allows(statements, Need("s3:ListBucket", bucket, {"s3:prefix": ""}))
    assert not allows(statements, Need("s3:GetObject", f"{bucket}/2025/tickets.csv"))
    assert not allows(statements, Need("s3:PutObject", f"{bucket}/{key}"))


@pytest.mark.parametrize(("env", "approval"), [("local", "auto"), ("dev", "auto"), ("prod", "manual")])
def test_launch_function_understands_its_defaults(assemblies: Assemblies, env: str, approval: str) -> None:
    """The launch function accepts what the configuration gives it, and production leaves approvals to a person."""
    given = variables(assemblies, env, "launch")
    settings = LaunchSettings.from_environment(given | {"ARTIFACTS_URI": "s3://bucket/training"})
    assert given["ARTIFACTS_URI"].endswith("/training") and given["ARTIFACTS_URI"].startswith("s3://")
    assert settings.defaults.approval == approval
    assert settings.defaults.gate == {"min_accuracy": "auto", "min_f1": "auto", "margin": 0.0275}
    assert settings.job_name_prefix == f"text-classifier-{env}"


@pytest.mark.parametrize("name", ["gate-plan", "gate-judge"])
def test_gate_knows_champion_and_evidence(assemblies: Assemblies, name: str) -> None:
    """Both functions are told where evidence lies, and whose parameter names the champion."""
    given = variables(assemblies, "dev", name)
    told = ("EVIDENCE_PREFIX", "SERVING_STACK", "PREFIX", "MODEL_PACKAGE_GROUP", "POWERTOOLS_SERVICE_NAME")
    names = ("evidence", "text-classifier-dev-serving", "text-classifier-dev", "text-classifier-dev", "gate")
    assert tuple(given[key] for key in told) == names
    assert given["ARTIFACTS_BUCKET"]


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_recipe_is_the_workflows_request_with_other_data(assemblies: Assemblies, env: str) -> None:
    """The deployed recipe is the deployed workflow's request; only the name and the channels are its own."""
    (parameter,) = assemblies.resources(env, "training", "AWS::SSM::Parameter")
    by_hand = json.loads(joined(parameter["Properties"]["Value"]))
    settings = LaunchSettings.from_environment(
        variables(assemblies, env, "launch") | {"ARTIFACTS_URI": "s3://bucket/training"}
    ).defaults
    compute = {**settings.compute, "max_runtime_seconds": settings.compute["max_runtime_minutes"] * 60}
    checked = REQUEST | {"hyperparameters": settings.hyperparameters, "compute": compute}
    arguments = definition(assemblies, env)["States"]["Train"]["Arguments"]
    by_workflow = evaluate(arguments, {}, {"request": checked, "data": INGESTED})
    own = {"TrainingJobName", "InputDataConfig"}
    assert set(by_hand) == set(by_workflow)
    assert {key: by_hand[key] for key in set(by_hand) - own} == {key: by_workflow[key] for key in set(by_hand) - own}
    channels = [channel["DataSource"]["S3DataSource"].pop("S3Uri") for channel in by_hand["InputDataConfig"]]
    assert [uri.partition(">")[2] for uri in channels] == ["/datasets/latest/train/", "/datasets/latest/test/"]
    for channel in by_workflow["InputDataConfig"]:
        del channel["DataSource"]["S3DataSource"]["S3Uri"]
    assert by_hand["InputDataConfig"] == by_workflow["InputDataConfig"]


def test_recipe_fits_into_a_standard_parameter(assemblies: Assemblies) -> None:
    """Up to 4 kB a parameter costs nothing; a longer one is stored all the same."""
    (parameter,) = assemblies.resources("prod", "training", "AWS::SSM::Parameter")
    assert len(joined(parameter["Properties"]["Value"])) < 4000
    assert parameter["Properties"]["Tier"] == "Intelligent-Tiering"


def test_topic_takes_messages_over_tls_only(assemblies: Assemblies) -> None:
    """Nobody publishes in the clear."""
    assemblies.assertions("prod", "training").has_resource_properties(
        "AWS::SNS::TopicPolicy",
        Match.object_like(
            {
                "PolicyDocument": {
                    "Statement": Match.array_with(
                        [Match.object_like({"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}})]
                    )
                }
            }
        ),
    )
    (topic,) = assemblies.resources("prod", "training", "AWS::SNS::Topic")
    assert topic["Properties"]["TopicName"] == "text-classifier-prod-notifications"


@pytest.mark.parametrize(("email", "subscribed"), [("", 0), ("ml@example.com", 1)])
def test_address_is_subscribed_where_there_is_one(cdk_context: dict[str, Any], email: str, subscribed: int) -> None:
    """A configured address is subscribed to the topic; without one nobody is."""
    config = load_config({**cdk_context, "notifications.email": email}.get, {})
    stack = ProjectStack(App(), "part", config=config)
    notification_topic(stack, names=stack.names, settings=config.notifications)
    Template.from_stack(stack).resource_count_is("AWS::SNS::Subscription", subscribed)


@pytest.mark.parametrize("env", ["local", "dev", "prod"])
def test_default_hyperparameters_are_valid_for_the_job(assemblies: Assemblies, env: str) -> None:
    """What cdk.json gives a job, the job accepts."""
    output = assemblies.template(env, "training")["Outputs"]["DefaultHyperparameters"]["Value"]
    assert Hyperparameters.parse(json.loads(output)).base_model


def test_metrics_are_found_in_the_jobs_log() -> None:
    """The metric definitions read the job's log lines, and the prefixes of their names don't get mixed up."""
    log = (
        "epoch=1.25 step=120/500 loss=0.1234 eta=95s\n"
        "epoch=2.00 eval_accuracy=0.8000 eval_f1=0.9000 eval_loss=0.2345\n"
        "eval_accuracy=0.8690 eval_f1=0.9040 eval_pearson=0.8720\n"
        "test_accuracy=0.8450 test_f1=0.8810 test_pearson=-0.0150\n"
    )
    found = {name: float(match[-1]) for name, regex in METRICS.items() if (match := re.findall(regex, log))}
    assert found == {
        "train_loss": 0.1234,
        "eval_loss": 0.2345,
        "eval_accuracy": 0.869,
        "eval_f1": 0.904,
        "eval_pearson": 0.872,
        "test_accuracy": 0.845,
        "test_f1": 0.881,
        "test_pearson": -0.015,
    }


@pytest.mark.parametrize(("env", "policy", "emptied"), [("dev", "Delete", 1), ("prod", "RetainExceptOnCreate", 0)])
def test_registry_goes_or_stays_as_configured(assemblies: Assemblies, env: str, policy: str, emptied: int) -> None:
    """A removable registry is emptied first, because SageMaker refuses to delete a full one; production's stays."""
    (group,) = assemblies.resources(env, "training", "AWS::SageMaker::ModelPackageGroup")
    assert group["Properties"]["ModelPackageGroupName"] == f"text-classifier-{env}"
    assert group["DeletionPolicy"] == policy
    assert len(assemblies.resources(env, "training", "Custom::EmptyModelPackageGroup")) == emptied


@pytest.mark.parametrize(("env", "days"), [("local", 7), ("dev", 30), ("prod", 90)])
@pytest.mark.parametrize("stack", ["training", "release", "api"])
def test_logs_are_kept_as_long_as_configured(assemblies: Assemblies, env: str, days: int, stack: str) -> None:
    """No log group keeps its lines for ever."""
    groups = assemblies.resources(env, stack, "AWS::Logs::LogGroup")
    assert {group["Properties"].get("RetentionInDays") for group in groups} == {days}


@pytest.mark.parametrize("stack", ["training", "release", "api"])
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
        ProjectSources(root=tmp_path).assembled("lambda-layer")
