"""The group of the model registry that holds every trained model."""

from __future__ import annotations

from aws_cdk import CustomResource, Duration, RemovalPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.permissions import Right, grant
from stacks.common.project_stack import add_outputs
from stacks.common.python_function import FunctionSetup, PythonFunction


class ModelRegistry(Construct):
    """A model package group; a removable one is deleted with its packages.

    SageMaker refuses to delete a group that holds packages, so a custom resource empties a removable group when the
    stack is destroyed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, setup: FunctionSetup, removable: bool) -> None:
        """Create the group; `removable` says whether it and its packages are deleted with the stack."""
        super().__init__(scope, construct_id)
        name = setup.names.package_group
        group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=name,
            model_package_group_description="Text classifiers trained by the training workflow",
        )
        group.apply_removal_policy(RemovalPolicy.DESTROY if removable else RemovalPolicy.RETAIN)
        add_outputs(self, {"ModelPackageGroup": name})
        if removable:
            self._empty_on_removal(group, setup)

    def _empty_on_removal(self, group: sagemaker.CfnModelPackageGroup, setup: FunctionSetup) -> None:
        names, sources = setup.names, setup.sources
        emptying = PythonFunction(
            self,
            "Emptying",
            setup=setup,
            name="registry",
            description="Empties the model package group when its stack is destroyed",
            handler="registry_cleanup.handler.handler",
            sources={"registry_cleanup": sources.lambda_package("registry_cleanup")},
            memory_mb=256,
            timeout=Duration.minutes(5),
        )
        grant(
            emptying.role,
            Right(
                ["sagemaker:ListModelPackages", "sagemaker:DeleteModelPackage"],
                [names.package_group_arn, names.package_arns],
                "It deletes every package of this one group.",
            ),
        )
        resource = CustomResource(
            self,
            "Empty",
            resource_type="Custom::EmptyModelPackageGroup",
            service_token=emptying.function.function_arn,
            properties={"ModelPackageGroupName": group.model_package_group_name},
        )
        # Deleted in reverse: first the packages, then the group; the permissions last.
        resource.node.add_dependency(group, emptying.role)
