"""The role under which CloudFormation changes the endpoint during a release."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.components.acknowledgements import accept_wildcard
from stacks.components.statements import pass_role

# CloudFormation names a resource that has no name after its stack or after its logical id, which begins with the
# construct's path; SageMaker's ARNs spell either in lower case.
_MODELS = ("servingpackagemodel*", "servinghubmodel*")
_ENDPOINT_CONFIGS = ("servingendpointconfig*",)


class ReleaseRole(Construct):
    """Makes and removes the serving stack's models, endpoint configs and its one endpoint; nothing else.

    Attributes:
        role: the role.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        serving_stack: str,
        endpoint_name: str,
        model_role_arn: str,
        packages_arn: str,
    ) -> None:
        """Create the role.

        Args:
            scope: parent construct.
            construct_id: name within the parent.
            name: name of the role.
            serving_stack: name of the stack that holds the endpoint.
            endpoint_name: name of the endpoint.
            model_role_arn: execution role of the model, the only one it hands on.
            packages_arn: pattern of the ARNs of the group's packages.
        """
        super().__init__(scope, construct_id)
        models = self._arns("model", (f"{serving_stack}-*", *_MODELS))
        configs = self._arns("endpoint-config", (f"{serving_stack}-*", *_ENDPOINT_CONFIGS))
        endpoints = self._arns("endpoint", (endpoint_name,))
        self.role = iam.Role(
            self,
            "Role",
            role_name=name,
            description="Service role of CloudFormation for releases",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            inline_policies={
                "release": iam.PolicyDocument(
                    statements=[
                        _allow(["CreateModel", "DescribeModel", "DeleteModel"], models),
                        _allow(["CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"], configs),
                        # Making and changing an endpoint is checked against its config as well.
                        _allow(["CreateEndpoint", "UpdateEndpoint"], [*endpoints, *configs]),
                        _allow(["DescribeEndpoint", "DeleteEndpoint"], endpoints),
                        _allow(["AddTags", "DeleteTags", "ListTags"], [*models, *configs, *endpoints]),
                        _allow(["DescribeModelPackage"], [packages_arn]),
                        pass_role(model_role_arn, "sagemaker.amazonaws.com"),
                    ]
                )
            },
        )
        for arn in (*models, *configs):
            accept_wildcard(
                self.role, arn, "CloudFormation makes the names of models and endpoint configs up, to replace them."
            )
        accept_wildcard(self.role, packages_arn, "Any version of this group may be released.")

    def _arns(self, kind: str, names: Iterable[str]) -> list[str]:
        stack = Stack.of(self)
        return [f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:{kind}/{name}" for name in names]


def _allow(calls: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[f"sagemaker:{call}" for call in calls], resources=resources)
