"""How an update of an instance-backed endpoint is watched, and what rolls it back.

Serverless endpoints have no such guard: SageMaker updates them all at once.
"""

from typing import Any

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
    scope: Construct, *, endpoint: sagemaker.CfnEndpoint, instances: InstancesConfig
) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
    """Create two alarms on the fleet of the endpoint's config; return the deployment that they guard."""
    alarms = _alarms(scope, endpoint, instances)
    for alarm in alarms:
        alarm.cfn_options.condition = endpoint.cfn_options.condition
    bake_seconds = instances.bake_minutes * 60
    kind = sagemaker.CfnEndpoint
    return kind.DeploymentConfigProperty(
        auto_rollback_configuration=kind.AutoRollbackConfigProperty(
            alarms=[kind.AlarmProperty(alarm_name=alarm.ref) for alarm in alarms]
        ),
        blue_green_update_policy=kind.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=_routing(instances.canary_percent, bake_seconds),
            termination_wait_in_seconds=bake_seconds,
            maximum_execution_timeout_in_seconds=2 * bake_seconds + _START_SECONDS,
        ),
    )


def _alarms(scope: Construct, endpoint: sagemaker.CfnEndpoint, instances: InstancesConfig) -> list[cloudwatch.CfnAlarm]:
    """Create the alarms. They watch the new fleet alone (dimension `EndpointConfigName`) and are new for each config.

    A failing fleet must not block its successor, and an alarm that is only changed keeps its state.
    """
    name, config = str(endpoint.endpoint_name), str(endpoint.endpoint_config_name)
    fleet = {"EndpointName": name, "VariantName": VARIANT, "EndpointConfigName": config}
    common: dict[str, Any] = {
        "namespace": "AWS/SageMaker",
        "dimensions": [cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value) for key, value in fleet.items()],
        "period": 60,
        "evaluation_periods": 1,
        "comparison_operator": "GreaterThanThreshold",
        # A fleet without requests is healthy.
        "treat_missing_data": "notBreaching",
    }
    watched: dict[str, dict[str, Any]] = {
        "errors": {
            "alarm_description": "The fleet of an update answers with server errors; SageMaker takes the update back",
            "metric_name": "Invocation5XXErrors",
            # Each request counts 0 or 1, so the average is the share.
            "statistic": "Average",
            "threshold": instances.max_error_rate,
        },
        "latency": {
            "alarm_description": "The fleet of an update answers slowly; SageMaker takes the update back",
            "metric_name": "ModelLatency",
            "extended_statistic": "p99",
            "threshold": instances.max_latency_ms * 1000,  # the metric counts microseconds
        },
    }
    return [
        cloudwatch.CfnAlarm(
            scope, what.title(), alarm_name=f"{guard_alarms(name)}{what}-{config}", **common, **properties
        )
        for what, properties in watched.items()
    ]


def _routing(canary_percent: int, bake_seconds: int) -> sagemaker.CfnEndpoint.TrafficRoutingConfigProperty:
    if not canary_percent:
        return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(type="ALL_AT_ONCE")
    return sagemaker.CfnEndpoint.TrafficRoutingConfigProperty(
        type="CANARY",
        canary_size=sagemaker.CfnEndpoint.CapacitySizeProperty(type="CAPACITY_PERCENT", value=canary_percent),
        wait_interval_in_seconds=bake_seconds,
    )
