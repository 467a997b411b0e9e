"""The CreateTrainingJob request, for the workflow and for the console's recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stacks.common.states_language import as_jsonata
from stacks.config.environment import TrainingConfig
from stacks.training.job.metrics import METRIC_DEFINITIONS

CHECKPOINTS = "/opt/ml/checkpoints"
"""Where the training container keeps its checkpoints; also the job's own default."""

# Makes the container start one process per GPU, or one per instance without GPUs, with torchrun.
_DISTRIBUTED = {"sagemaker_torch_distributed_enabled": "true"}

_COMPUTE = ("instance_type", "instance_count", "volume_gb", "max_runtime_seconds", "max_wait_seconds")


@dataclass(frozen=True, kw_only=True)
class JobRecipe:
    """What all jobs of an environment have in common. Values may hold CDK tokens."""

    image: str
    role_arn: str
    code_uri: str
    """`s3://…tar.gz`, the value of `sagemaker_submit_directory`."""
    code_version: str
    """SHA-256 (hex) of the code's content."""
    output_uri: str
    """`s3://bucket/folder`; SageMaker appends `/<job>/output/model.tar.gz`."""
    output_key: Mapping[str, str] = field(default_factory=dict)
    """Member `KmsKeyId` of a job's output; empty where the bucket needs no key of ours."""
    network: Mapping[str, Any] = field(default_factory=dict)
    """Member `VpcConfig` of an isolated job; else empty."""
    base_model_uri: str = ""
    """`s3://bucket/folder` of the channel with the base model; empty where jobs get it elsewhere."""
    environment: Mapping[str, str]
    tags: Mapping[str, str]
    settings: TrainingConfig

    @property
    def entry_point(self) -> dict[str, str]:
        """Hyperparameters by which the container finds the code; no execution may change them."""
        return {"sagemaker_program": "train.py", "sagemaker_submit_directory": self.code_uri}

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """Tags of models and jobs, as SageMaker takes them."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]


def workflow_request(recipe: JobRecipe) -> str:
    """Return the workflow's request: one expression over its variables `$request` and `$data`.

    It is one expression because an object of expressions can't omit members that only some jobs have.
    """
    compute = {name: f"{{% $request.compute.{name} %}}" for name in _COMPUTE}
    own = ["$request.hyperparameters", as_jsonata(recipe.entry_point)]
    own.append(f"$request.compute.instance_count > 1 ? {as_jsonata(_DISTRIBUTED)} : {{}}")
    always = _request(
        recipe,
        compute,
        job_name="{% $request.job_name %}",
        hyperparameters=f"{{% $merge([{', '.join(own)}]) %}}",
        train_uri="{% $data.train_uri %}",
        test_uri="{% $data.test_uri %}",
    )
    on_spot = _spot_members(compute, f'{{% "{recipe.output_uri}/" & $request.job_name & "/checkpoints" %}}')
    return f"{{% $merge([\n{as_jsonata(always)},\n$request.compute.spot ? {as_jsonata(on_spot)} : {{}}\n]) %}}"


def recipe_request(recipe: JobRecipe, *, job_name: str, train_uri: str, test_uri: str) -> dict[str, Any]:
    """Return the request of a job that a person starts, with the values that an execution with `{}` would take."""
    settings = recipe.settings
    seconds = settings.max_runtime_minutes * 60
    # An execution that names no limit of its own waits twice the running time, too.
    compute = settings.model_dump() | {"max_runtime_seconds": seconds, "max_wait_seconds": 2 * seconds}
    distributed = _DISTRIBUTED if settings.instance_count > 1 else {}
    request = _request(
        recipe,
        compute,
        job_name=job_name,
        hyperparameters={**settings.default_hyperparameters, **recipe.entry_point, **distributed},
        train_uri=train_uri,
        test_uri=test_uri,
    )
    on_spot = _spot_members(compute, f"{recipe.output_uri}/{job_name}/checkpoints") if settings.spot else {}
    return request | on_spot


def _request(
    recipe: JobRecipe, compute: Mapping[str, Any], *, job_name: str, hyperparameters: Any, train_uri: str, test_uri: str
) -> dict[str, Any]:
    """Return what every job has; the values that differ are literals, or expressions that the workflow evaluates."""
    channels = {"train": train_uri, "test": test_uri, "base_model": recipe.base_model_uri}
    return {
        "TrainingJobName": job_name,
        "AlgorithmSpecification": {
            "TrainingImage": recipe.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": METRIC_DEFINITIONS,
        },
        "RoleArn": recipe.role_arn,
        "HyperParameters": hyperparameters,
        "InputDataConfig": [_channel(name, uri) for name, uri in channels.items() if uri],
        "OutputDataConfig": {"S3OutputPath": recipe.output_uri, **recipe.output_key},
        "ResourceConfig": {
            "InstanceCount": compute["instance_count"],
            "InstanceType": compute["instance_type"],
            "VolumeSizeInGB": compute["volume_gb"],
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": compute["max_runtime_seconds"]},
        **recipe.network,
        "Environment": dict(recipe.environment),
        "Tags": recipe.tag_list,
    }


def _spot_members(compute: Mapping[str, Any], checkpoints_uri: str) -> dict[str, Any]:
    """Return what a job on spot capacity adds: a longer limit, and a place that outlives an interruption."""
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {
            "MaxRuntimeInSeconds": compute["max_runtime_seconds"],
            "MaxWaitTimeInSeconds": compute["max_wait_seconds"],
        },
        "CheckpointConfig": {"S3Uri": checkpoints_uri, "LocalPath": CHECKPOINTS},
    }


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }
