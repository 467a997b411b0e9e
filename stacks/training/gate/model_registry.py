"""The group of the model registry that holds every trained model."""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.permissions import Right, grant
from stacks.common.project_stack import add_outputs
from stacks.common.python_function import FunctionSetup, PythonFunction
from stacks.common.removal import removal_policy


def add_model_registry(scope: Construct, *, setup: FunctionSetup, removable: bool) -> None:
    """Create a model package group; `removable` says whether it and its packages are deleted with the stack.

    SageMaker refuses to delete a group that holds packages, so a custom resource empties a removable group when the
    stack is destroyed.
    """
    name = setup.names.package_group
    group = sagemaker.CfnModelPackageGroup(
        scope,
        "Group",
        model_package_group_name=name,
        model_package_group_description="Text classifiers trained by the training workflow",
    )
    group.apply_removal_policy(removal_policy(removable=removable))
    add_outputs(scope, {"ModelPackageGroup": name})
    if removable:
        _empty_on_removal(scope, group, setup)


def _empty_on_removal(scope: Construct, group: sagemaker.CfnModelPackageGroup, setup: FunctionSetup) -> None:
    emptying = PythonFunction(
        scope,
        "Emptying",
        setup=setup,
        name="registry",
        description="Empties the model package group when its stack is destroyed",
        packages=("registry_cleanup",),
        memory_mb=256,
        timeout=Duration.minutes(5),
    )
    grant(
        emptying.role,
        Right(
            ["sagemaker:ListModelPackages", "sagemaker:DeleteModelPackage"],
            [setup.names.package_arns],
            "It deletes every package of this one group.",
        ),
    )
    resource = CustomResource(
        scope,
        "Empty",
        resource_type="Custom::EmptyModelPackageGroup",
        service_token=emptying.function.function_arn,
        properties={"ModelPackageGroupName": group.model_package_group_name},
    )
    # Deleted in reverse: first the packages, then the group; the permissions last.
    resource.node.add_dependency(group, emptying.role)
