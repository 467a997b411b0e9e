"""The role under which CloudFormation changes the endpoint during a release."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.common.names import Names
from stacks.common.permissions import Right, grant, pass_role, service_role, use_packages
from stacks.config.serving import ServingConfig
from stacks.serving.guardrails import guard_alarms
from stacks.serving.scaling import SERVICE, scaling_target

# The role that Application Auto Scaling uses; AWS creates it when an account registers its first endpoint.
_SCALING_SERVICE = f"{SERVICE}.application-autoscaling.amazonaws.com"
_SCALING_ROLE = f"aws-service-role/{_SCALING_SERVICE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def release_role(scope: Construct, *, names: Names, serving: ServingConfig) -> iam.Role:
    """Create the role: it creates and removes the serving stack's models, endpoint configs and its one endpoint.

    Where the endpoint scales or its updates are guarded, the stack's scalable target, policy and alarms as well.
    """
    model, config = (names.sagemaker_arn(f"{kind}/{names.served}") for kind in ("model", "endpoint-config"))
    endpoint = names.endpoint_arn
    rights = [
        _allow(["CreateModel", "DescribeModel", "DeleteModel"], [model]),
        _allow(["CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"], [config]),
        # Creating and changing an endpoint is checked against its config as well.
        _allow(["CreateEndpoint", "UpdateEndpoint"], [endpoint, config]),
        _allow(["DescribeEndpoint", "DeleteEndpoint"], [endpoint]),
        _allow(["AddTags", "DeleteTags", "ListTags"], [model, config, endpoint]),
        # A model made from a package may be checked against the package too: "Deploy a Model Version from a Different
        # Account" in the SageMaker AI Developer Guide grants it there.
        use_packages(names.package_arns, "sagemaker:CreateModel"),
        pass_role(names.model_role_arn, "sagemaker"),
    ]
    role = service_role(
        scope,
        name=names.global_name(names.release),
        service="cloudformation",
        description="Service role of CloudFormation for releases",
        inline={"release": rights},
    )
    if serving.scales:
        grant(role, *_scaling_rights(names, scaling_target(serving).dimension))
        grant(role, *_alarm_rights(names, f"TargetTracking-endpoint/{names.endpoint}/variant/"))
    if serving.kind == "instances":
        grant(role, *_alarm_rights(names, guard_alarms(names.endpoint)))
    return role


def _allow(calls: Sequence[str], resources: Sequence[str]) -> Right:
    return Right(
        [f"sagemaker:{call}" for call in calls],
        resources,
        "A model's and an endpoint config's name ends in the package's version and a hash of its properties.",
    )


def _scaling_rights(names: Names, dimension: str) -> tuple[Right, ...]:
    targets = [names.scalable_target_arns]
    service = {"application-autoscaling:service-namespace": SERVICE}
    reason = (
        "Application Auto Scaling generates a target's id; conditions restrict all calls but tagging to this dimension "
        "of SageMaker's endpoints."
    )
    return (
        Right(
            _scaling("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"),
            targets,
            reason,
            conditions={"StringEquals": {**service, "application-autoscaling:scalable-dimension": dimension}},
        ),
        # CloudFormation puts the stack's tags on a target; these calls know neither service nor dimension.
        Right(_scaling("TagResource", "UntagResource", "ListTagsForResource"), targets, reason),
        Right(
            _scaling("DescribeScalableTargets", "DescribeScalingPolicies"),
            ["*"],
            "application-autoscaling:Describe*, which only read, have no resource-level permissions.",
        ),
        # AWS requires these two of whoever registers the endpoint.
        Right(["sagemaker:UpdateEndpointWeightsAndCapacities"], [names.endpoint_arn]),
        Right(
            ["iam:CreateServiceLinkedRole"],
            [names.role_arn(_SCALING_ROLE)],
            conditions={"StringEquals": {"iam:AWSServiceName": _SCALING_SERVICE}},
        ),
    )


def _scaling(*calls: str) -> list[str]:
    return [f"application-autoscaling:{call}" for call in calls]


def _alarm_rights(names: Names, name_prefix: str) -> tuple[Right, ...]:
    calls = ("PutMetricAlarm", "DeleteAlarms", "ListTagsForResource", "TagResource", "UntagResource")
    return (
        Right(
            [f"cloudwatch:{call}" for call in calls],
            [names.alarm_arns(name_prefix)],
            "The rest of these alarms' names is generated, one for each alarm.",
        ),
        Right(
            ["cloudwatch:DescribeAlarms"], [names.alarm_arns("")], "Alarms are looked up by name; the call only reads."
        ),
    )
