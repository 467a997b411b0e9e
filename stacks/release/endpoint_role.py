"""The role under which CloudFormation changes the endpoint during a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.acknowledgements import accept_wildcard
from stacks.common.statements import pass_role
from stacks.config.serving import ServingConfig
from stacks.serving.guardrails import guard_alarms
from stacks.serving.scaling import SERVICE, scalable_dimension

# CloudFormation names a resource that has no name after its stack or after its logical id, which begins with the
# construct's path; SageMaker's ARNs spell either in lower case.
_MODELS = ("servingpackagemodel*", "servinghubmodel*")
_ENDPOINT_CONFIGS = ("servingendpointconfig*",)

# The role that Application Auto Scaling works with; AWS makes it when an account registers its first endpoint.
_SCALING_SERVICE = f"{SERVICE}.application-autoscaling.amazonaws.com"
_SCALING_ROLE = f"aws-service-role/{_SCALING_SERVICE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


class ReleaseRole(Construct):
    """Makes and removes the serving stack's models, endpoint configs and its one endpoint; nothing else.

    Where the endpoint scales or its updates are guarded, the stack's scalable target, policy and alarms as well.

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
        serving: ServingConfig,
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
            serving: says whether the endpoint scales and what its updates are guarded by.
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
        if serving.scales:
            self._allow_scaling(endpoints[0], endpoint_name, scalable_dimension(serving))
        if serving.kind == "instances":
            self._allow_alarms(guard_alarms(endpoint_name))

    def _allow_scaling(self, endpoint_arn: str, endpoint_name: str, dimension: str) -> None:
        stack = Stack.of(self)
        targets = f"arn:{stack.partition}:application-autoscaling:{stack.region}:{stack.account}:scalable-target/*"
        service = {"application-autoscaling:service-namespace": SERVICE}
        self._add(
            _scaling("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"),
            targets,
            {"StringEquals": {**service, "application-autoscaling:scalable-dimension": dimension}},
        )
        # CloudFormation puts the stack's tags on a target; these calls know neither service nor dimension.
        self._add(_scaling("TagResource", "UntagResource", "ListTagsForResource"), targets)
        self._add(_scaling("DescribeScalableTargets", "DescribeScalingPolicies"), "*")
        # These two are asked of whoever registers the endpoint.
        self._add(["sagemaker:UpdateEndpointWeightsAndCapacities"], endpoint_arn)
        self._add(
            ["iam:CreateServiceLinkedRole"],
            f"arn:{stack.partition}:iam::{stack.account}:role/{_SCALING_ROLE}",
            {"StringEquals": {"iam:AWSServiceName": _SCALING_SERVICE}},
        )
        self._allow_alarms(f"TargetTracking-endpoint/{endpoint_name}/variant/")
        accept_wildcard(
            self.role,
            targets,
            "Application Auto Scaling makes a target's id up; conditions hold all but tagging to this dimension of "
            "SageMaker's endpoints.",
        )
        accept_wildcard(
            self.role,
            "*",
            "application-autoscaling:Describe*, which only read, have no resource-level permissions.",
        )

    def _allow_alarms(self, name_prefix: str) -> None:
        stack = Stack.of(self)
        alarms = f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm"
        own = f"{alarms}:{name_prefix}*"
        self._add(
            [
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:DeleteAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
            own,
        )
        self._add(["cloudwatch:DescribeAlarms"], f"{alarms}:*")
        accept_wildcard(self.role, own, "The rest of these alarms' names is made up, one for each that is made.")
        accept_wildcard(self.role, f"{alarms}:*", "Alarms are looked for by name; the call only reads.")

    def _add(
        self, actions: list[str], resource: str, conditions: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource], conditions=conditions))

    def _arns(self, kind: str, names: Iterable[str]) -> list[str]:
        stack = Stack.of(self)
        return [f"arn:{stack.partition}:sagemaker:{stack.region}:{stack.account}:{kind}/{name}" for name in names]


def _allow(calls: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[f"sagemaker:{call}" for call in calls], resources=resources)


def _scaling(*calls: str) -> list[str]:
    return [f"application-autoscaling:{call}" for call in calls]
