"""The Lambda that checks an execution's input and fills in what it leaves open."""

from __future__ import annotations

import json

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import PythonFunction
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import GateConfig, TrainingConfig


class LaunchFunction(Construct):
    """Refuses in the first second what would fail after an hour.

    Attributes:
        function: the function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        training: TrainingConfig,
        gate: GateConfig,
        artifacts: S3Folder,
        sources: ProjectSources,
        layer: lambda_.ILayerVersion,
        logs: LogKeeping,
    ) -> None:
        """Create the function.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the function's name and of the jobs it names.
            training: instance, limits and hyperparameters of an execution that asks for none.
            gate: thresholds and approval mode of such an execution.
            artifacts: where the model of a job that was started elsewhere has to lie.
            sources: where the code lies.
            layer: third-party packages.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        classifier = sources.training_job / "classifier"
        launch = PythonFunction(
            self,
            "Lambda",
            name=f"{prefix}-launch",
            description="Checks the input of a training execution",
            handler="launch.handler.handler",
            sources={
                "launch": sources.lambda_package("launch"),
                "shared": sources.lambda_package("shared"),
                # Names and values of hyperparameters are checked by the job's own rules.
                "classifier/errors.py": classifier / "errors.py",
                "classifier/job": classifier / "job",
            },
            layers=[layer],
            environment={
                "DEFAULTS": json.dumps(_defaults(training, gate)),
                "JOB_NAME_PREFIX": prefix,
                "ARTIFACTS_URI": artifacts.uri,
                "POWERTOOLS_SERVICE_NAME": "launch",
            },
            # Reading SageMaker's list of instance types takes seconds with a smaller share of a CPU.
            memory_mb=1024,
            timeout=Duration.minutes(1),
            logs=logs,
        )
        self.function = launch.function
        stack = Stack.of(self)
        jobs = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:training-job/*"
        launch.role.add_to_policy(iam.PolicyStatement(actions=["sagemaker:DescribeTrainingJob"], resources=[jobs]))
        accept_wildcard(
            launch.role, jobs, "A job to be judged was started by a person, under whatever name; it is only looked at."
        )


def _defaults(training: TrainingConfig, gate: GateConfig) -> dict[str, object]:
    """The configuration in the words of an execution's input."""
    return {
        "hyperparameters": training.default_hyperparameters,
        "compute": {
            "instance_type": training.instance_type,
            "instance_count": training.instance_count,
            "volume_gb": training.volume_gb,
            "max_runtime_minutes": training.max_runtime_minutes,
            "spot": training.spot,
        },
        "gate": {"min_accuracy": gate.min_accuracy, "min_f1": gate.min_f1, "margin": gate.margin},
        "approval": gate.approval,
    }
