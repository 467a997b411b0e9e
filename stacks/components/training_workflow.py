"""The state machine that trains a model: start it with ``{}`` from the console, a schedule or a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.components.acknowledgements import accept_wildcard
from stacks.components.dlc_image import DlcImage
from stacks.components.log_keeping import LogKeeping
from stacks.components.model_registry import ModelRegistry
from stacks.components.outputs import add_outputs
from stacks.components.statements import pass_role
from stacks.components.training_definition import TrainingRecipe, training_definition
from stacks.components.training_job import TrainingJob


class TrainingWorkflow(Construct):
    """Ingest → training job → model package, with the reason of a failure in the execution.

    Attributes:
        state_machine: the state machine.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        job: TrainingJob,
        ingest: lambda_.IFunction,
        inference_image: DlcImage,
        registry: ModelRegistry,
        git_revision: str,
        tags: Mapping[str, str],
        logs: LogKeeping,
    ) -> None:
        """Create the state machine.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the state machine's and its jobs' names.
            job: what a job is made of.
            ingest: collects the data and names the job.
            inference_image: image that the model packages name.
            registry: group that models are entered into.
            git_revision: recorded with each model; may be empty.
            tags: tags of every job.
            logs: how long the log is kept.
        """
        super().__init__(scope, construct_id)
        name = f"{prefix}-training"
        self._role = iam.Role(
            self,
            "Role",
            role_name=f"{name}-workflow",
            description=f"Execution role of the state machine {name}",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
        )
        self._allow_training(ingest.function_arn, job.role.role_arn, jobs=f"{prefix}-*")
        self._allow_registering(job.artifacts.objects_arn, inference_image, registry)
        recipe = TrainingRecipe(
            partition=Stack.of(self).partition,
            ingest_function_arn=ingest.function_arn,
            training_image=job.image.uri,
            inference_image=inference_image.uri,
            role_arn=job.role.role_arn,
            settings=job.settings,
            output_uri=job.artifacts.uri,
            code_uri=job.code.uri,
            code_version=job.code.version,
            git_revision=git_revision,
            environment=job.environment,
            model_package_group=registry.name,
            tags=tags,
        )
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            comment="Trains a text classifier and enters it into the model registry",
            definition_body=sfn.DefinitionBody.from_string(Stack.of(self).to_json_string(training_definition(recipe))),
            role=self._role,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                # Log groups of Step Functions need this prefix, else the resource policy for them outgrows its limit.
                destination=logs.group(self, "Log", name=f"/aws/vendedlogs/states/{name}"),
                level=sfn.LogLevel.ALL,
                include_execution_data=True,
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        add_outputs(self, {"StateMachineArn": self.state_machine.state_machine_arn})
        accept_wildcard(
            self._role,
            "*",
            "Log delivery (logs:*LogDelivery, *ResourcePolicies, DescribeLogGroups) and X-Ray have no resource-level "
            "permissions; both come with the logging and tracing of the state machine.",
        )

    def _allow_training(self, ingest_arn: str, role_arn: str, *, jobs: str) -> None:
        stack = Stack.of(self)
        job_arn = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:training-job/{jobs}"
        rule = "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
        for statement in (
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[ingest_arn]),
            iam.PolicyStatement(
                actions=[
                    "sagemaker:CreateTrainingJob",
                    "sagemaker:DescribeTrainingJob",
                    "sagemaker:StopTrainingJob",
                    "sagemaker:AddTags",
                ],
                resources=[job_arn],
            ),
            pass_role(role_arn, "sagemaker.amazonaws.com"),
            # Step Functions learns through this rule of its own that a job has ended.
            iam.PolicyStatement(
                actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
                resources=[f"arn:{stack.partition}:events:{stack.region}:{stack.account}:{rule}"],
            ),
        ):
            self._role.add_to_policy(statement)
        accept_wildcard(self._role, job_arn, "The ingest step names each job with its time, under this prefix.")

    def _allow_registering(self, artifacts_arn: str, image: DlcImage, registry: ModelRegistry) -> None:
        for statement in (
            iam.PolicyStatement(
                actions=["sagemaker:CreateModelPackage"], resources=[registry.group_arn, registry.packages_arn]
            ),
            # SageMaker looks at the image and the artifact with the caller's rights when a package is created.
            iam.PolicyStatement(
                actions=["ecr:BatchGetImage", "ecr:DescribeImages"],
                resources=[image.repository_arn(Stack.of(self).partition)],
            ),
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[artifacts_arn]),
        ):
            self._role.add_to_policy(statement)
        accept_wildcard(self._role, registry.packages_arn, "A package's version number is chosen by the registry.")
        accept_wildcard(self._role, artifacts_arn, "The model's key contains the name of the job that made it.")
