"""The CreateTrainingJob request, for the workflow and for the console's recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.common.states_language import as_jsonata
from stacks.config.environment import TrainingConfig

CHECKPOINTS = "/opt/ml/checkpoints"
"""Where the training container keeps its checkpoints; also the job's own default."""

# Metric name → regex over the job's log lines; SageMaker takes the last match of each as the metric.
METRICS = {
    "train_loss": r"\bloss=([0-9.eE+-]+)",
    "eval_accuracy": r"\beval_accuracy=([0-9.]+)",
    "eval_f1": r"\beval_f1=([0-9.]+)",
    "eval_pearson": r"\beval_pearson=(-?[0-9.]+)",
    "test_accuracy": r"\btest_accuracy=([0-9.]+)",
    "test_f1": r"\btest_f1=([0-9.]+)",
    "test_pearson": r"\btest_pearson=(-?[0-9.]+)",
}

# Makes the container start one process per GPU, or one per instance without GPUs, with torchrun.
_DISTRIBUTED = {"sagemaker_torch_distributed_enabled": "true"}


@dataclass(frozen=True, kw_only=True)
class JobRecipe:
    """What all jobs of an environment have in common. Values may hold CDK tokens."""

    image: str
    role_arn: str
    code_uri: str
    output_uri: str
    """`s3://bucket/folder`; SageMaker appends `/<job>/output/model.tar.gz`."""
    environment: Mapping[str, str]
    tags: Mapping[str, str]
    settings: TrainingConfig

    @property
    def entry_point(self) -> dict[str, str]:
        """Hyperparameters by which the container finds the code; no execution may change them."""
        return {"sagemaker_program": "train.py", "sagemaker_submit_directory": self.code_uri}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What differs between jobs: literals, or expressions that the workflow evaluates."""

    job_name: str
    hyperparameters: Any
    train_uri: str
    test_uri: str
    instance_type: str
    instance_count: Any
    volume_gb: Any
    max_runtime_seconds: Any
    max_wait_seconds: Any
    checkpoints_uri: str


def workflow_request(recipe: JobRecipe) -> str:
    """Return the workflow's request: one expression over its variables `$request` and `$data`.

    It is one expression because an object of expressions can't omit members that only some jobs have.
    """
    compute = "$request.compute"
    own = ["$request.hyperparameters", as_jsonata(recipe.entry_point)]
    own.append(f"{compute}.instance_count > 1 ? {as_jsonata(_DISTRIBUTED)} : {{}}")
    run = Run(
        job_name="{% $request.job_name %}",
        hyperparameters=f"{{% $merge([{', '.join(own)}]) %}}",
        train_uri="{% $data.train_uri %}",
        test_uri="{% $data.test_uri %}",
        instance_type=f"{{% {compute}.instance_type %}}",
        instance_count=f"{{% {compute}.instance_count %}}",
        volume_gb=f"{{% {compute}.volume_gb %}}",
        max_runtime_seconds=f"{{% {compute}.max_runtime_seconds %}}",
        max_wait_seconds=f"{{% {compute}.max_wait_seconds %}}",
        checkpoints_uri=f'{{% "{recipe.output_uri}/" & $request.job_name & "/checkpoints" %}}',
    )
    always, on_spot = as_jsonata(_request(recipe, run)), as_jsonata(_spot_members(run))
    return f"{{% $merge([\n{always},\n{compute}.spot ? {on_spot} : {{}}\n]) %}}"


def recipe_request(recipe: JobRecipe, *, job_name: str, train_uri: str, test_uri: str) -> dict[str, Any]:
    """Return the request of a job that a person starts, with the values that an execution with `{}` would take."""
    settings = recipe.settings
    distributed = _DISTRIBUTED if settings.instance_count > 1 else {}
    run = Run(
        job_name=job_name,
        hyperparameters={**settings.default_hyperparameters, **recipe.entry_point, **distributed},
        train_uri=train_uri,
        test_uri=test_uri,
        instance_type=settings.instance_type,
        instance_count=settings.instance_count,
        volume_gb=settings.volume_gb,
        max_runtime_seconds=settings.max_runtime_minutes * 60,
        # Twice the running time, as an execution that names no limit of its own.
        max_wait_seconds=settings.max_runtime_minutes * 60 * 2,
        checkpoints_uri=f"{recipe.output_uri}/{job_name}/checkpoints",
    )
    return _request(recipe, run) | (_spot_members(run) if settings.spot else {})


def _request(recipe: JobRecipe, run: Run) -> dict[str, Any]:
    return {
        "TrainingJobName": run.job_name,
        "AlgorithmSpecification": {
            "TrainingImage": recipe.image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in METRICS.items()],
        },
        "RoleArn": recipe.role_arn,
        "HyperParameters": run.hyperparameters,
        "InputDataConfig": [_channel("train", run.train_uri), _channel("test", run.test_uri)],
        "OutputDataConfig": {"S3OutputPath": recipe.output_uri},
        "ResourceConfig": {
            "InstanceCount": run.instance_count,
            "InstanceType": run.instance_type,
            "VolumeSizeInGB": run.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": run.max_runtime_seconds},
        "Environment": dict(recipe.environment),
        "Tags": [{"Key": key, "Value": value} for key, value in recipe.tags.items()],
    }


def _spot_members(run: Run) -> dict[str, Any]:
    """Return what a job on spot capacity adds: a longer limit, and a place that outlives an interruption."""
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {
            "MaxRuntimeInSeconds": run.max_runtime_seconds,
            "MaxWaitTimeInSeconds": run.max_wait_seconds,
        },
        "CheckpointConfig": {"S3Uri": run.checkpoints_uri, "LocalPath": CHECKPOINTS},
    }


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }
