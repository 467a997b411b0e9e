"""The middle of the training workflow: the packaged artifact answers the test sentences, and the gate judges them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacks.common.states_language import CAUSE, NULL, as_jsonata, catch, lambda_task, retry_sagemaker

_CREATE = "Create evidence model"
_TRANSFORM = "Transform"
_STOP = "Stop transform job"
_DELETE = "Delete evidence model"
_ANSWERED = "Answered"

_REFUSED = "{% false %}"
# A job that ran and failed speaks of the model, unless SageMaker itself stumbled or somebody stopped it. A call that
# was refused, and a job that took too long, speak of quotas, rights and machines.
_JOB_FAILED = f"""{{% (
  $said := {as_jsonata(CAUSE)};
  $states.errorOutput.Error = "States.TaskFailed"
    and $not($contains($said, /^(InternalServerError|CapacityError|the job ended as Stop)/))
) %}}"""

# A transform job with a container that hangs is given up after this; scoring 2,000 sentences takes minutes.
_TRANSFORM_SECONDS = 3600


def plan_evidence(
    partition: str, function_arn: str, *, image: str, environment: Mapping[str, str], then: str
) -> dict[str, Any]:
    """Find out which answers are missing: the new artifact's, and maybe the champion's for these sentences."""
    payload = {
        "job_name": "{% $training.job_name %}",
        "model_data": "{% $training.model_data %}",
        "output_uri": "{% $training.output_uri %}",
        "image": image,
        "environment": dict(environment),
    }
    assign = {"plan": "{% $states.result.Payload %}", "plans": "{% $plans + 1 %}", "looks": 0}
    return lambda_task(partition, function_arn, payload, assign=assign, then=then)


def answer_sentences(
    partition: str, *, role_arn: str, instance_type: str, tags: Mapping[str, str], then: str
) -> dict[str, Any]:
    """Let each artifact that lacks answers give them in its serving image; what can't answer says why.

    Args:
        partition: AWS partition.
        role_arn: execution role of the models.
        instance_type: instance of a transform job.
        tags: tags of models and jobs.
        then: name of the next state.
    """
    tag_list = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {
        "Type": "Map",
        "Items": "{% $plan.to_score %}",
        # One after the other: a new account's quota for transform instances is small.
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": _CREATE,
            "States": {
                _CREATE: _create_model(partition, role_arn, tag_list),
                _TRANSFORM: _transform(partition, instance_type, tag_list),
                _STOP: _stop_transform(partition),
                _DELETE: _delete_model(partition),
                _ANSWERED: {"Type": "Succeed"},
            },
        },
        "Assign": {"scores": "{% $states.result %}"},
        "Catch": catch(),
        "Next": then,
    }


def judge(partition: str, function_arn: str, *, then: str) -> dict[str, Any]:
    """Compare the answers with the floors and with the champion's."""
    names = ("request", "plan", "scores", "training", "data")
    payload = {name: f"{{% ${name} %}}" for name in names}
    return lambda_task(partition, function_arn, payload, assign={"verdict": "{% $states.result.Payload %}"}, then=then)


def _create_model(partition: str, role_arn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:createModel",
        "Arguments": {
            "ModelName": "{% $states.input.model_name %}",
            "ExecutionRoleArn": role_arn,
            "PrimaryContainer": {
                "Image": "{% $states.input.image %}",
                "ModelDataUrl": "{% $states.input.model_data %}",
                "Environment": "{% $states.input.environment %}",
            },
            "Tags": tags,
        },
        "Output": "{% $states.input %}",
        "Retry": retry_sagemaker(),
        # A refused call may have left a model behind all the same, when only its answer was lost.
        "Catch": catch(_DELETE, _outcome(CAUSE, _REFUSED)),
        "Next": _TRANSFORM,
    }


def _transform(partition: str, instance_type: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    sentences = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "{% $states.input.input_uri %}"}}
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::sagemaker:createTransformJob.sync",
        "Arguments": {
            "TransformJobName": "{% $states.input.transform_job_name %}",
            "ModelName": "{% $states.input.model_name %}",
            "BatchStrategy": "SingleRecord",
            "MaxPayloadInMB": 6,
            "TransformInput": {"DataSource": sentences, "ContentType": "application/json", "SplitType": "Line"},
            "TransformOutput": {
                "S3OutputPath": "{% $states.input.output_uri %}",
                "Accept": "application/json",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": instance_type, "InstanceCount": 1},
            "Tags": tags,
        },
        "TimeoutSeconds": _TRANSFORM_SECONDS,
        "Output": _outcome(NULL, "{% true %}"),
        "Retry": retry_sagemaker(),
        # At a time limit Step Functions stops waiting, not the job.
        "Catch": catch(
            _STOP, {**_outcome(CAUSE, _JOB_FAILED), "transform_job_name": "{% $states.input.transform_job_name %}"}
        ),
        "Next": _DELETE,
    }


def _stop_transform(partition: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:stopTransformJob",
        "Arguments": {"TransformJobName": "{% $states.input.transform_job_name %}"},
        "Output": "{% $states.input %}",
        # A job that has ended, or never began, can't be stopped; nor need it be.
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input %}", "Next": _DELETE}],
        "Next": _DELETE,
    }


def _delete_model(partition: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:sagemaker:deleteModel",
        "Arguments": {"ModelName": "{% $states.input.model_name %}"},
        "Output": "{% $states.input.result %}",
        # Soon and seldom: there may be no model at all.
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2}],
        # A model costs nothing; whether it could be removed is no part of the verdict.
        "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.input.result %}", "Next": _ANSWERED}],
        "Next": _ANSWERED,
    }


def _outcome(error: str, asked: str) -> dict[str, Any]:
    """What removing the model and the map's result need of an item; `asked`: whether the model itself failed."""
    return {
        "model_name": "{% $states.input.model_name %}",
        "result": {"who": "{% $states.input.who %}", "error": error, "asked": asked},
    }
