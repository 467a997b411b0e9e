"""What the training workflow may do: start jobs of its own names, and enter models into one group."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.container_image import ContainerImage
from stacks.common.s3_folder import S3Folder
from stacks.common.statements import pass_role
from stacks.training.gate.model_registry import ModelRegistry

# Step Functions learns through these rules of its own that a job has ended.
_RULES = ("StepFunctionsGetEventsForSageMakerTrainingJobsRule", "StepFunctionsGetEventsForSageMakerTransformJobsRule")


class TrainingWorkflowRole(Construct):
    """Execution role of the training workflow.

    Attributes:
        role: the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        prefix: str,
        functions: Iterable[lambda_.IFunction],
        passed_roles: Iterable[iam.IRole],
        topic: sns.ITopic,
        registry: ModelRegistry,
        artifacts: S3Folder,
        images: Iterable[ContainerImage],
        serving_stack: str,
    ) -> None:
        """Create the role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            prefix: first part of the names of the workflow's jobs and models.
            functions: the functions that it asks.
            passed_roles: the roles that training jobs and evidence models run under.
            topic: the topic that it tells.
            registry: group that it enters models into.
            artifacts: where the models lie.
            images: the images that a package may name.
            serving_stack: the stack that it looks at to learn which package serves.
        """
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            role_name=f"{prefix}-training-workflow",
            description=f"Execution role of the state machine {prefix}-training",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
        )
        self._allow(["lambda:InvokeFunction"], *(function.function_arn for function in functions))
        self._allow(["sns:Publish"], topic.topic_arn)
        self._allow_jobs(prefix)
        for passed in passed_roles:
            self.role.add_to_policy(pass_role(passed.role_arn, "sagemaker.amazonaws.com"))
        self._allow_registering(artifacts, images, registry)
        stack = Stack.of(self)
        champion = f"arn:{stack.partition}:cloudformation:{stack.region}:{stack.account}:stack/{serving_stack}/*"
        self._allow(["cloudformation:DescribeStacks"], champion)
        accept_wildcard(self.role, champion, "CloudFormation puts an id behind the name of this one stack.")
        accept_wildcard(
            self.role,
            "*",
            "Log delivery (logs:*LogDelivery, *ResourcePolicies, DescribeLogGroups) and X-Ray have no resource-level "
            "permissions; both come with the logging and tracing of the state machine.",
        )

    def _allow(self, actions: list[str], *resources: str) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))

    def _allow_jobs(self, prefix: str) -> None:
        stack = Stack.of(self)
        own = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}"
        rules = f"arn:{stack.partition}:events:{stack.region}:{stack.account}:rule"
        jobs = {"Training": f"{own}:training-job/{prefix}-*", "Transform": f"{own}:transform-job/{prefix}-*"}
        for kind, arn in jobs.items():
            verbs = [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")]
            self._allow([*verbs, "sagemaker:AddTags", "sagemaker:ListTags"], arn)
            accept_wildcard(self.role, arn, "Each job is named with its time or a random part, under this prefix.")
        models = f"{own}:model/{prefix}-evidence-*"
        self._allow(["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:AddTags"], models)
        accept_wildcard(self.role, models, "Each model that gives evidence has a random part in its name.")
        self._allow(
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"], *(f"{rules}/{name}" for name in _RULES)
        )

    def _allow_registering(
        self, artifacts: S3Folder, images: Iterable[ContainerImage], registry: ModelRegistry
    ) -> None:
        packages = registry.packages_arn
        self._allow(["sagemaker:CreateModelPackage"], registry.group_arn, packages)
        self._allow(["sagemaker:UpdateModelPackage"], packages)
        # SageMaker looks at the image and the artifact with the caller's rights when a package is created.
        repositories = [image.repository_arn(Stack.of(self).partition) for image in images]
        self._allow(["ecr:BatchGetImage", "ecr:DescribeImages"], *repositories)
        self._allow(["s3:GetObject"], artifacts.objects_arn)
        accept_wildcard(self.role, packages, "A package's version number is chosen by the registry.")
        accept_wildcard(self.role, artifacts.objects_arn, "The model's key contains the name of the job that made it.")
