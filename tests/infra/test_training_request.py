"""The CreateTrainingJob request: valid, spot and several instances only when asked for, and the same by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from states_interpreter import evaluate, execute
from training_state_names import CHECK, TRAIN
from workflow_samples import CODE, CONTEXT, INGESTED, JOB, PARTS, REQUEST, all_is_well, answers

from stacks.config.environment import TrainingConfig
from stacks.training.job.console_recipe import JOB_NAME
from stacks.training.job.request import recipe_request, workflow_request
from stacks.training.workflow.definition import training_definition

SPOT = {"spot": True, "max_wait_seconds": 14400}
MEMBERS_OF_SPOT = {"EnableManagedSpotTraining", "CheckpointConfig"}


def request(**compute: Any) -> dict[str, Any]:
    asked = REQUEST | {"compute": REQUEST["compute"] | compute}
    execution = execute(training_definition(PARTS), {}, all_is_well() | {CHECK: answers(asked)}, CONTEXT)
    made: dict[str, Any] = execution.arguments(TRAIN)
    return made


@pytest.mark.parametrize("compute", [{}, SPOT, {"instance_count": 4}, {"instance_count": 2, **SPOT}])
def test_request_is_valid(assert_valid: Callable[[str, str, Any], None], compute: dict[str, Any]) -> None:
    """Whatever is asked for, the job's request has the shape of SageMaker's API."""
    assert_valid("sagemaker", "CreateTrainingJob", request(**compute))


def test_request_takes_what_was_checked() -> None:
    """Name, instance, limits and data are the ones that the check and the ingest gave."""
    made = request(instance_type="ml.p3.2xlarge", instance_count=2, volume_gb=99, max_runtime_seconds=60)
    assert made["TrainingJobName"] == JOB
    assert made["ResourceConfig"] == {"InstanceType": "ml.p3.2xlarge", "InstanceCount": 2, "VolumeSizeInGB": 99}
    assert made["StoppingCondition"] == {"MaxRuntimeInSeconds": 60}
    channels = {c["ChannelName"]: c["DataSource"]["S3DataSource"]["S3Uri"] for c in made["InputDataConfig"]}
    assert channels == {"train": INGESTED["train_uri"], "test": INGESTED["test_uri"]}


def test_an_isolated_job_has_its_network_and_the_base_model() -> None:
    """The workflow's expression puts network and channel into the request as the recipe holds them."""
    network = {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}}
    isolated = dataclasses.replace(PARTS.job, network=network, base_model_uri="s3://data/base-model/")
    made = evaluate(workflow_request(isolated), {}, {"request": REQUEST, "data": INGESTED})
    assert made["VpcConfig"] == network["VpcConfig"]
    assert made["InputDataConfig"][2]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://data/base-model/"


def test_job_on_demand_has_nothing_of_spot() -> None:
    """Without spot no member of it is there: SageMaker would upload checkpoints that nobody needs."""
    assert not MEMBERS_OF_SPOT & set(request())


def test_spot_job_waits_and_keeps_checkpoints() -> None:
    """A spot job has its longer limit and a place for checkpoints that outlives an interruption, one for each job."""
    made = request(**SPOT)
    assert made["EnableManagedSpotTraining"] is True
    assert made["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200, "MaxWaitTimeInSeconds": 14400}
    assert made["CheckpointConfig"] == {
        "S3Uri": f"s3://artifacts/training/{JOB}/checkpoints",
        "LocalPath": "/opt/ml/checkpoints",
    }


@pytest.mark.parametrize(("instances", "distributed"), [(1, None), (2, "true")])
def test_several_instances_train_together(instances: int, distributed: str | None) -> None:
    """More than one instance is started through torch's launcher; a single one is not."""
    made = request(instance_count=instances)["HyperParameters"]
    assert made.get("sagemaker_torch_distributed_enabled") == distributed


def test_hyperparameters_are_the_checked_ones_and_the_code() -> None:
    """What the check merged, then what makes the container find the code."""
    assert request()["HyperParameters"] == {
        **REQUEST["hyperparameters"],
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": CODE,
    }


def test_entry_point_can_not_be_overridden() -> None:
    """Even if the check let it through, an execution can't make the job run other code."""
    given = REQUEST | {"hyperparameters": {"sagemaker_submit_directory": "s3://elsewhere/code.tar.gz"}}
    made = evaluate(workflow_request(PARTS.job), {}, {"request": given, "data": INGESTED})
    assert made["HyperParameters"]["sagemaker_submit_directory"] == CODE


@pytest.mark.parametrize("spot", [False, True])
@pytest.mark.parametrize("instances", [1, 3])
def test_recipe_is_the_workflows_own_request(spot: bool, instances: int) -> None:
    """A job started by hand from the recipe differs from an execution's with `{}` in its name and channels alone."""
    settings = TrainingConfig(
        base_model="some/model", spot=spot, instance_count=instances, hyperparameters={"epochs": "3"}
    )
    recipe = dataclasses.replace(PARTS.job, settings=settings, environment={"HF_HUB_OFFLINE": "1"})
    seconds = settings.max_runtime_minutes * 60
    checked = REQUEST | {
        "job_name": "a-name",
        "hyperparameters": settings.default_hyperparameters,
        "compute": {
            "instance_type": settings.instance_type,
            "instance_count": instances,
            "volume_gb": settings.volume_gb,
            "max_runtime_seconds": seconds,
            "spot": spot,
            "max_wait_seconds": 2 * seconds if spot else None,
        },
    }
    by_workflow = evaluate(workflow_request(recipe), {}, {"request": checked, "data": INGESTED})
    by_hand = recipe_request(recipe, job_name="a-name", train_uri=INGESTED["train_uri"], test_uri=INGESTED["test_uri"])
    assert by_hand == by_workflow


def test_recipe_says_that_it_needs_a_name(assert_valid: Callable[[str, str, Any], None]) -> None:
    """The name to be replaced is one that the console takes, so that nothing else has to be mended."""
    made = recipe_request(PARTS.job, job_name=JOB_NAME, train_uri="s3://data/train/", test_uri="s3://data/test/")
    assert_valid("sagemaker", "CreateTrainingJob", made)
    assert made["TrainingJobName"] == "REPLACE-WITH-A-NAME"
