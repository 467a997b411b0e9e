"""The recipe of a training job to copy into SageMaker's console or a terminal."""

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.common.names import Names
from stacks.common.project_stack import add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.training.job.request import JobRecipe, recipe_request

JOB_NAME = "REPLACE-WITH-A-NAME"
"""A job's name can't be used twice; the console suggests the cloned job's, so this one says what to do."""


def add_console_recipe(scope: Construct, *, names: Names, recipe: JobRecipe, datasets: S3Folder) -> None:
    """Store a complete CreateTrainingJob request in an SSM parameter: the job that an execution with `{}` starts.

    It reads the data of the latest ingest.
    """
    latest = f"{datasets.uri}/latest"
    job_name = f"{names.prefix}-{JOB_NAME}"
    request = recipe_request(recipe, job_name=job_name, train_uri=f"{latest}/train/", test_uri=f"{latest}/test/")
    parameter = ssm.StringParameter(
        scope,
        "Parameter",
        parameter_name=names.recipe,
        description="CreateTrainingJob request, the same as the training workflow's",
        string_value=Stack.of(scope).to_json_string(request, 2),
        # A standard parameter holds 4 kB and costs nothing; long hyperparameters may need the larger kind.
        tier=ssm.ParameterTier.INTELLIGENT_TIERING,
    )
    add_outputs(scope, {"TrainingRecipeParameter": parameter.parameter_name})
