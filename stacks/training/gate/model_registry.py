"""The group of the model registry that every trained model enters."""

from __future__ import annotations

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.log_keeping import LogKeeping
from stacks.common.outputs import add_outputs
from stacks.common.project_sources import ProjectSources
from stacks.common.python_function import PythonFunction


class ModelRegistry(Construct):
    """A model package group; where it is removable, its packages go with it.

    SageMaker refuses to delete a group that holds packages, so a removable one gets a custom resource that empties it
    when the stack is destroyed.

    Attributes:
        name: name of the group.
        group_arn: ARN of the group.
        packages_arn: pattern of the ARNs of its packages.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        removable: bool,
        sources: ProjectSources,
        logs: LogKeeping,
    ) -> None:
        """Create the group.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the group.
            removable: whether the group and its packages go with the stack.
            sources: where the code lies.
            logs: how long the log of the emptying function is kept.
        """
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        arn = f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}"
        self.name = name
        self.group_arn = f"{arn}:model-package-group/{name}"
        self.packages_arn = f"{arn}:model-package/{name}/*"
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=name,
            model_package_group_description="Text classifiers trained by the training workflow",
        )
        group.apply_removal_policy(RemovalPolicy.DESTROY if removable else RemovalPolicy.RETAIN)
        add_outputs(self, {"ModelPackageGroup": name})
        if removable:
            self._empty_on_removal(group, sources=sources, logs=logs)

    def _empty_on_removal(
        self, group: sagemaker.CfnModelPackageGroup, *, sources: ProjectSources, logs: LogKeeping
    ) -> None:
        emptying = PythonFunction(
            self,
            "Emptying",
            name=f"{group.model_package_group_name}-registry",
            description="Empties the model package group when its stack is destroyed",
            handler="registry_cleanup.handler.handler",
            sources={name: sources.lambda_package(name) for name in ("registry_cleanup", "shared")},
            layers=[],
            environment={},
            memory_mb=256,
            timeout=Duration.minutes(5),
            logs=logs,
        )
        emptying.role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:ListModelPackages", "sagemaker:DeleteModelPackage"],
                resources=[self.group_arn, self.packages_arn],
            )
        )
        accept_wildcard(emptying.role, self.packages_arn, "It deletes every package of this one group.")
        resource = CustomResource(
            self,
            "Empty",
            resource_type="Custom::EmptyModelPackageGroup",
            service_token=emptying.function.function_arn,
            properties={"ModelPackageGroupName": group.model_package_group_name},
        )
        # Deleted in reverse: the packages first, then the group. The permissions outlive the emptying.
        resource.node.add_dependency(group, emptying.role)
