"""How an update of an instance-backed endpoint is watched, and what rolls it back.

Serverless endpoints have no such guard: SageMaker updates them all at once.
"""

from typing import Any

from aws_cdk import CfnCondition
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.config.serving import InstancesConfig
from stacks.serving.variant import VARIANT

# Instances start within minutes. SageMaker gives up an update that takes longer than its baking time and this, before
# the release workflow's hour is over.
_START_SECONDS = 25 * 60


def guard_alarms(endpoint_name: str) -> str:
    """Return the beginning of the names of an endpoint's guarding alarms."""
    return f"{endpoint_name}-update-"


def guarded_deployment(
    scope: Construct,
    *,
    endpoint_name: str,
    endpoint_config_name: str,
    instances: InstancesConfig,
    condition: CfnCondition | None,
) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
    """Create two alarms on the fleet of one endpoint config; return the deployment that they guard.

    The alarms watch the new fleet alone (dimension `EndpointConfigName`) and are created anew for each config: a
    failing fleet must not block its successor, and an alarm that is only changed keeps its state.

    `endpoint_config_name`: the config that is put into service; a CDK token. `condition`: under which the endpoint
    exists; None for always.
    """
    prefix = guard_alarms(endpoint_name)
    fleet = {"EndpointName": endpoint_name, "VariantName": VARIANT, "EndpointConfigName": endpoint_config_name}
    common: dict[str, Any] = {
        "namespace": "AWS/SageMaker",
        "dimensions": [cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in fleet.items()],
        "period": 60,
        "evaluation_periods": 1,
        "comparison_operator": "GreaterThanThreshold",
        # A fleet without requests is healthy.
        "treat_missing_data": "notBreaching",
    }
    alarms = (
        cloudwatch.CfnAlarm(
            scope,
            "Errors",
            alarm_name=f"{prefix}errors-{endpoint_config_name}",
            alarm_description="The fleet of an update answers with server errors; SageMaker takes the update back",
            metric_name="Invocation5XXErrors",
            # Each request counts 0 or 1, so the average is the share.
            statistic="Average",
            threshold=instances.max_error_rate,
            **common,
        ),
        cloudwatch.CfnAlarm(
            scope,
            "Latency",
            alarm_name=f"{prefix}latency-{endpoint_config_name}",
            alarm_description="The fleet of an update answers slowly; SageMaker takes the update back",
            metric_name="ModelLatency",
            extended_statistic="p99",
            threshold=instances.max_latency_ms * 1000,  # the metric counts microseconds
            **common,
        ),
    )
    for alarm in alarms:
        alarm.cfn_options.condition = condition
    bake_seconds = instances.bake_minutes * 60
    endpoint = sagemaker.CfnEndpoint
    return endpoint.DeploymentConfigProperty(
        auto_rollback_configuration=endpoint.AutoRollbackConfigProperty(
            alarms=[endpoint.AlarmProperty(alarm_name=alarm.ref) for alarm in alarms]
        ),
        blue_green_update_policy=endpoint.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=_routing(instances.canary_percent, bake_seconds),
            termination_wait_in_seconds=bake_seconds,
            maximum_execution_timeout_in_seconds=2 * bake_seconds + _START_SECONDS,
        ),
    )


def _routing(canary_percent: int, bake_seconds: int) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
    if not canary_percent:
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(type="ALL_AT_ONCE")
    return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
        type="CANARY",
        canary_size=sagemaker.CfnEndpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=canary_percent),
        wait_interval_in_seconds=bake_seconds,
    )
