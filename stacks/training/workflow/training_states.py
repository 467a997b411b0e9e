"""The first half of the training workflow: the checked request, the data, the training job."""

from __future__ import annotations

from typing import Any

from stacks.common.states_language import NULL, as_jsonata, catch, lambda_task, retry_sagemaker
from stacks.training.job.request import JobRecipe, workflow_request

_ANSWER = "{% $states.result.Payload %}"

# The same members that the check of a request finds out about a job that was started elsewhere.
_TRAINED = f"""{{% {
    as_jsonata(
        {
            "job_name": "{% $states.result.TrainingJobName %}",
            "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
            "output_uri": '{% $states.result.OutputDataConfig.S3OutputPath & "/" & $states.result.TrainingJobName '
            '& "/output/output.tar.gz" %}',
            "hyperparameters": "{% $request.hyperparameters %}",
            "code_uri": "{% $states.result.HyperParameters.sagemaker_submit_directory %}",
            "metrics": "{% $merge([$states.result.FinalMetricDataList.{MetricName: Value}]) %}",
            "data_source": "{% $data.train_uri %}",
        }
    )
} %}}"""


def check_input(partition: str, function_arn: str, *, then: str) -> dict[str, Any]:
    """Refuse what can't work before anything is started; fill in the defaults."""
    return lambda_task(
        partition,
        function_arn,
        "{% $states.input %}",
        # All three are read whichever way the execution takes; a job started elsewhere brings `training` along.
        assign={"request": _ANSWER, "training": "{% $states.result.Payload.training %}", "data": NULL, "plans": 0},
        then=then,
    )


def train_or_judge(*, train: str, judge: str) -> dict[str, Any]:
    """Train, unless the request names a job that has already been trained."""
    return {
        "Type": "Choice",
        "Choices": [{"Condition": '{% $request.mode = "judge" %}', "Next": judge}],
        "Default": train,
    }


def ingest(partition: str, function_arn: str, *, then: str) -> dict[str, Any]:
    """Bring the data into the bucket; the job's name goes along into the output, for whoever follows the execution."""
    state = lambda_task(
        partition,
        function_arn,
        {"job_name": "{% $request.job_name %}", "data_source": "{% $request.data_source %}"},
        assign={"data": _ANSWER},
        then=then,
    )
    return state | {"Output": '{% $merge([$states.result.Payload, {"job_name": $request.job_name}]) %}'}


def train(partition: str, recipe: JobRecipe, *, then: str) -> dict[str, Any]:
    """Run the training job and wait for its end."""
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::sagemaker:createTrainingJob.sync",
        "Arguments": workflow_request(recipe),
        "Assign": {"training": _TRAINED},
        "Output": _TRAINED,
        "Retry": retry_sagemaker(),
        "Catch": catch(),
        "Next": then,
    }
