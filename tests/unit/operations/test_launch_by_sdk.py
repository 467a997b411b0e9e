"""The SageMaker SDK's launcher: what it takes over from the recipe that the stack wrote down."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from operations.verbs.model.training import trainer
from stubbed_deployment import CREDENTIALS, StubbedDeployment

OUTPUTS = {"TrainingRecipeParameter": "recipe", "DataBucket": "data"}
METRICS = [{"Name": "train_loss", "Regex": "loss=([0-9.]+)"}]
CODE = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://assets/code.tar.gz"}
NETWORK = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}


class Deployed(StubbedDeployment):
    """A deployment whose stacks have these outputs."""

    def output(self, name: str) -> str:
        return OUTPUTS[name]


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The launcher sets variables, which later tests shall not see."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def launched(**members: Any) -> Any:
    """The launcher of a deployment whose recipe has these members."""
    import boto3

    channels = {"train": "s3://data/latest/train/", "test": "s3://data/latest/test/", **members.pop("channels", {})}
    recipe = {
        "AlgorithmSpecification": {"TrainingImage": "training:1", "MetricDefinitions": METRICS},
        "RoleArn": "arn:aws:iam::111122223333:role/training",
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 50},
        "HyperParameters": {"base_model": "channel:base_model", **CODE},
        "OutputDataConfig": {"S3OutputPath": "s3://artifacts/training"},
        "InputDataConfig": [
            {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": uri}}} for name, uri in channels.items()
        ],
        "Environment": {"HF_HUB_OFFLINE": "1"},
        **members,
    }
    deployment = Deployed("dev", boto3.Session(**CREDENTIALS), None)
    deployment.answer("ssm", "get_parameter", {"Parameter": {"Value": json.dumps(recipe)}})
    return trainer(deployment, {"base_model": "my model"})


def test_an_isolated_job_is_in_the_network_and_gets_the_base_model() -> None:
    """Network and further channels are the recipe's; train and test are what was uploaded from here."""
    made = launched(VpcConfig=NETWORK, channels={"base_model": "s3://data/base-model/"})
    assert (made.networking.subnets, made.networking.security_group_ids) == (["subnet-1", "subnet-2"], ["sg-1"])
    assert {one.channel_name: one.data_source for one in made.input_data_config} == {
        "train": "s3://data/datasets/terminal/train/",
        "test": "s3://data/datasets/terminal/test/",
        "base_model": "s3://data/base-model/",
    }


def test_the_job_is_the_recipes() -> None:
    """Image, role, machines and code are the recipe's; a hyperparameter that was given replaces its own, encoded."""
    made = launched()
    assert (made.training_image, made.role) == ("training:1", "arn:aws:iam::111122223333:role/training")
    machines = (made.compute.instance_type, made.compute.instance_count, made.compute.volume_size_in_gb)
    assert machines == ("ml.m5.xlarge", 2, 50)
    assert made.hyperparameters == {"base_model": "percent:my%20model", **CODE}


def test_an_ordinary_job_is_in_no_network() -> None:
    """Without a network in the recipe the job names none."""
    made = launched()
    assert not (made.networking and made.networking.subnets)
    assert [one.channel_name for one in made.input_data_config] == ["train", "test"]


def test_sagemaker_reads_the_same_metrics_from_the_log() -> None:
    """The metric definitions are the recipe's."""
    assert [one.model_dump(by_alias=False) for one in launched()._metric_definitions] == [
        {"name": one["Name"], "regex": one["Regex"]} for one in METRICS
    ]
