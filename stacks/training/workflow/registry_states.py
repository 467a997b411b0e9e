"""The end of the training workflow: a model package, the verdict on it, and the news of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from stacks.common.states_language import catch, retry, retry_sagemaker
from stacks.training.job.request import METRICS

# What the registry's metadata can't hold becomes an underscore (pattern of CustomerMetadataProperties).
_METADATA = """$metadata := function($value) {
    $substring($replace($string($value), /[^A-Za-z0-9 _.:\\/=+@-]/, "_"), 0, 256)
  };"""

# Of a job that was started elsewhere only its channel is known, and not even that for sure.
_SOURCE = "$data.source != null ? $data.source : $training.data_source != null ? $training.data_source"

_VERSION = '$split($package_arn, "/")[-1]'


def register_model(
    partition: str,
    *,
    group: str,
    image: str,
    environment: Mapping[str, str],
    code_uri: str,
    code_version: str,
    git_revision: str,
    then: str,
) -> dict[str, Any]:
    """Enter the model into the registry. It waits for an approval: that is a change of its own, which releases.

    Args:
        partition: AWS partition.
        group: model package group.
        image: serving image.
        environment: environment variables of the serving container.
        code_uri: the training code of this deployment; a job with other code doesn't get its version.
        code_version: hash of that code.
        git_revision: recorded beside it; may be empty.
        then: name of the next state.
    """
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:createModelPackage",
        "Arguments": {
            "ModelPackageGroupName": group,
            "ModelPackageDescription": '{% "Made by training job " & $training.job_name %}',
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": image,
                        "ModelDataUrl": "{% $training.model_data %}",
                        # The very bytes that were judged.
                        "ModelDataETag": "{% $plan.challenger.content %}",
                        "Environment": dict(environment),
                    }
                ],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            "ModelMetrics": {
                "ModelQuality": {
                    "Statistics": {"ContentType": "application/json", "S3Uri": "{% $verdict.statistics_uri %}"}
                }
            },
            # How its answers are distributed; the monitoring compares the traffic with it.
            "DriftCheckBaselines": {
                "ModelDataQuality": {
                    "Statistics": {"ContentType": "application/json", "S3Uri": "{% $verdict.baseline_uri %}"}
                }
            },
            "CustomerMetadataProperties": _metadata(code_uri, code_version, git_revision),
        },
        "Assign": {"package_arn": "{% $states.result.ModelPackageArn %}"},
        "Output": {"model_package_arn": "{% $states.result.ModelPackageArn %}"},
        "Retry": retry_sagemaker(repeatable=False),
        "Catch": catch(),
        "Next": then,
    }


def record_verdict(partition: str, *, then: str) -> dict[str, Any]:
    """Approve, reject, or leave it to a person. SageMaker tells of the change, and an approval starts the release."""
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:updateModelPackage",
        "Arguments": {
            "ModelPackageArn": "{% $package_arn %}",
            "ModelApprovalStatus": "{% $verdict.status %}",
            "ApprovalDescription": "{% $verdict.summary %}",
        },
        "Output": {"model_package_arn": "{% $package_arn %}", "status": "{% $verdict.status %}"},
        "Retry": retry_sagemaker("SageMaker.ConflictException"),
        "Catch": catch(),
        "Next": then,
    }


def report_verdict(partition: str, *, topic_arn: str, name: str, then: str) -> dict[str, Any]:
    """Tell the topic's subscribers; the execution's output says the same. A message lost is no run failed.

    Args:
        partition: AWS partition.
        topic_arn: the topic.
        name: what the model is called in the message's subject.
        then: name of the next state.
    """
    output = _output()
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::sns:publish",
        "Arguments": {
            "TopicArn": topic_arn,
            # SNS takes 100 characters; the longest name leaves room.
            "Subject": f'{{% "{name}: model version " & {_VERSION} & " is " & $verdict.status %}}',
            "Message": """{% $join([
  $verdict.summary,
  "",
  "Model package: " & $package_arn,
  "Training job: " & $training.job_name,
  "Report: " & $verdict.report_uri
], "\\n") %}""",
        },
        "Output": output,
        "Retry": retry("SNS.ThrottledException", "SNS.InternalErrorException"),
        "Catch": catch(then, output),
        "Next": then,
    }


def _output() -> dict[str, Any]:
    """The execution's output. What only an ingest knows is null for a job that was trained elsewhere."""
    return {
        "model_package_arn": "{% $package_arn %}",
        "version": f"{{% {_VERSION} %}}",
        "training_job": "{% $training.job_name %}",
        "model_data": "{% $training.model_data %}",
        "data_sha256": "{% $exists($data.data_sha256) ? $data.data_sha256 : null %}",
        "source": f"{{% {_SOURCE} : null %}}",
        "metrics": "{% $training.metrics %}",
        "verdict": "{% $sift($verdict, function($value, $key) { "
        '$key in ["status", "passed", "summary", "report_uri", "numbers"] }) %}',
    }


def _metadata(code_uri: str, code_version: str, git_revision: str) -> str:
    """Where the model comes from and how good it is: one expression, because not every job has every metric.

    Of a job that was started elsewhere only the metrics that our own training logs are taken: any other might break
    the registry's rules, or stand for something it is not.
    """
    ours = "$code = $ours"
    git = f'"git_revision": {ours} ? $metadata("{git_revision}"),\n      ' if git_revision else ""
    return f"""{{% (
  {_METADATA}
  $ours := "{code_uri}";
  $code := $training.code_uri;
  $known := $sift($training.metrics, function($value, $name) {{ $name in {json.dumps(list(METRICS))} }});
  $merge([
    $each($known, function($value, $name) {{ {{ $name: $metadata($round($value, 4)) }} }}),
    {{
      "training_job": $metadata($training.job_name),
      "data_sha256": $metadata($data.data_sha256),
      "data_source": $metadata({_SOURCE}),
      "code_version": $metadata({ours} ? "{code_version}" : $code != null ? $code),
      {git}"hyperparameters": $metadata(
        $join($each($training.hyperparameters, function($value, $name) {{ $name & "=" & $value }}), " ")
      )
    }},
    $verdict.metadata
  ])
) %}}"""
