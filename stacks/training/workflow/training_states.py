"""The first half of the training workflow: the checked request, the data, the training job, the kept archive."""

from stacks.common.states_language import (
    NULL,
    State,
    States,
    as_jsonata,
    catch_failure,
    choose,
    retry_sagemaker,
    task,
    when,
)
from stacks.training.job.request import workflow_request
from stacks.training.workflow import state_names as names
from stacks.training.workflow.parts import WorkflowParts

_ANSWER = "{% $states.result.Payload %}"


def trained(hyperparameters: str, **more: str) -> str:
    """Return the description of a job from what SageMaker says of it; the check of a request finds out the same."""
    description = {
        "job_name": "{% $states.result.TrainingJobName %}",
        "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
        "output_uri": '{% $states.result.OutputDataConfig.S3OutputPath & "/" & $states.result.TrainingJobName '
        '& "/output/output.tar.gz" %}',
        "hyperparameters": f"{{% {hyperparameters} %}}",
        "code_uri": "{% $states.result.HyperParameters.sagemaker_submit_directory %}",
        "image": "{% $states.result.AlgorithmSpecification.TrainingImage %}",
        "metrics": "{% $merge([$states.result.FinalMetricDataList.{MetricName: Value}]) %}",
        "data_source": "{% $data.train_uri %}",
        **more,
    }
    return f"{{% {as_jsonata(description)} %}}"


def training_states(parts: WorkflowParts) -> States:
    """Return the states up to a kept archive; a request that names a finished job skips its training."""
    return {
        # Refuses what can't work before anything starts; fills in the defaults.
        names.CHECK: parts.lambda_task(
            parts.launch_function_arn,
            "{% $states.input %}",
            # Both branches read all three; a job started elsewhere brings `training` along.
            assign={"request": _ANSWER, "training": "{% $states.result.Payload.training %}", "data": NULL, "plans": 0},
            then=names.ROUTE,
        ),
        names.ROUTE: choose(
            when('$request.mode = "judge"', names.KEEP),
            when('$request.mode = "check"', names.CHECKED),
            otherwise=names.INGEST,
        ),
        names.CHECKED: {"Type": "Succeed", "Output": "{% $request %}"},
        names.INGEST: {
            **parts.lambda_task(
                parts.ingest_function_arn,
                {"job_name": "{% $request.job_name %}", "data_source": "{% $request.data_source %}"},
                assign={"data": _ANSWER},
                then=names.HOW,
            ),
            # The job's name is in the output for whoever follows the execution.
            "Output": '{% $merge([$states.result.Payload, {"job_name": $request.job_name}]) %}',
        },
        names.HOW: choose(when('$request.mode = "tune"', names.TUNE), otherwise=names.TRAIN),
        names.TRAIN: _train(parts),
        # From here on the model is the copy, which no job can write over. The test rows stay where the job put them.
        names.KEEP: parts.lambda_task(
            parts.keep_function_arn,
            {"model_data": "{% $training.model_data %}"},
            assign={"training": "{% $merge([$training, $states.result.Payload]) %}"},
            then=names.PLAN,
        ),
    }


def _train(parts: WorkflowParts) -> State:
    described = trained("$request.hyperparameters")
    return {
        **task(parts.partition, "sagemaker:createTrainingJob.sync", workflow_request(parts.job)),
        "Assign": {"training": described},
        "Output": described,
        "Retry": retry_sagemaker(),
        "Catch": catch_failure(),
        "Next": names.KEEP,
    }
