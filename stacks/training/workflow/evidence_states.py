"""The middle of the training workflow: the packaged artifact answers the test sentences, and the gate judges them."""

from typing import Any

from stacks.common.states_language import (
    CAUSE,
    NULL,
    State,
    States,
    as_jsonata,
    catch,
    catch_failure,
    lambda_task,
    retry_sagemaker,
    task,
)
from stacks.training.workflow import state_names as names
from stacks.training.workflow.parts import WorkflowParts

_REFUSED = "{% false %}"
# A job that ran and failed is the model's failure, unless SageMaker itself failed or somebody stopped it. A refused
# call, or a job that took too long, is a matter of quotas, rights and machines.
_JOB_FAILED = f"""{{% (
  $said := {as_jsonata(CAUSE)};
  $states.errorOutput.Error = "States.TaskFailed"
    and $not($contains($said, /^(InternalServerError|CapacityError|the job ended as Stop)/))
) %}}"""

# A transform job with a container that hangs is given up after this; scoring 2,000 sentences takes minutes.
_TRANSFORM_SECONDS = 3600


def evidence_states(parts: WorkflowParts) -> States:
    """Return the states that find out which answers are missing, collect them, and judge the model by them."""
    planned = {
        "execution": "{% $states.context.Execution.Name %}",
        "job_name": "{% $training.job_name %}",
        "model_data": "{% $training.model_data %}",
        "output_uri": "{% $training.output_uri %}",
        "image": parts.container.image.uri,
        "environment": parts.environment,
    }
    judged = {name: f"{{% ${name} %}}" for name in ("request", "plan", "scores", "training", "data")}
    return {
        # The new artifact's answers, and maybe the champion's for the same sentences.
        names.PLAN: parts.lambda_task(
            parts.plan_function_arn,
            planned,
            assign={"plan": "{% $states.result.Payload %}", "plans": "{% $plans + 1 %}", "looks": 0},
            then=names.ANSWER,
        ),
        names.ANSWER: {
            "Type": "Map",
            "Items": "{% $plan.to_score %}",
            # One after the other: a new account's quota for transform instances is small.
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": names.CREATE_MODEL,
                "States": _answer_states(parts),
            },
            "Assign": {"scores": "{% $states.result %}"},
            "Catch": catch_failure(),
            "Next": names.JUDGE,
        },
        names.JUDGE: parts.lambda_task(
            parts.judge_function_arn, judged, assign={"verdict": "{% $states.result.Payload %}"}, then=names.LOOK
        ),
    }


def _answer_states(parts: WorkflowParts) -> States:
    """Return the states of one artifact that answers in its serving image; if it can't, they report why."""
    return {
        names.CREATE_MODEL: {
            **parts.sagemaker_task(
                "createModel",
                {
                    "ModelName": "{% $states.input.model_name %}",
                    "ExecutionRoleArn": parts.evidence_role_arn,
                    # The model under judgement reaches nothing; SageMaker brings the sentences and takes the answers.
                    "EnableNetworkIsolation": True,
                    "PrimaryContainer": {
                        "Image": "{% $states.input.image %}",
                        "ModelDataUrl": "{% $states.input.model_data %}",
                        "Environment": "{% $states.input.environment %}",
                    },
                    "Tags": parts.tags,
                },
            ),
            "Output": "{% $states.input %}",
            "Retry": retry_sagemaker(),
            # A refused call may have created a model all the same, when only its answer was lost.
            "Catch": catch(names.DELETE_MODEL, output=_outcome(CAUSE, _REFUSED)),
            "Next": names.TRANSFORM,
        },
        names.TRANSFORM: _transform(parts),
        # Right after the job: what is written there later is not what the model answered.
        names.RECORD_ANSWERS: {
            **lambda_task(parts.partition, parts.keep_function_arn, {"evidence": "{% $states.input.evidence_uri %}"}),
            "Output": {
                "model_name": "{% $states.input.model_name %}",
                "result": {
                    "who": "{% $states.input.who %}",
                    "error": NULL,
                    "asked": "{% true %}",
                    "evidence": "{% $states.result.Payload %}",
                },
            },
            "Catch": catch(names.DELETE_MODEL, output=_outcome(CAUSE, _REFUSED)),
            "Next": names.DELETE_MODEL,
        },
        names.STOP_TRANSFORM: {
            **parts.sagemaker_task("stopTransformJob", {"TransformJobName": "{% $states.input.transform_job_name %}"}),
            "Output": "{% $states.input %}",
            # A job that has ended, or never began, can't be stopped; nor need it be.
            "Catch": catch(names.DELETE_MODEL, output="{% $states.input %}"),
            "Next": names.DELETE_MODEL,
        },
        names.DELETE_MODEL: {
            **parts.sagemaker_task("deleteModel", {"ModelName": "{% $states.input.model_name %}"}),
            "Output": "{% $states.input.result %}",
            # Few and quick retries: there may be no model at all.
            "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 2}],
            # A model costs nothing; whether it could be removed does not affect the verdict.
            "Catch": catch(names.ANSWERED, output="{% $states.input.result %}"),
            "Next": names.ANSWERED,
        },
        names.ANSWERED: {"Type": "Succeed"},
    }


def _transform(parts: WorkflowParts) -> State:
    request = parts.transform_request(
        "{% $states.input.transform_job_name %}",
        model="{% $states.input.model_name %}",
        source="{% $states.input.input_uri %}",
        answers="{% $states.input.output_uri %}",
        machine={"InstanceType": parts.evidence_instance_type, "InstanceCount": 1},
    )
    failed = {**_outcome(CAUSE, _JOB_FAILED), "transform_job_name": "{% $states.input.transform_job_name %}"}
    return {
        **task(parts.partition, "sagemaker:createTransformJob.sync", request),
        "TimeoutSeconds": _TRANSFORM_SECONDS,
        "Output": "{% $states.input %}",
        "Retry": retry_sagemaker(),
        # At a time limit Step Functions stops waiting; the job goes on until it is stopped.
        "Catch": catch(names.STOP_TRANSFORM, output=failed),
        "Next": names.RECORD_ANSWERS,
    }


def _outcome(error: str, asked: str) -> dict[str, Any]:
    """Return what the rest of an item needs; `asked`: whether the model itself was asked, and not only the platform."""
    return {
        "model_name": "{% $states.input.model_name %}",
        "result": {"who": "{% $states.input.who %}", "error": error, "asked": asked},
    }
