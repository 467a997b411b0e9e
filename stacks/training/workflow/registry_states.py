"""The end of the training workflow: the model package, the verdict on it, and the message about both."""

import json
from typing import Any

from stacks.common.states_language import State, States, catch, catch_failure, publish_task, retry_sagemaker
from stacks.training.job.metrics import METRICS
from stacks.training.workflow import state_names as names
from stacks.training.workflow.parts import WorkflowParts

# What the registry's metadata can't hold becomes an underscore (pattern of CustomerMetadataProperties).
_METADATA = """$metadata := function($value) {
    $substring($replace($string($value), /[^A-Za-z0-9 _.:\\/=+@-]/, "_"), 0, 256)
  };"""

# Of a job that was started elsewhere only the channel is known, and perhaps not even that.
_SOURCE = "$data.source != null ? $data.source : $training.data_source != null ? $training.data_source"

_VERSION = '$split($package_arn, "/")[-1]'


def registry_states(parts: WorkflowParts) -> States:
    """Return the states that register the model, record the verdict and report it."""
    output = _output()
    message = """{% $join([
  $verdict.summary,
  "",
  "Model package: " & $package_arn,
  "Training job: " & $training.job_name,
  "Report: " & $verdict.report_uri
], "\\n") %}"""
    return {
        names.REGISTER: _register(parts),
        # SageMaker reports the change of the status, and an approval starts the release.
        names.RECORD: {
            **parts.sagemaker_task(
                "updateModelPackage",
                {
                    "ModelPackageArn": "{% $package_arn %}",
                    "ModelApprovalStatus": "{% $verdict.status %}",
                    "ApprovalDescription": "{% $verdict.summary %}",
                },
            ),
            "Output": {"model_package_arn": "{% $package_arn %}", "status": "{% $verdict.status %}"},
            "Retry": retry_sagemaker("SageMaker.ConflictException"),
            "Catch": catch_failure(),
            "Next": names.REPORT,
        },
        names.REPORT: {
            **publish_task(
                parts.partition,
                parts.topic_arn,
                # SNS takes 100 characters; the longest name leaves room.
                subject=f'{{% "{parts.name}: model version " & {_VERSION} & " is " & $verdict.status %}}',
                message=message,
            ),
            "Output": output,
            # The execution's output says the same, so a lost message does not fail it.
            "Catch": catch(names.DONE, output=output),
            "Next": names.DONE,
        },
        names.DONE: {"Type": "Succeed"},
    }


def _register(parts: WorkflowParts) -> State:
    """Enter the model into the registry, to be approved by a later call: only a change of the status releases."""
    container = {
        "Image": parts.container.image.uri,
        "ModelDataUrl": "{% $training.model_data %}",
        "Environment": parts.environment,
    }
    request = {
        "ModelPackageGroupName": parts.package_group,
        "ModelPackageDescription": '{% "Made by training job " & $training.job_name %}',
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "ModelMetrics": {"ModelQuality": _statistics("{% $verdict.statistics_uri %}")},
        # How its answers are distributed; the monitoring compares the traffic with it.
        "DriftCheckBaselines": {"ModelDataQuality": _statistics("{% $verdict.baseline_uri %}")},
        "CustomerMetadataProperties": _metadata(parts),
    }
    return {
        **parts.sagemaker_task("createModelPackage", request),
        "Assign": {"package_arn": "{% $states.result.ModelPackageArn %}"},
        "Output": {"model_package_arn": "{% $states.result.ModelPackageArn %}"},
        "Retry": retry_sagemaker(repeatable=False),
        "Catch": catch_failure(),
        "Next": names.RECORD,
    }


def _statistics(uri: str) -> dict[str, Any]:
    return {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}


def _output() -> dict[str, Any]:
    """Return the execution's output. What only an ingest knows is null for a job that was started elsewhere."""
    return {
        "model_package_arn": "{% $package_arn %}",
        "version": f"{{% {_VERSION} %}}",
        "training_job": "{% $training.job_name %}",
        "model_data": "{% $training.model_data %}",
        "data_sha256": "{% $exists($data.data_sha256) ? $data.data_sha256 : null %}",
        "source": f"{{% {_SOURCE} : null %}}",
        "metrics": "{% $training.metrics %}",
        "tuned": "{% $exists($training.tuning) ? $training.tuning.values : null %}",
        "verdict": "{% $sift($verdict, function($value, $key) { "
        '$key in ["status", "passed", "summary", "report_uri", "numbers"] }) %}',
    }


def _metadata(parts: WorkflowParts) -> str:
    """Return where the model comes from and how good it is: one expression, because not every job has every metric.

    Only the metrics that our own training logs are taken: any other metric of a job that was started elsewhere might
    break the registry's rules or mean something else. Such a job, if its code is another, doesn't get our version.
    """
    ours = "$code = $ours"
    git = f'"git_revision": {ours} ? $metadata("{parts.git_revision}"),\n      ' if parts.git_revision else ""
    return f"""{{% (
  {_METADATA}
  $ours := "{parts.job.code_uri}";
  $code := $training.code_uri;
  $known := $sift($training.metrics, function($value, $name) {{ $name in {json.dumps(list(METRICS))} }});
  $merge([
    $each($known, function($value, $name) {{ {{ $name: $metadata($round($value, 4)) }} }}),
    {{
      "model_sha256": $training.sha256,
      "training_job": $metadata($training.job_name),
      "data_sha256": $metadata($data.data_sha256),
      "data_source": $metadata({_SOURCE}),
      "code_version": $metadata({ours} ? "{parts.job.code_version}" : $code != null ? $code),
      "code_uri": $metadata($code != null ? $code),
      "training_image": $metadata($training.image),
      {git}"hyperparameters": $metadata(
        $join($each($training.hyperparameters, function($value, $name) {{ $name & "=" & $value }}), " ")
      )
    }},
    $exists($training.tuning) ? {{
      "tuning_job": $training.tuning.job,
      "trials": $count($training.tuning.trials) & " - completed " & $count($training.tuning.trials[status="Completed"])
    }} : {{}},
    $verdict.metadata
  ])
) %}}"""
