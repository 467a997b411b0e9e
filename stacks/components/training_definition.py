"""The training workflow in Amazon States Language (query language JSONata), built as plain data.

Input of an execution: ``{}`` or ``{"data_source": "…", "hyperparameters": {"epochs": "3"}}``; the ingest Lambda checks
it. Output: ``model_package_arn``, ``training_job``, ``model_data``, ``data_sha256``, ``source`` and ``metrics``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stacks.config import TrainingConfig

INGEST = "Ingest data"
TRAIN = "Train"
REGISTER = "Register model"
FAILED = "Report failure"
_RECIPE = "Prepare recipe"

# Task name in the log → regex over the job's log lines; SageMaker makes a metric of the last match of each.
METRICS = {
    "train_loss": r"\bloss=([0-9.eE+-]+)",
    "eval_accuracy": r"\beval_accuracy=([0-9.]+)",
    "eval_f1": r"\beval_f1=([0-9.]+)",
    "eval_pearson": r"\beval_pearson=(-?[0-9.]+)",
    "test_accuracy": r"\btest_accuracy=([0-9.]+)",
    "test_f1": r"\btest_f1=([0-9.]+)",
    "test_pearson": r"\btest_pearson=(-?[0-9.]+)",
}

# The reason as a person would tell it: of a failed job SageMaker's FailureReason, of a failed Lambda its message.
# Both arrive wrapped in JSON; a refused call arrives as plain text.
_CAUSE = """{% (
  $cause := $states.errorOutput.Cause;
  $details := $substring($cause, 0, 1) = "{" ? $parse($cause) : {};
  $exists($details.FailureReason) ? $details.FailureReason
    : $exists($details.errorMessage) ? $details.errorMessage
    : $exists($cause) ? $cause : "no cause was given"
) %}"""

# What the registry's metadata can't hold becomes an underscore (pattern of CustomerMetadataProperties).
_METADATA = """$metadata := function($value) {
    $substring($replace($string($value), /[^A-Za-z0-9 _.:\\/=+@-]/, "_"), 0, 256)
  };"""

# The console starts an execution with a "Comment" in its input unless told otherwise.
_EXECUTION_INPUT = '{% $merge([$sift($states.input, function($value, $key) { $key != "Comment" })]) %}'


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe:
    """What a training job is made of. Values may hold CDK tokens."""

    partition: str
    ingest_function_arn: str
    training_image: str
    inference_image: str
    role_arn: str
    settings: TrainingConfig
    """Instance, limits and the hyperparameters that an execution may override."""
    output_uri: str
    """``s3://bucket/folder``; SageMaker appends ``/<job>/output/model.tar.gz``."""
    code_uri: str
    code_version: str
    git_revision: str
    environment: Mapping[str, str]
    model_package_group: str
    tags: Mapping[str, str]


def training_definition(recipe: TrainingRecipe) -> dict[str, Any]:
    """The whole state machine."""
    return {
        "Comment": "Collects the data, trains, and enters the model into the registry.",
        "QueryLanguage": "JSONata",
        "StartAt": _RECIPE,
        # Collecting and registering take minutes at most; the job has its own limit.
        "TimeoutSeconds": recipe.settings.max_runtime_minutes * 60 + 3600,
        "States": {
            _RECIPE: _prepare_recipe(recipe),
            INGEST: _ingest(recipe),
            TRAIN: _train(recipe),
            REGISTER: _register(recipe),
            FAILED: {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}"},
        },
    }


def _catch() -> list[dict[str, Any]]:
    return [
        {
            "ErrorEquals": ["States.ALL"],
            "Output": {"Error": "{% $states.errorOutput.Error %}", "Cause": _CAUSE},
            "Next": FAILED,
        }
    ]


def _prepare_recipe(recipe: TrainingRecipe) -> dict[str, Any]:
    return {
        "Type": "Pass",
        "Comment": "What an execution may override, and what it may not.",
        "Assign": {
            "defaults": recipe.settings.default_hyperparameters,
            "fixed": {"sagemaker_program": "train.py", "sagemaker_submit_directory": recipe.code_uri},
        },
        "Next": INGEST,
    }


