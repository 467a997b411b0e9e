"""Automatic scaling of the endpoint's variant: its instances, or the warm share of a serverless one."""

from dataclasses import dataclass
from pathlib import Path

from aws_cdk import CfnResource
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.common.filled_document import filled
from stacks.config.serving import ServingConfig
from stacks.serving.variant import VARIANT

SERVICE = "sagemaker"
"""Application Auto Scaling's name of the service."""

_INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
_CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
_WARM_IN_USE = "SageMakerVariantProvisionedConcurrencyUtilization"


@dataclass(frozen=True, kw_only=True)
class ScalingTarget:
    """What is adjusted (Application Auto Scaling's name of it), between which bounds, by which metric."""

    dimension: str
    low: int
    high: int
    metric: str
    value: float


def add_scaling(scope: Construct, *, endpoint: sagemaker.CfnEndpoint, serving: ServingConfig) -> None:
    """Create a scalable target with one target-tracking policy, which exist where the endpoint does.

    Both have no role: Application Auto Scaling uses its service-linked one, so the stack still holds no IAM.

    `endpoint`: created before the target and deleted after it.
    """
    wanted = scaling_target(serving)
    target = autoscaling.CfnScalableTarget(
        scope,
        "Target",
        service_namespace=SERVICE,
        scalable_dimension=wanted.dimension,
        resource_id=f"endpoint/{endpoint.endpoint_name}/variant/{VARIANT}",
        min_capacity=wanted.low,
        max_capacity=wanted.high,
    )
    target.add_resource_dependency(endpoint)
    values = {"endpoint": endpoint.endpoint_name, "target": target.ref, "metric": wanted.metric, "value": wanted.value}
    properties = filled(Path(__file__).with_suffix(".yaml"), {}, values)
    policy = CfnResource(scope, "Policy", type="AWS::ApplicationAutoScaling::ScalingPolicy", properties=properties)
    for resource in (target, policy):
        resource.cfn_options.condition = endpoint.cfn_options.condition


def scaling_target(serving: ServingConfig) -> ScalingTarget:
    """Return what of this endpoint is scaled."""
    if serving.kind == "instances":
        instances = serving.instances
        return ScalingTarget(
            dimension="sagemaker:variant:DesiredInstanceCount",
            low=instances.min_count,
            high=instances.max_count,
            metric=_INVOCATIONS if instances.scaling_metric == "invocations" else _CONCURRENCY,
            value=instances.scaling_target,
        )
    warm = serving.provisioned_concurrency
    return ScalingTarget(
        dimension="sagemaker:variant:DesiredProvisionedConcurrency",
        low=warm.min,
        high=warm.max,
        metric=_WARM_IN_USE,
        value=warm.target,
    )
