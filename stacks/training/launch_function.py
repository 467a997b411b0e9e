"""The Lambda that checks the input of a training execution before anything starts."""

import json

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.permissions import Right, grant
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import GateConfig, TrainingConfig


def launch_function(
    scope: Construct, *, setup: FunctionSetup, training: TrainingConfig, gate: GateConfig, artifacts: S3Folder
) -> lambda_.Function:
    """Create the function, which refuses in the first second what would fail after an hour.

    `training`: instance, limits and hyperparameters of an execution that asks for none. `gate`: thresholds and approval
    mode of such an execution. `artifacts`: where the model of a job that was started elsewhere has to lie.
    """
    classifier = setup.sources.training_job / "classifier"
    launch = PythonFunction(
        scope,
        "Lambda",
        setup=setup,
        name="launch",
        description="Checks the input of a training execution",
        packages=("launch",),
        sources={
            # Names and values of hyperparameters are checked by the job's own rules.
            "classifier/errors.py": classifier / "errors.py",
            "classifier/job": classifier / "job",
        },
        service="launch",
        environment={
            "DEFAULTS": json.dumps(_defaults(training, gate)),
            "JOB_NAME_PREFIX": setup.names.prefix,
            "TUNING_NAME_PREFIX": setup.names.tuning,
            "ARTIFACTS_URI": artifacts.uri,
        },
        # Reading SageMaker's list of instance types takes seconds with a smaller share of a CPU.
        memory_mb=1024,
        timeout=Duration.minutes(1),
    )
    jobs = setup.names.sagemaker_arn(f"training-job/{setup.names.prefix}-*")
    grant(launch.role, Right(["sagemaker:DescribeTrainingJob"], [jobs], "A person may choose the rest of the name."))
    return launch.function


def _defaults(training: TrainingConfig, gate: GateConfig) -> dict[str, object]:
    """Return the configuration in the words of an execution's input."""
    compute = {"instance_type", "instance_count", "volume_gb", "max_runtime_minutes", "spot"}
    return {
        "hyperparameters": training.default_hyperparameters,
        "compute": training.model_dump(include=compute),
        "gate": gate.model_dump(exclude={"approval"}),
        "approval": gate.approval,
        "offline": training.offline or training.isolated,
    }