def _ingest(recipe: TrainingRecipe) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{recipe.partition}:states:::lambda:invoke",
        "Arguments": {"FunctionName": recipe.ingest_function_arn, "Payload": _EXECUTION_INPUT},
        "Assign": {
            "data": "{% $states.result.Payload %}",
            "hyperparameters": "{% $merge([$defaults, $states.result.Payload.hyperparameters]) %}",
        },
        "Output": "{% $states.result.Payload %}",
        "Retry": [
            {
                "ErrorEquals": [
                    "Lambda.ServiceException",
                    "Lambda.AWSLambdaException",
                    "Lambda.SdkClientException",
                    "Lambda.TooManyRequestsException",
                ],
                "IntervalSeconds": 2,
                "MaxAttempts": 4,
                "BackoffRate": 2,
            }
        ],
        "Catch": _catch(),
        "Next": TRAIN,
    }


def _train(recipe: TrainingRecipe) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{recipe.partition}:states:::sagemaker:createTrainingJob.sync",
        "Arguments": {
            "TrainingJobName": "{% $data.job_name %}",
            "AlgorithmSpecification": {
                "TrainingImage": recipe.training_image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in METRICS.items()],
            },
            "RoleArn": recipe.role_arn,
            "HyperParameters": "{% $merge([$hyperparameters, $fixed]) %}",
            "InputDataConfig": [_channel("train"), _channel("test")],
            "OutputDataConfig": {"S3OutputPath": recipe.output_uri},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": recipe.settings.instance_type,
                "VolumeSizeInGB": recipe.settings.volume_gb,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": recipe.settings.max_runtime_minutes * 60},
            "Environment": dict(recipe.environment),
            "Tags": [{"Key": key, "Value": value} for key, value in recipe.tags.items()],
        },
        "Catch": _catch(),
        "Next": REGISTER,
    }


def _channel(name: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": f"{{% $data.{name}_uri %}}",
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _register(recipe: TrainingRecipe) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{recipe.partition}:states:::aws-sdk:sagemaker:createModelPackage",
        "Arguments": {
            "ModelPackageGroupName": recipe.model_package_group,
            "ModelPackageDescription": "{% 'Made by training job ' & $data.job_name %}",
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": recipe.inference_image,
                        "ModelDataUrl": "{% $states.input.ModelArtifacts.S3ModelArtifacts %}",
                        "Environment": {"HF_TASK": "text-classification", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
                    }
                ],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            "CustomerMetadataProperties": _metadata(recipe),
        },
        "Output": {
            "model_package_arn": "{% $states.result.ModelPackageArn %}",
            "training_job": "{% $data.job_name %}",
            "model_data": "{% $states.input.ModelArtifacts.S3ModelArtifacts %}",
            "data_sha256": "{% $data.data_sha256 %}",
            "source": "{% $data.source %}",
            "metrics": "{% $merge([$states.input.FinalMetricDataList.{MetricName: Value}]) %}",
        },
        "Catch": _catch(),
        "End": True,
    }


def _metadata(recipe: TrainingRecipe) -> str:
    """Where the model comes from and how good it is: one expression, because the metrics' names come from the job."""
    git = f', "git_revision": $metadata("{recipe.git_revision}")' if recipe.git_revision else ""
    return f"""{{% (
  {_METADATA}
  $merge([
    {{
      "training_job": $metadata($data.job_name),
      "data_sha256": $metadata($data.data_sha256),
      "data_source": $metadata($data.source),
      "code_version": $metadata("{recipe.code_version}"){git},
      "hyperparameters": $metadata(
        $join($each($hyperparameters, function($value, $name) {{ $name & "=" & $value }}), " ")
      )
    }},
    $states.input.FinalMetricDataList.{{MetricName: $metadata($round(Value, 4))}}
  ])
) %}}"""
